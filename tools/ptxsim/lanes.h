// Arithmetic over the 32 lanes of a warp: loops that the compiler turns into vectors, compiled for several instruction sets (PTXSIM_ISA).
// Everything here has internal linkage, so that nothing compiled for one CPU is kept for all. Next: execute_integer.cpp.
#pragma once
#include <bit>
#include <cstdint>

#include "tools/ptxsim/op.h"
#include "tools/ptxsim/registers.h"

#ifdef __clang__
#define PTXSIM_LANES _Pragma("clang loop vectorize(assume_safety) interleave(enable)")
#else
#define PTXSIM_LANES _Pragma("GCC ivdep")
#endif

namespace ptxsim::PTXSIM_ISA {
namespace {

// PTX's own names of types.
using u8 = uint8_t;
using u16 = uint16_t;
using s16 = int16_t;
using u32 = uint32_t;
using s32 = int32_t;
using u64 = uint64_t;
using s64 = int64_t;

// A destination may be one of the sources: then it is the same register, lane for lane.
template <class D, class A, class F>
Handler unary(F) {
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    D* d = reinterpret_cast<D*>(registers_of(w) + in.d);
    const A* a = reinterpret_cast<const A*>(registers_of(w) + in.a);
    F f{};
    if (lanes == kAllLanes) {
      PTXSIM_LANES
      for (uint32_t l = 0; l < kLanes; ++l) d[l] = f(a[l]);
    } else {
      for (; lanes != 0; lanes &= lanes - 1) {
        const uint32_t l = uint32_t(__builtin_ctz(lanes));
        d[l] = f(a[l]);
      }
    }
  };
}

template <class D, class A, class B, class F>
Handler binary(F) {
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    D* d = reinterpret_cast<D*>(registers_of(w) + in.d);
    const A* a = reinterpret_cast<const A*>(registers_of(w) + in.a);
    const B* b = reinterpret_cast<const B*>(registers_of(w) + in.b);
    F f{};
    if (lanes == kAllLanes) {
      PTXSIM_LANES
      for (uint32_t l = 0; l < kLanes; ++l) d[l] = f(a[l], b[l]);
    } else {
      for (; lanes != 0; lanes &= lanes - 1) {
        const uint32_t l = uint32_t(__builtin_ctz(lanes));
        d[l] = f(a[l], b[l]);
      }
    }
  };
}

template <class D, class A, class B, class C, class F>
Handler ternary(F) {
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    D* d = reinterpret_cast<D*>(registers_of(w) + in.d);
    const A* a = reinterpret_cast<const A*>(registers_of(w) + in.a);
    const B* b = reinterpret_cast<const B*>(registers_of(w) + in.b);
    const C* c = reinterpret_cast<const C*>(registers_of(w) + in.c);
    F f{};
    if (lanes == kAllLanes) {
      PTXSIM_LANES
      for (uint32_t l = 0; l < kLanes; ++l) d[l] = f(a[l], b[l], c[l]);
    } else {
      for (; lanes != 0; lanes &= lanes - 1) {
        const uint32_t l = uint32_t(__builtin_ctz(lanes));
        d[l] = f(a[l], b[l], c[l]);
      }
    }
  };
}

// Three sources and the numbers of the instruction: f(in, a, b, c), for what is rare.
template <class D, class A, class B, class C, class F>
Handler with_instruction(F) {
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    D* d = reinterpret_cast<D*>(registers_of(w) + in.d);
    const A* a = reinterpret_cast<const A*>(registers_of(w) + in.a);
    const B* b = reinterpret_cast<const B*>(registers_of(w) + in.b);
    const C* c = reinterpret_cast<const C*>(registers_of(w) + in.c);
    F f{};
    for (; lanes != 0; lanes &= lanes - 1) {
      const uint32_t l = uint32_t(__builtin_ctz(lanes));
      d[l] = f(in, a[l], b[l], c[l]);
    }
  };
}

inline void put_predicate(Warp& w, uint32_t p, uint32_t value, uint32_t lanes) {
  uint32_t& now = predicates_of(w)[p];
  now = (now & ~lanes) | (value & lanes);
}

// A question of two registers, a bit a lane; in.kind: how in.c joins in (0: not).
template <class A, class F>
Handler question(F) {
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    const A* a = reinterpret_cast<const A*>(registers_of(w) + in.a);
    const A* b = reinterpret_cast<const A*>(registers_of(w) + in.b);
    F f{};
    uint32_t bits = 0;
    uint32_t bit[kLanes];
    PTXSIM_LANES
    for (uint32_t l = 0; l < kLanes; ++l) bit[l] = uint32_t(f(a[l], b[l])) << l;
    for (uint32_t l = 0; l < kLanes; ++l) bits |= bit[l];
    uint32_t p = bits, q = ~bits;
    if (in.kind != 0) {
      const uint32_t c = predicates_of(w)[in.c];
      p = in.kind == 1 ? p & c : in.kind == 2 ? p | c : p ^ c;
      q = in.kind == 1 ? q & c : in.kind == 2 ? q | c : q ^ c;
    }
    put_predicate(w, in.d, p, lanes);
    put_predicate(w, in.e, q, lanes);
  };
}

// In the order of one instruction's operands.
inline bool give(Form& form, Handler run, Type d, Type a, Type b = Type::none, Type c = Type::none) {
  form.run = run;
  form.d = d;
  form.s[0] = a, form.s[1] = b, form.s[2] = c;
  return run != nullptr;
}

}  // namespace
}  // namespace ptxsim::PTXSIM_ISA
