// atom and red: lane by lane, in ascending order.
#include <algorithm>

#include "tools/ptxsim/halves.h"
#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/numbers.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

template <class T>
T as(uint64_t v) {
  T t;
  std::memcpy(&t, &v, sizeof t);
  return t;
}
template <class T>
uint64_t bits(T v) {
  uint64_t b = 0;
  std::memcpy(&b, &v, sizeof v);
  return b;
}

uint64_t added(Type type, uint64_t a, uint64_t b) {
  switch (type) {
    case Type::f32: return bits(canonical(as<float>(a) + as<float>(b)));  // GPUs flush subnormals here in shared memory's variant only
    case Type::f64: return bits(as<double>(a) + as<double>(b));
    case Type::f16: return to_f16_bits(double(f16_value(uint16_t(a))) + double(f16_value(uint16_t(b))));
    case Type::bf16: return to_bf16_bits(sum_to_odd(double(bf16_value(uint16_t(a))), double(bf16_value(uint16_t(b)))));
    case Type::f16x2:
    case Type::bf16x2: {
      const Type half = type == Type::f16x2 ? Type::f16 : Type::bf16;
      return added(half, a & 0xffff, b & 0xffff) | added(half, a >> 16 & 0xffff, b >> 16 & 0xffff) << 16;
    }
    default: return a + b;
  }
}

template <class S>
uint64_t lesser(uint64_t a, uint64_t b, bool want_max) {
  return (as<S>(a) < as<S>(b)) != want_max ? a : b;
}

uint64_t combined(Atomic kind, Type type, uint64_t a, uint64_t b, uint64_t c) {
  switch (kind) {
    case Atomic::add: return added(type, a, b);
    case Atomic::min:
    case Atomic::max: {
      const bool want_max = kind == Atomic::max;
      switch (type) {
        case Type::s32: return lesser<int32_t>(a, b, want_max);
        case Type::s64: return lesser<int64_t>(a, b, want_max);
        default: return lesser<uint64_t>(a, b, want_max);
      }
    }
    case Atomic::bit_and: return a & b;
    case Atomic::bit_or: return a | b;
    case Atomic::bit_xor: return a ^ b;
    case Atomic::exchange: return b;
    case Atomic::compare_and_swap: return a == b ? c : a;
    case Atomic::increment: return uint32_t(a) >= uint32_t(b) ? 0 : a + 1;
    case Atomic::decrement: return uint32_t(a) == 0 || uint32_t(a) > uint32_t(b) ? b : a - 1;
  }
  return a;
}

}  // namespace

void atomic(Warp& w, const Instruction& in, uint32_t lanes) {
  Access a;
  resolve(w, in, lanes, Purpose::atomic, a);
  if (Atomic(in.kind) == Atomic::compare_and_swap && !w.guesses.empty()) guessed(w, a);
  const Type type = Type(in.list);
  const auto source = [&](uint32_t offset, uint32_t lane) {
    uint64_t v = 0;
    std::memcpy(&v, w.registers + offset + lane * in.bytes, in.bytes);
    return v;
  };
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    uint64_t old = 0;
    std::memcpy(&old, a.host[l], in.bytes);
    const uint64_t now = combined(Atomic(in.kind), type, old, source(in.b, l), Atomic(in.kind) == Atomic::compare_and_swap ? source(in.c, l) : 0);
    std::memcpy(a.host[l], &now, in.bytes);
    if (in.register_bytes != 0) std::memcpy(w.registers + in.d + l * in.bytes, &old, in.bytes);
  }
}

}  // namespace ptxsim
