// Loads, stores, atomics, fences, asynchronous copies.
#include "tools/ptxsim/decode.h"
#include "tools/ptxsim/handlers.h"

namespace ptxsim {
namespace {

bool take_space(Op& op, Space* space) {
  if (op.has("global")) return *space = Space::global, true;
  if (op.has_any({"shared", "shared::cta"})) return *space = Space::shared, true;
  if (op.has("local")) return *space = Space::local, true;
  if (op.has("const")) return *space = Space::constant, true;
  if (op.has_any({"param", "param::entry", "param::func"})) return *space = Space::param, true;
  return false;
}

// Order and scope; true: more than a plain access.
bool take_order(Op& op, bool* releases) {
  op.has_any({"cta", "cluster", "gpu", "sys"});
  *releases = op.has_any({"release", "acq_rel", "sc"});
  const bool strong = op.has_any({"volatile", "relaxed", "acquire", "mmio"});
  op.has("weak");
  return strong || *releases;
}

void take_hints(Op& op) {
  op.has_any({"ca",
              "cg",
              "cs",
              "lu",
              "cv",
              "wb",
              "wt",
              "nc",
              "L1::evict_normal",
              "L1::evict_unchanged",
              "L1::evict_first",
              "L1::evict_last",
              "L1::no_allocate",
              "L2::64B",
              "L2::128B",
              "L2::256B",
              "L2::cache_hint",
              "L2::evict_normal",
              "L2::evict_first",
              "L2::evict_last"});
}

}  // namespace

// The address operand of an access to `space`, as the instruction says; a variable in it may say more.
bool Decoder::access(Op& op, const Operand& at, Space space, Instruction& in) {
  (void)op;
  in.space = space;
  if (!address(at, in)) return false;
  in.cache = code_.caches++;
  in.touches = true;
  if (space == Space::param && in.base_bytes == 0 && in.space == Space::local) return true;  // of a call
  const bool fits = in.space == space || space == Space::generic;
  if (!fits && !(space == Space::global && in.space == Space::constant)) return refuse(*now_, "a variable of another state space");
  if (in.space == Space::generic || in.space == Space::shared)
    code_.shared_granule = std::min<uint32_t>(code_.shared_granule, std::max<uint32_t>(1, in.bytes));
  if (in.space == Space::generic || in.space == Space::global)
    code_.global_granule = std::min<uint32_t>(code_.global_granule, std::max<uint32_t>(1, in.bytes));
  return true;
}

bool Decoder::memory(Op& op) {
  const bool loads = op.is("ld") || op.is("ldu"), stores = op.is("st");
  if (op.is("membar") || op.is("fence")) {
    const uint8_t scope = op.has_any({"sys"}) ? 2 : op.has_any({"gl", "gpu", "cluster"}) ? 1 : 0;
    op.has_any({"cta", "acq_rel", "sc", "acquire", "release", "proxy", "async", "alias", "mbarrier_init", "async::global", "async::shared::cta",
                "async::shared::cluster", "sync_restrict::shared::cta", "sync_restrict::shared::cluster"});
    emit(fence, InstructionClass::barrier).kind = scope;
    code_.fences = code_.fences || scope != 0;
    return true;
  }
  if (!loads && !stores) return false;
  Space space = Space::generic;
  take_space(op, &space);
  bool releases = false;
  const bool strong = take_order(op, &releases);
  const bool read_only = op.has("nc");
  take_hints(op);
  const uint8_t count = op.has("v2") ? 2 : op.has("v4") ? 4 : op.has("v8") ? 8 : 1;
  const Type type = op.type();
  const uint32_t bytes = size_of(type);
  if (bytes == 0 || bytes > 8 || bytes * count > 32) return refuse(*now_, "an access of a type that is not supported"), true;
  if (now_->operands.size() < 2 || now_->operands.size() > 3) return need(2), true;  // a third is a cache policy
  const Operand &value = operand(loads ? 0 : 1), &at = operand(loads ? 1 : 0);
  if ((value.kind == Operand::Kind::vector) != (count > 1) || (count > 1 && value.items.size() != count))
    return refuse(*now_, "a vector of another length"), true;
  Instruction in;
  in.bytes = uint8_t(bytes);
  in.count = count;
  in.strong = strong;
  in.releases = releases;
  code_.fences = code_.fences || releases;
  in.is_signed = type == Type::s8 || type == Type::s16 || type == Type::s32;
  in.kind = uint8_t(space == Space::param ? 1 : read_only ? 2 : 0);
  uint32_t ids[8] = {}, widths[8] = {};
  for (uint8_t i = 0; i < count; ++i) {
    const Operand& item = count > 1 ? value.items[i] : value;
    if (!(loads ? destination_any(item, &ids[i], &widths[i]) : source_any(item, &ids[i], &widths[i], type))) return true;
    if (widths[i] != 0 && widths[i] < bytes) return refuse(*now_, "a register narrower than the access"), true;
    if (widths[i] == 0) widths[i] = 8;
    if (widths[i] != widths[0] && count > 1) {
      if (item.kind != Operand::Kind::sink && value.items[0].kind != Operand::Kind::sink)
        return refuse(*now_, "registers of several widths in one vector"), true;
    }
  }
  in.register_bytes = uint8_t(widths[0]);
  for (uint8_t i = 0; i < count; ++i) {  // a sink takes the width of the others
    if (count > 1 && value.items[i].kind != Operand::Kind::sink) in.register_bytes = uint8_t(widths[i]);
  }
  if (!access(op, at, space, in)) return true;
  in.list = uint32_t(code_.pool.size());
  code_.pool.insert(code_.pool.end(), ids, ids + count);
  if (strong && loads) code_.polls_block = true;
  if (strong && loads && (in.space == Space::global || in.space == Space::generic)) code_.polls = true;
  Instruction& out = emit(loads ? load : store, InstructionClass::memory);
  in.run = out.run, in.predicate = out.predicate, in.flip = out.flip;
  out = in;
  return true;
}

bool Decoder::atomics(Op& op) {
  const bool returns = op.is("atom");
  if (!returns && !op.is("red")) return false;
  Space space = Space::generic;
  take_space(op, &space);
  bool releases = false;
  take_order(op, &releases);
  take_hints(op);
  op.has("noftz");
  struct Row {
    std::string_view name;
    Atomic kind;
  };
  static constexpr Row kRows[] = {
      {"add", Atomic::add},       {"min", Atomic::min},      {"max", Atomic::max},       {"and", Atomic::bit_and},
      {"or", Atomic::bit_or},     {"xor", Atomic::bit_xor},  {"exch", Atomic::exchange}, {"cas", Atomic::compare_and_swap},
      {"inc", Atomic::increment}, {"dec", Atomic::decrement}};
  const Row* row = nullptr;
  for (const Row& r : kRows) {
    if (op.has(r.name)) row = &r;
  }
  const Type type = op.type();
  const uint32_t bytes = size_of(type);
  if (row == nullptr || bytes < 2 || bytes > 8) return refuse(*now_, "an atomic operation that is not supported"), true;
  const bool floats =
      type == Type::f32 || type == Type::f64 || type == Type::f16 || type == Type::bf16 || type == Type::f16x2 || type == Type::bf16x2;
  if (floats && row->kind != Atomic::add && row->kind != Atomic::exchange) return refuse(*now_, "an atomic operation that is not supported"), true;
  const size_t first = returns ? 1 : 0, sources = row->kind == Atomic::compare_and_swap ? 2 : 1;
  if (now_->operands.size() < first + 1 + sources || now_->operands.size() > first + 2 + sources) return need(first + 1 + sources), true;
  Instruction in;
  in.bytes = uint8_t(bytes);
  in.strong = true;
  in.releases = releases;
  code_.fences = code_.fences || releases;
  in.kind = uint8_t(row->kind);
  in.list = uint32_t(type);
  in.register_bytes = returns && operand(0).kind != Operand::Kind::sink ? 1 : 0;
  if (!source(operand(first + 1), type, &in.b) || (sources == 2 && !source(operand(first + 2), type, &in.c))) return true;
  if (returns && !destination(operand(0), bytes, &in.d)) return true;
  if (!access(op, operand(first), space, in)) return true;
  if (returns) code_.polls_block = true;
  if (returns && in.space != Space::shared) code_.polls = true;
  Instruction& out = emit(atomic, InstructionClass::memory);
  in.run = out.run, in.predicate = out.predicate, in.flip = out.flip;
  out = in;
  return true;
}

bool Decoder::async(Op& op) {
  if (!op.is("cp") || !op.has("async")) return false;
  if (op.has("bulk") || op.has("tensor")) return false;
  if (op.has("commit_group")) {
    if (need(0)) emit(commit_async, InstructionClass::memory);
    return true;
  }
  if (op.has("wait_all")) {
    if (need(0)) emit(wait_async, InstructionClass::memory).imm = ~uint64_t(0);
    return true;
  }
  if (op.has("wait_group")) {
    if (!need(1)) return true;
    if (operand(0).kind != Operand::Kind::integer) return refuse(*now_, "cp.async.wait_group takes a number"), true;
    emit(wait_async, InstructionClass::memory).imm = operand(0).bits;
    return true;
  }
  if (op.has("mbarrier")) {
    op.has("arrive");
    const bool no_inc = op.has("noinc");
    op.has_any({"shared", "shared::cta"});
    if (!need(1)) return true;
    Instruction in;
    in.bytes = 8;
    if (!access(op, operand(0), Space::shared, in)) return true;
    Instruction& out = emit(mbarrier, InstructionClass::barrier);
    in.run = out.run, in.predicate = out.predicate, in.flip = out.flip;
    in.kind = uint8_t(MBarrier::arrive_async);
    in.count = no_inc ? 0 : 1;
    out = in;
    return true;
  }
  op.has_any({"ca", "cg"});
  op.has_any({"shared", "shared::cta"});
  op.has("global");
  take_hints(op);
  const size_t n = now_->operands.size();
  if (n < 3 || n > 5) return need(3), true;
  if (operand(2).kind != Operand::Kind::integer) return refuse(*now_, "cp.async of a size that is no number"), true;
  const uint64_t bytes = operand(2).bits;
  if (bytes != 4 && bytes != 8 && bytes != 16) return refuse(*now_, "cp.async copies 4, 8 or 16 bytes"), true;
  Instruction in, from;
  in.bytes = from.bytes = uint8_t(bytes);
  in.kind = 0;
  // the third operand: bytes to read, or a predicate to ignore the source; a cache policy after it (or alone) says nothing here
  if (n >= 4 && operand(3).kind != Operand::Kind::sink) {
    const Binding b = operand(3).kind == Operand::Kind::name ? find(operand(3).name, now_->scope) : Binding();
    if (b.kind == Binding::Kind::predicate) {
      in.kind = 2;
      if (!predicate_source(operand(3), &in.c)) return true;
    } else {
      uint32_t width = 0;
      if (!source_any(operand(3), &in.c, &width, Type::b32)) return true;
      in.kind = width == 4 ? 1 : 0;
    }
  }
  if (!access(op, operand(1), Space::global, from) || !access(op, operand(0), Space::shared, in)) return true;
  if (in.base_bytes == 0 || from.base_bytes == 0) {  // a variable: its address in a register of its own
    const auto hold = [&](Instruction& i) {
      if (i.base_bytes == 0) i.a = constant(0, 8), i.base_bytes = 8;
    };
    hold(in);
    hold(from);
  }
  in.b = from.a;
  in.source_register = true;
  in.register_bytes = from.base_bytes;
  if (from.imm >> 32 != 0 && int64_t(from.imm) >> 31 != -1) {
    // the base of a module's variable does not fit beside the destination's: a constant holds it
    return refuse(*now_, "cp.async from a variable by name"), true;
  }
  in.target = uint32_t(from.imm);  // signed, 32 bits
  in.list = from.cache;
  Instruction& out = emit(copy_async, InstructionClass::memory);
  in.run = out.run, in.predicate = out.predicate, in.flip = out.flip;
  out = in;
  return true;
}

}  // namespace ptxsim
