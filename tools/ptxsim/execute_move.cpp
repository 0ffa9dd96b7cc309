// mov in all forms, and logic of predicates.
#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

template <class T>
void copy(Warp& w, const Instruction& in, uint32_t lanes) {
  T* d = w.lanes<T>(in.d);
  const T* a = w.lanes<T>(in.a);
  if (lanes == kAllLanes) {
    std::memmove(d, a, sizeof(T) * kLanes);
    return;
  }
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    d[l] = a[l];
  }
}

}  // namespace

void copy16(Warp& w, const Instruction& in, uint32_t lanes) { copy<uint16_t>(w, in, lanes); }
void copy32(Warp& w, const Instruction& in, uint32_t lanes) { copy<uint32_t>(w, in, lanes); }
void copy64(Warp& w, const Instruction& in, uint32_t lanes) { copy<uint64_t>(w, in, lanes); }

void move_predicate(Warp& w, const Instruction& in, uint32_t lanes) { w.set_predicate(in.d, w.predicates[in.a], lanes); }
void not_predicate(Warp& w, const Instruction& in, uint32_t lanes) { w.set_predicate(in.d, ~w.predicates[in.a], lanes); }
void logic_predicate(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t a = w.predicates[in.a], b = w.predicates[in.b];
  w.set_predicate(in.d, in.kind == 0 ? a & b : in.kind == 1 ? a | b : a ^ b, lanes);
}
void select_predicate(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t c = w.predicates[in.c];
  w.set_predicate(in.d, (w.predicates[in.a] & c) | (w.predicates[in.b] & ~c), lanes);
}

void pack(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t* list = w.launch->code->pool.data() + in.list;
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    std::byte whole[8];
    for (uint32_t i = 0; i < in.count; ++i)
      std::memcpy(whole + i * in.register_bytes, w.registers + list[i] + l * in.register_bytes, in.register_bytes);
    std::memcpy(w.registers + in.d + l * in.bytes, whole, in.bytes);
  }
}

void unpack(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t* list = w.launch->code->pool.data() + in.list;
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    std::byte whole[8];
    std::memcpy(whole, w.registers + in.a + l * in.bytes, in.bytes);
    for (uint32_t i = 0; i < in.count; ++i)
      std::memcpy(w.registers + list[i] + l * in.register_bytes, whole + i * in.register_bytes, in.register_bytes);
  }
}

// A clock of what the launch has executed: the same in every run.
void read_clock(Warp& w, const Instruction& in, uint32_t lanes) {
  const Special s = Special(in.kind);
  const uint64_t now = uint64_t(w.launch->options.max_instructions - w.launch->budget) / kLanes + 1;
  const uint64_t v = s == Special::clock_hi || s == Special::globaltimer_hi ? now >> 32 : now;
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) std::memcpy(w.registers + in.d + uint32_t(__builtin_ctz(rest)) * in.bytes, &v, in.bytes);
}

}  // namespace ptxsim
