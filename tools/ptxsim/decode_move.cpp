// mov, cvta, isspacep, and everything whose operands a Form describes.
#include "runtime/base/printable.h"
#include "tools/ptxsim/decode.h"
#include "tools/ptxsim/handlers.h"

namespace ptxsim {
namespace {

bool window_of(Op& op, uint64_t* window) {
  if (op.has_any({"shared", "shared::cta", "shared::cluster"})) return *window = kSharedWindow, true;
  if (op.has("local")) return *window = kLocalWindow, true;
  if (op.has_any({"param", "param::entry"})) return *window = kParamWindow, true;
  if (op.has_any({"global", "const"})) return *window = 0, true;
  return false;
}

}  // namespace

void copy16(Warp&, const Instruction&, uint32_t);
void copy32(Warp&, const Instruction&, uint32_t);
void copy64(Warp&, const Instruction&, uint32_t);

bool Decoder::move(Op& op) {
  if (op.is("mov")) {
    if (!need(2)) return true;
    const Type type = op.type();
    const uint32_t bytes = size_of(type);
    const Operand &to = operand(0), &from = operand(1);
    if (type == Type::pred) {
      uint32_t d = 0, a = 0;
      if (!predicate_source(from, &a) || !predicate_destination(to, &d)) return true;
      Instruction& in = emit(move_predicate, InstructionClass::move);
      in.d = d, in.a = a;
      return true;
    }
    if (type == Type::none || bytes < 2 || bytes > 8) return refuse(*now_, "mov of a type that is not supported"), true;
    if (to.kind == Operand::Kind::vector || from.kind == Operand::Kind::vector) {
      const bool unpacks = to.kind == Operand::Kind::vector;
      const Operand &parts = unpacks ? to : from, &whole = unpacks ? from : to;
      if (unpacks && from.kind == Operand::Kind::vector) return refuse(*now_, "both operands are vectors"), true;
      if (parts.items.empty() || bytes % parts.items.size() != 0 || bytes / parts.items.size() < 2)
        return refuse(*now_, "parts that do not make up the whole"), true;
      const uint32_t part = bytes / uint32_t(parts.items.size());
      const Type part_type = part == 2 ? Type::b16 : part == 4 ? Type::b32 : Type::b64;
      std::vector<uint32_t> ids(parts.items.size());
      uint32_t one = 0;
      for (size_t i = 0; i < ids.size(); ++i) {
        if (!(unpacks ? destination(parts.items[i], part, &ids[i]) : source(parts.items[i], part_type, &ids[i]))) return true;
      }
      if (!(unpacks ? source(whole, type, &one) : destination(whole, bytes, &one))) return true;
      Instruction& in = emit(unpacks ? unpack : pack, InstructionClass::move);
      (unpacks ? in.a : in.d) = one;
      in.list = uint32_t(code_.pool.size());
      in.count = uint8_t(ids.size());
      in.register_bytes = uint8_t(part);
      in.bytes = uint8_t(bytes);
      code_.pool.insert(code_.pool.end(), ids.begin(), ids.end());
      return true;
    }
    uint32_t d = 0, a = 0;
    if (from.kind == Operand::Kind::name) {
      const Binding b = find(from.name, now_->scope);
      if (b.kind == Binding::Kind::special && b.special >= Special::clock) {
        if (!destination(to, bytes, &d)) return true;
        Instruction& in = emit(read_clock, InstructionClass::move);
        in.kind = uint8_t(b.special), in.d = d, in.bytes = uint8_t(bytes);
        return true;
      }
    }
    if (!source(from, type, &a) || !destination(to, bytes, &d)) return true;
    Instruction& in = emit(bytes == 2 ? copy16 : bytes == 4 ? copy32 : copy64, InstructionClass::move);
    in.d = d, in.a = a;
    return true;
  }
  if (op.is("cvta") || op.is("isspacep")) {
    const bool to_space = op.has("to"), asks = op.is("isspacep");
    uint64_t window = 0;
    const bool is_global = op.has("global"), is_const = op.has("const");
    if (!is_global && !is_const && !window_of(op, &window)) return refuse(*now_, "a state space that is not supported"), true;
    if (!need(2)) return true;
    uint32_t d = 0, a = 0;
    if (asks) {
      if (!source(operand(1), Type::b64, &a) || !predicate_destination(operand(0), &d)) return true;
    } else if (!source(operand(1), op.type(), &a) || !destination(operand(0), size_of(op.type()), &d)) {
      return true;
    }
    if (!asks && size_of(op.type()) != 8) return refuse(*now_, "a 32-bit generic address"), true;
    Instruction& in = emit(asks ? is_space : to_generic, InstructionClass::integer);
    in.d = d, in.a = a;
    in.imm = to_space ? uint64_t(0) - window : window;
    in.kind = is_const ? 1 : 0;
    return true;
  }
  // logic of predicates
  if (op.type() == Type::pred) {
    if (op.is("not")) {
      uint32_t d = 0, a = 0;
      if (!need(2) || !predicate_source(operand(1), &a) || !predicate_destination(operand(0), &d)) return true;
      Instruction& in = emit(not_predicate, InstructionClass::compare);
      in.d = d, in.a = a;
      return true;
    }
    if (op.is("and") || op.is("or") || op.is("xor")) {
      uint32_t d = 0, a = 0, b = 0;
      if (!need(3) || !predicate_source(operand(1), &a) || !predicate_source(operand(2), &b) || !predicate_destination(operand(0), &d)) return true;
      Instruction& in = emit(logic_predicate, InstructionClass::compare);
      in.d = d, in.a = a, in.b = b;
      in.kind = op.is("and") ? 0 : op.is("or") ? 1 : 2;
      return true;
    }
    if (op.is("selp")) {
      uint32_t d = 0, a = 0, b = 0, c = 0;
      if (!need(4) || !predicate_source(operand(1), &a) || !predicate_source(operand(2), &b) || !predicate_source(operand(3), &c) ||
          !predicate_destination(operand(0), &d))
        return true;
      Instruction& in = emit(select_predicate, InstructionClass::compare);
      in.d = d, in.a = a, in.b = b, in.c = c;
      return true;
    }
  }
  return false;
}

bool Decoder::arithmetic(Op& op) {
  const Executors& ex = executors();
  if (op.is("bfi")) {
    const Type t = op.type();
    uint32_t d = 0, r[4] = {};
    if (size_of(t) < 4) return false;
    if (!need(5) || !source(operand(1), t, &r[0]) || !source(operand(2), t, &r[1]) || !source(operand(3), Type::u32, &r[2]) ||
        !source(operand(4), Type::u32, &r[3]) || !destination(operand(0), size_of(t), &d)) {
      return true;
    }
    Instruction& in = emit(ex.insert_field(size_of(t) == 8), InstructionClass::integer);
    in.d = d, in.a = r[0], in.b = r[1], in.c = r[2], in.e = r[3];
    return true;
  }
  if (op.is("set") && op.type(1) != Type::f16x2 &&
      op.type(1) != Type::bf16x2) {  // a setp into a predicate of its own, and a choice between true and false
    uint8_t how = 0;
    const Type to = op.type(0), of = op.type(1);
    const Handler ask = of == Type::none ? nullptr : ex.question(op, of, &how);
    if (ask == nullptr || size_of(to) < 2 || size_of(to) > 4) return false;
    uint32_t a = 0, b = 0, c = kTrue, d = 0;
    if (!need(how != 0 ? 4 : 3) || !source(operand(1), of, &a) || !source(operand(2), of, &b) || (how != 0 && !predicate_source(operand(3), &c)))
      return true;
    const uint32_t p = code_.predicates++, q = code_.predicates++;
    writes(~p);
    Instruction& in = emit(ask, InstructionClass::compare);
    in.d = p, in.e = q, in.a = a, in.b = b, in.c = c;
    in.kind = how;
    reads_.assign(1, ~p);
    writes_.clear();
    if (!destination(operand(0), size_of(to), &d)) return true;
    Form choice;
    Op select("selp.b32"), select16("selp.b16");
    ex.compare(size_of(to) == 2 ? select16 : select, choice);
    Instruction& out = emit(choice.run, InstructionClass::compare);
    const uint64_t yes = to == Type::f32 ? 0x3f800000u : to == Type::f16 ? 0x3c00u : to == Type::bf16 ? 0x3f80u : 0xffffffffu;
    out.d = d, out.a = constant(yes, size_of(to)), out.b = constant(0, size_of(to)), out.c = p;
    return true;
  }
  Form form;
  if (!ex.integer(op, form) && !ex.bits(op, form) && !ex.floating(op, form) && !ex.half(op, form) && !ex.compare(op, form) && !ex.convert(op, form))
    return false;
  uint64_t table = 0;  // of lop3
  if (op.is("lop3")) {
    if (now_->operands.size() != 5 || operand(4).kind != Operand::Kind::integer) return refuse(*now_, "lop3 d, a, b, c, table"), true;
    table = operand(4).bits & 0xff;
  }
  uint32_t sources = 0;
  while (sources < 3 && form.s[sources] != Type::none) ++sources;
  if (now_->operands.size() != sources + 1 + (op.is("lop3") ? 1 : 0)) return need(sources + 1), true;
  uint32_t s[3] = {kTrue, kTrue, kTrue}, d = 0, e = 0;
  for (uint32_t i = 0; i < sources; ++i) {
    if (op.is("cvt")) {
      uint32_t bytes = 0;
      if (!source_any(operand(1 + i), &s[i], &bytes, form.s[i])) return true;
      const uint32_t want = size_of(form.s[i]);
      if (bytes < want || (want > 2 && bytes > want && size_of(op.type(0)) > 8)) return refuse(*now_, "a source narrower than its type"), true;
      e = bytes;
    } else if (!source(operand(1 + i), form.s[i], &s[i])) {
      return true;
    }
  }
  uint32_t d_bytes = 0;
  if (form.d == Type::pred) {
    const Operand& to = operand(0);
    if (to.kind == Operand::Kind::pair && form.pair) {
      if (!predicate_destination(to.items[0], &d) || !predicate_destination(to.items[1], &e)) return true;
    } else if (!predicate_destination(to, &d)) {
      return true;
    } else if (form.pair) {
      e = code_.predicates++;
    }
  } else if (op.is("cvt")) {
    if (!destination_any(operand(0), &d, &d_bytes)) return true;
    if (d_bytes != 0 && d_bytes < size_of(form.d)) return refuse(*now_, "a destination narrower than its type"), true;
    if (d_bytes == 0) d_bytes = 8;
  } else if (!destination(operand(0), size_of(form.d), &d)) {
    return true;
  }
  if (form.kind & 0x80) reads(~kCarry);
  if (form.kind & 0x40) writes(~kCarry);
  Instruction& in = emit(form.run, form.cls);
  in.d = d, in.e = e, in.a = s[0], in.b = s[1], in.c = s[2];
  in.kind = form.kind;
  in.imm = table | form.imm;
  if (op.is("cvt")) {
    in.register_bytes = uint8_t(d_bytes);  // of the destination
    in.base_bytes = uint8_t(e);            // of the source
    in.count = uint8_t(op.type(1));        // and kind is the destination's type
    in.e = 0;
  }
  return true;
}

}  // namespace ptxsim
