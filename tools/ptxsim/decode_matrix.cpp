// ldmatrix, stmatrix, movmatrix, mma.sync, wmma; mbarrier.
#include "tools/ptxsim/decode.h"
#include "tools/ptxsim/handlers.h"

namespace ptxsim {
namespace {

// "m16n8k16"
bool shape_of(Op& op, MatrixShape* shape) {
  static constexpr MatrixShape kShapes[] = {{16, 8, 4}, {16, 8, 8},   {16, 8, 16}, {16, 8, 32}, {8, 8, 4},
                                            {8, 8, 16}, {16, 16, 16}, {32, 8, 16}, {8, 32, 16}, {16, 16, 8}};
  for (const MatrixShape& s : kShapes) {
    if (op.has("m" + std::to_string(s.m) + "n" + std::to_string(s.n) + "k" + std::to_string(s.k))) return *shape = s, true;
  }
  return false;
}

uint64_t packed(const MatrixShape& s, Type d, Type a, Type b, Type c, bool clamps) {
  return uint64_t(s.m) | uint64_t(s.n) << 8 | uint64_t(s.k) << 16 | uint64_t(d) << 24 | uint64_t(a) << 32 | uint64_t(b) << 40 | uint64_t(c) << 48 |
         uint64_t(clamps) << 56;
}

uint32_t bytes_of(Type t) { return t == Type::u8 || t == Type::s8 ? 1 : t == Type::f16 || t == Type::bf16 ? 2 : t == Type::f64 ? 8 : 4; }

}  // namespace

// A vector of registers, or one; each 32 bits, or 64 of f64.
bool Decoder::fragment(const Operand& o, bool written, uint32_t bytes, uint32_t most, uint32_t* count) {
  const bool vector = o.kind == Operand::Kind::vector;
  *count = vector ? uint32_t(o.items.size()) : 1;
  if (*count == 0 || *count > most) return refuse(*now_, "a fragment of another number of registers");
  for (uint32_t i = 0; i < *count; ++i) {
    const Operand& item = vector ? o.items[i] : o;
    uint32_t id = 0;
    if (!(written ? destination(item, bytes, &id) : source(item, bytes == 8 ? Type::f64 : Type::b32, &id))) return false;
    code_.pool.push_back(id);
  }
  return true;
}

Instruction& Decoder::whole_warp(Handler run, InstructionClass cls) {
  const uint32_t mask = constant(kAllLanes, 4);
  Instruction& in = emit(run, cls);
  in.flow = Flow::collective;
  in.c = mask;
  return in;
}

bool Decoder::matrix(Op& op) {
  const uint32_t list = uint32_t(code_.pool.size());
  uint32_t n = 0;
  if (op.is("ldmatrix") || op.is("stmatrix")) {
    const bool loads = op.is("ldmatrix");
    op.has_any({"sync", "aligned", "shared", "shared::cta"});
    const bool trans = op.has("trans"), m8n8 = op.has("m8n8");
    const uint32_t matrices = op.has("x4") ? 4 : op.has("x2") ? 2 : 1;
    op.has("x1");
    if (!m8n8 || op.type() != Type::b16 || !need(2)) return refuse(*now_, "only .m8n8 of .b16 is supported"), true;
    Instruction in;
    in.bytes = 16;
    if (!fragment(operand(loads ? 0 : 1), loads, 4, 4, &n) || n != matrices || !access(op, operand(loads ? 1 : 0), Space::shared, in)) {
      return refuse(*now_, "a fragment of another number of registers"), true;
    }
    const Instruction& out = whole_warp(loads ? load_matrix : store_matrix, InstructionClass::matrix);
    Instruction& to = code_.instructions.back();
    in.run = out.run, in.predicate = out.predicate, in.flip = out.flip, in.flow = out.flow, in.c = out.c;
    in.list = list;
    in.register_bytes = uint8_t(matrices);
    in.is_signed = trans;
    in.kind = 4;
    to = in;
    return true;
  }
  if (op.is("movmatrix")) {
    op.has_any({"sync", "aligned", "m8n8", "trans"});
    uint32_t d = 0, a = 0;
    if (!need(2) || !source(operand(1), Type::b32, &a) || !destination(operand(0), 4, &d)) return true;
    Instruction& in = whole_warp(move_matrix, InstructionClass::matrix);
    in.d = d, in.a = a;
    return true;
  }
  if (op.is("mma") || op.is("wmma")) return multiplies(op);
  return op.is("mbarrier") && mbarriers(op);
}

bool Decoder::multiplies(Op& op) {
  MatrixShape shape;
  op.has_any({"sync", "aligned"});
  if (!shape_of(op, &shape)) return refuse(*now_, "a shape of matrices that is not supported"), true;
  const uint32_t list = uint32_t(code_.pool.size());
  if (op.is("wmma") && (op.has("load") || op.has("store"))) {
    const bool loads = op.has("load"), a = op.has("a"), b = op.has("b");
    op.has_any({"c", "d"});
    const bool by_rows = op.has("row");
    op.has("col");
    Space space = Space::generic;
    if (op.has("global")) space = Space::global;
    if (op.has_any({"shared", "shared::cta"})) space = Space::shared;
    const Type type = op.type();
    const size_t at = loads ? 1 : 0, operands = now_->operands.size();
    if (operands != 2 && operands != 3) return need(3), true;
    Instruction in;
    in.bytes = uint8_t(bytes_of(type));
    uint32_t n = 0, stride = 0;
    if (!fragment(operand(loads ? 0 : 1), loads, type == Type::f64 ? 8 : 4, 16, &n) || !access(op, operand(at), space, in)) return true;
    const uint32_t rows = a ? shape.m : b ? shape.k : shape.m, cols = a ? shape.k : b ? shape.n : shape.n;
    if (operands == 3 ? !source(operand(2), Type::b32, &stride) : (stride = constant(by_rows ? cols : rows, 4), false)) return true;
    const Instruction& out = whole_warp(loads ? load_fragment : store_fragment, InstructionClass::matrix);
    Instruction& to = code_.instructions.back();
    in.run = out.run, in.predicate = out.predicate, in.flip = out.flip, in.flow = out.flow, in.c = out.c;
    in.list = list;
    in.register_bytes = uint8_t(n);
    in.b = stride;
    in.is_signed = by_rows;
    in.kind = 4;
    in.d = rows, in.e = cols;
    to = in;
    return true;
  }
  const bool opaque = op.is("wmma");
  if (opaque) op.has("mma");
  const bool first_by_rows = op.has("row"), second_by_cols = op.has("col");
  if (!opaque && (!first_by_rows || !second_by_cols)) return refuse(*now_, "only .row.col is supported"), true;
  const bool clamps = op.has("satfinite");
  Type d = op.type(0), a = op.type(1), b = op.type(2), c = op.type(3);
  if (opaque && op.types() == 2) c = a, a = b = Type::f16;
  if (c == Type::none || (!opaque && shape.m == 8 && a == Type::f16)) return refuse(*now_, "types of matrices that are not supported"), true;
  const bool whole = a == Type::u8 || a == Type::s8, known = whole ? d == Type::s32 && c == Type::s32
                                                             : a == Type::f64
                                                                 ? d == a && c == a
                                                                 : (d == Type::f32 || d == Type::f16) && (c == Type::f32 || c == Type::f16);
  if (!known || (!whole && a != b) || (a != Type::f16 && a != Type::bf16 && a != Type::tf32 && a != Type::f64 && !whole))
    return refuse(*now_, "types of matrices that are not supported"), true;
  if (!need(4)) return true;
  uint32_t counts[4] = {};
  const uint32_t most = opaque ? 16 : 4, bytes = a == Type::f64 ? 8 : 4;
  for (size_t i = 0; i < 4; ++i) {
    if (!fragment(operand(i), i == 0, bytes, most, &counts[i])) return true;
  }
  if (!opaque) {  // as many as the elements take
    const uint32_t element = bytes_of(a), accumulator = d == Type::f16 ? 2 : bytes;
    if (counts[1] * bytes * kLanes != shape.m * shape.k * element || counts[2] * bytes * kLanes != shape.n * shape.k * element ||
        counts[0] * bytes * kLanes != shape.m * shape.n * accumulator ||
        counts[3] * bytes * kLanes != shape.m * shape.n * (c == Type::f16 ? 2 : bytes)) {
      return refuse(*now_, "fragments of another number of registers"), true;
    }
  }
  Instruction& in = whole_warp(multiply, InstructionClass::matrix);
  in.list = list;
  in.imm = packed(shape, d, a, b, c, clamps);
  in.d = counts[0], in.a = counts[1], in.b = counts[2], in.e = counts[3];
  in.kind = opaque;
  return true;
}

bool Decoder::mbarriers(Op& op) {
  op.has_any({"shared", "shared::cta", "release", "acquire", "relaxed", "cta"});
  struct Row {
    std::string_view name;
    MBarrier kind;
  };
  static constexpr Row kRows[] = {{"init", MBarrier::init},
                                  {"inval", MBarrier::inval},
                                  {"arrive", MBarrier::arrive},
                                  {"arrive_drop", MBarrier::arrive_drop},
                                  {"expect_tx", MBarrier::expect},
                                  {"complete_tx", MBarrier::complete},
                                  {"test_wait", MBarrier::test},
                                  {"try_wait", MBarrier::test},
                                  {"pending_count", MBarrier::pending}};
  MBarrier kind = MBarrier::pending;
  bool known = false, expects = false;
  for (const Row& row : kRows) {
    if (!op.has(row.name)) continue;
    expects = known && row.kind == MBarrier::expect;  // arrive.expect_tx
    if (!known) kind = row.kind;
    known = true;
  }
  if (!known) return false;
  op.has("noComplete");
  const bool parity = op.has("parity"), waits = kind == MBarrier::test;
  const bool drops = kind == MBarrier::arrive_drop, arrives = kind == MBarrier::arrive || drops;
  const size_t n = now_->operands.size();
  Instruction in;
  in.bytes = 8;
  in.strong = kind != MBarrier::init;
  in.count = 1;
  if (kind == MBarrier::pending) {
    uint32_t a = 0, d = 0;
    if (!need(2) || !source(operand(1), Type::b64, &a) || !destination(operand(0), 4, &d)) return true;
    Instruction& out = emit(mbarrier, InstructionClass::barrier);
    out.d = d, out.a = a;
    out.kind = uint8_t(MBarrier::pending);
    return true;
  }
  const size_t first = arrives || waits ? 1 : 0;  // the address; before it the state or the predicate
  const bool no_state = arrives && n > 0 && operand(0).kind == Operand::Kind::address;
  const size_t at = no_state ? 0 : first;
  if (n <= at) return need(at + 1), true;
  in.is_signed = parity;
  in.kind = uint8_t(expects ? MBarrier::arrive_expect : kind);
  in.register_bytes = drops;
  if (n > at + 1 && !source(operand(at + 1), waits && !parity ? Type::b64 : Type::b32, &in.b)) return true;
  in.count = n > at + 1 ? 1 : 0;  // is in.b there
  if (waits && (n < at + 2 || !predicate_destination(operand(0), &in.d))) return need(at + 2), true;
  if (arrives && !no_state) {
    if (operand(0).kind == Operand::Kind::sink) in.d = fresh(8);
    else if (!destination(operand(0), 8, &in.d)) return true;
    in.e = 1;
  }
  const uint8_t has_b = in.count;
  in.count = 1;
  if (!access(op, operand(at), Space::shared, in)) return true;
  in.count = has_b;
  code_.polls_block = code_.polls_block || waits;
  Instruction& out = emit(mbarrier, InstructionClass::barrier);
  in.run = out.run, in.predicate = out.predicate, in.flip = out.flip;
  if (waits) in.flow = Flow::wait;
  out = in;
  return true;
}

}  // namespace ptxsim
