// Barriers and warp collectives.
#include "tools/ptxsim/decode.h"
#include "tools/ptxsim/handlers.h"

namespace ptxsim {

bool Decoder::warp(Op& op) {
  const auto collective = [&](Handler run, uint32_t mask) -> Instruction& {
    Instruction& in = emit(run, InstructionClass::warp);
    in.flow = Flow::collective;
    in.c = mask;
    return in;
  };
  uint32_t d = 0, e = 0, a = 0, b = 0, mask = 0;
  if (op.is("bar") || op.is("barrier")) {
    op.has_any({"cta", "aligned"});
    if (op.has("warp")) {
      if (!op.has("sync") || !need(1) || !source(operand(0), Type::b32, &mask)) return true;
      collective(warp_barrier, mask);
      code_.classes.back() = InstructionClass::barrier;
      return true;
    }
    if (op.has("cluster")) return refuse(*now_, "thread block clusters are not supported"), true;
    const bool arrives = op.has("arrive"), reduces = op.has("red");
    if (!arrives && !reduces && !op.has("sync")) return false;
    Instruction in;
    size_t at = 0;
    if (reduces) {
      in.kind = op.has("popc") ? 1 : op.has("and") ? 2 : op.has("or") ? 3 : 0;
      if (in.kind == 0) return refuse(*now_, "a reduction that is not supported"), true;
      at = 1;
    }
    const size_t n = now_->operands.size(), most = at + 2 + (reduces ? 1 : 0), least = at + 1 + (reduces ? 1 : 0);
    if (n < least || n > most) return need(least), true;
    if (!source(operand(at), Type::b32, &in.a)) return true;
    in.count = 0;
    if (n == most) {
      in.count = 1;
      if (!source(operand(at + 1), Type::b32, &in.b)) return true;
    } else if (arrives) {
      return refuse(*now_, "bar.arrive needs a number of threads"), true;
    }
    if (reduces) {
      if (!predicate_source(operand(n - 1), &in.c)) return true;
      if (in.kind == 1 ? !destination(operand(0), 4, &in.d) : !predicate_destination(operand(0), &in.d)) return true;
    }
    Instruction& out = emit(nullptr, InstructionClass::barrier);
    in.predicate = out.predicate, in.flip = out.flip;
    in.flow = Flow::barrier;
    in.is_signed = arrives;  // does not wait
    out = in;
    return true;
  }
  if (op.is("shfl")) {
    if (!op.has("sync")) return refuse(*now_, "shfl without .sync, which no GPU from sm_70 on has"), true;
    const Shuffle kind = op.has("up") ? Shuffle::up : op.has("down") ? Shuffle::down : op.has("bfly") ? Shuffle::bfly : Shuffle::idx;
    op.has("idx");
    uint32_t clamp = 0;
    if (!need(5) || !source(operand(1), Type::b32, &a) || !source(operand(2), Type::b32, &b) || !source(operand(3), Type::b32, &clamp) ||
        !source(operand(4), Type::b32, &mask)) {
      return true;
    }
    const bool pair = operand(0).kind == Operand::Kind::pair;
    if (!destination(pair ? operand(0).items[0] : operand(0), 4, &d) || (pair && !predicate_destination(operand(0).items[1], &e))) return true;
    const uint32_t list = uint32_t(code_.pool.size());
    code_.pool.push_back(clamp);
    Instruction& in = collective(shuffle, mask);
    in.d = d, in.e = e, in.a = a, in.b = b, in.list = list;
    in.kind = uint8_t(kind);
    return true;
  }
  if (op.is("vote")) {
    if (!op.has("sync")) return refuse(*now_, "vote without .sync, which no GPU from sm_70 on has"), true;
    const Vote kind = op.has("all") ? Vote::all : op.has("any") ? Vote::any : op.has("uni") ? Vote::uni : Vote::ballot;
    op.has("ballot");
    if (!need(3) || !predicate_source(operand(1), &a) || !source(operand(2), Type::b32, &mask)) return true;
    if (kind == Vote::ballot ? !destination(operand(0), 4, &d) : !predicate_destination(operand(0), &d)) return true;
    Instruction& in = collective(vote, mask);
    in.d = d, in.a = a;
    in.kind = uint8_t(kind);
    return true;
  }
  if (op.is("match")) {
    const bool all = op.has("all");
    op.has_any({"any", "sync"});
    const uint32_t bytes = size_of(op.type());
    if (!need(3) || !source(operand(1), op.type(), &a) || !source(operand(2), Type::b32, &mask)) return true;
    const bool pair = operand(0).kind == Operand::Kind::pair;
    if (!destination(pair ? operand(0).items[0] : operand(0), 4, &d) || (pair && !predicate_destination(operand(0).items[1], &e))) return true;
    Instruction& in = collective(match, mask);
    in.d = d, in.e = e, in.a = a;
    in.bytes = uint8_t(bytes);
    in.kind = all ? 1 : 0;
    return true;
  }
  if (op.is("redux")) {
    op.has("sync");
    const Atomic kind = op.has("add")   ? Atomic::add
                        : op.has("min") ? Atomic::min
                        : op.has("max") ? Atomic::max
                        : op.has("and") ? Atomic::bit_and
                        : op.has("or")  ? Atomic::bit_or
                                        : Atomic::bit_xor;
    op.has("xor");
    if (op.type() != Type::u32 && op.type() != Type::s32 && op.type() != Type::b32)
      return refuse(*now_, "redux of a type that is not supported"), true;
    if (!need(3) || !source(operand(1), Type::b32, &a) || !source(operand(2), Type::b32, &mask) || !destination(operand(0), 4, &d)) return true;
    Instruction& in = collective(redux, mask);
    in.d = d, in.a = a;
    in.kind = uint8_t(kind);
    in.is_signed = op.type() == Type::s32;
    return true;
  }
  if (op.is("activemask")) {
    if (!need(1) || !destination(operand(0), 4, &d)) return true;
    emit(active_mask, InstructionClass::warp).d = d;
    return true;
  }
  if (op.is("elect")) {
    op.has("sync");
    if (!need(2) || operand(0).kind != Operand::Kind::pair || !source(operand(1), Type::b32, &mask))
      return refuse(*now_, "elect.sync d|p, mask"), true;
    if (!destination(operand(0).items[0], 4, &d) || !predicate_destination(operand(0).items[1], &e)) return true;
    Instruction& in = collective(elect, mask);
    in.d = d, in.e = e;
    return true;
  }
  return false;
}

}  // namespace ptxsim
