// setp, set, selp, slct, testp.
#include "tools/ptxsim/halves.h"
#include "tools/ptxsim/lanes.h"
#include "tools/ptxsim/numbers.h"

namespace ptxsim::PTXSIM_ISA {
namespace {

constexpr std::string_view kComparisons[] = {"eq", "ne",  "lt",  "le",  "gt",  "ge",  "lo",  "ls",  "hi",
                                             "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};

int comparison(Op& op) {
  for (int i = 0; i < 18; ++i) {
    if (op.has(kComparisons[i])) return i;
  }
  return -1;
}

template <class A>
Handler integer_question(int c) {
  switch (c) {
    case 0: return question<A>([](A a, A b) { return a == b; });
    case 1: return question<A>([](A a, A b) { return a != b; });
    case 2:
    case 6: return question<A>([](A a, A b) { return a < b; });
    case 3:
    case 7: return question<A>([](A a, A b) { return a <= b; });
    case 4:
    case 8: return question<A>([](A a, A b) { return a > b; });
    case 5:
    case 9: return question<A>([](A a, A b) { return a >= b; });
    default: return nullptr;
  }
}

// `V` makes a value of what the register holds.
template <class A, class V>
Handler float_question(int c) {
  switch (c) {
    case 0: return question<A>([](A a, A b) { return V()(a) == V()(b); });
    case 1: return question<A>([](A a, A b) { return V()(a) < V()(b) || V()(a) > V()(b); });
    case 2: return question<A>([](A a, A b) { return V()(a) < V()(b); });
    case 3: return question<A>([](A a, A b) { return V()(a) <= V()(b); });
    case 4: return question<A>([](A a, A b) { return V()(a) > V()(b); });
    case 5: return question<A>([](A a, A b) { return V()(a) >= V()(b); });
    case 10: return question<A>([](A a, A b) { return !(V()(a) < V()(b) || V()(a) > V()(b)); });
    case 11: return question<A>([](A a, A b) { return V()(a) != V()(b); });
    case 12: return question<A>([](A a, A b) { return !(V()(a) >= V()(b)); });
    case 13: return question<A>([](A a, A b) { return !(V()(a) > V()(b)); });
    case 14: return question<A>([](A a, A b) { return !(V()(a) <= V()(b)); });
    case 15: return question<A>([](A a, A b) { return !(V()(a) < V()(b)); });
    case 16: return question<A>([](A a, A b) { return V()(a) == V()(a) && V()(b) == V()(b); });
    case 17: return question<A>([](A a, A b) { return V()(a) != V()(a) || V()(b) != V()(b); });
    default: return nullptr;
  }
}
struct Same {
  template <class T>
  T operator()(T v) const {
    return v;
  }
};
struct Flushed {
  float operator()(float v) const { return flushed(v); }
};
struct OfF16 {
  float operator()(u16 h) const { return f16_value(h); }
};
struct OfBf16 {
  float operator()(u16 h) const { return bf16_value(h); }
};

Handler question_of(Op& op, Type t) {
  const int c = comparison(op);
  if (c < 0) return nullptr;
  const bool ftz = op.has("ftz");
  switch (t) {
    case Type::b16:
    case Type::u16: return integer_question<u16>(c);
    case Type::s16: return integer_question<int16_t>(c);
    case Type::b32:
    case Type::u32: return integer_question<u32>(c);
    case Type::s32: return integer_question<s32>(c);
    case Type::b64:
    case Type::u64: return integer_question<u64>(c);
    case Type::s64: return integer_question<int64_t>(c);
    case Type::f32: return ftz ? float_question<float, Flushed>(c) : float_question<float, Same>(c);
    case Type::f64: return float_question<double, Same>(c);
    case Type::f16: return float_question<u16, OfF16>(c);
    case Type::bf16: return float_question<u16, OfBf16>(c);
    default: return nullptr;
  }
}

// Pairs of halves: in.imm is the comparison, and 32 when they are bf16, 64 when the answer is all ones and no 1.0.
bool answer(u64 how, u16 x, u16 y) {
  const float a = (how & 32) != 0 ? bf16_value(x) : f16_value(x), b = (how & 32) != 0 ? bf16_value(y) : f16_value(y);
  const bool unordered = a != a || b != b;
  switch (how & 31) {
    case 0: return a == b;
    case 1: return !unordered && a != b;
    case 2: return a < b;
    case 3: return a <= b;
    case 4: return a > b;
    case 5: return a >= b;
    case 10: return unordered || a == b;
    case 11: return a != b;
    case 12: return unordered || a < b;
    case 13: return unordered || a <= b;
    case 14: return unordered || a > b;
    case 15: return unordered || a >= b;
    case 16: return !unordered;
    default: return unordered;
  }
}

bool pairs(Op& op, Form& form) {
  const bool asks = op.is("setp");
  const Type of = op.type(asks ? 0 : 1), to = asks ? Type::pred : op.type(0);
  const int c = comparison(op);
  if (c < 0 || (c > 5 && c < 10) || op.types() != (asks ? 1u : 2u)) return false;
  op.has("ftz");
  form.imm = u64(c) | (of == Type::bf16x2 ? 32 : 0) | (to == Type::u32 || to == Type::s32 ? 64 : 0);
  form.pair = asks;
  if (asks) {
    return give(
        form,
        [](Warp& w, const Instruction& in, uint32_t lanes) {
          const u32* a = reinterpret_cast<const u32*>(registers_of(w) + in.a);
          const u32* b = reinterpret_cast<const u32*>(registers_of(w) + in.b);
          u32 low = 0, high = 0;
          for (u32 l = 0; l < kLanes; ++l)
            low |= u32(answer(in.imm, u16(a[l]), u16(b[l]))) << l, high |= u32(answer(in.imm, u16(a[l] >> 16), u16(b[l] >> 16))) << l;
          put_predicate(w, in.d, low, lanes);
          put_predicate(w, in.e, high, lanes);
        },
        Type::pred, of, of);
  }
  if (size_of(to) != 4 || to == Type::f32) return false;
  return give(
      form,
      [](Warp& w, const Instruction& in, uint32_t lanes) {
        u32* d = reinterpret_cast<u32*>(registers_of(w) + in.d);
        const u32* a = reinterpret_cast<const u32*>(registers_of(w) + in.a);
        const u32* b = reinterpret_cast<const u32*>(registers_of(w) + in.b);
        const u32 yes = (in.imm & 64) != 0 ? 0xffff : (in.imm & 32) != 0 ? 0x3f80 : 0x3c00;
        for (; lanes != 0; lanes &= lanes - 1) {
          const u32 l = u32(__builtin_ctz(lanes));
          const u32 x = a[l], y = b[l];
          d[l] = (answer(in.imm, u16(x), u16(y)) ? yes : 0) | (answer(in.imm, u16(x >> 16), u16(y >> 16)) ? yes << 16 : 0);
        }
      },
      Type::b32, of, of);
}

u8 combination(Op& op) { return op.has("and") ? 1 : op.has("or") ? 2 : op.has("xor") ? 3 : 0; }

template <class T>
Handler select() {
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    T* d = reinterpret_cast<T*>(registers_of(w) + in.d);
    const T* a = reinterpret_cast<const T*>(registers_of(w) + in.a);
    const T* b = reinterpret_cast<const T*>(registers_of(w) + in.b);
    const u32 c = predicates_of(w)[in.c];
    if (lanes == kAllLanes) {
      PTXSIM_LANES
      for (u32 l = 0; l < kLanes; ++l) d[l] = (c >> l & 1) != 0 ? a[l] : b[l];
    } else {
      for (; lanes != 0; lanes &= lanes - 1) {
        const u32 l = u32(__builtin_ctz(lanes));
        d[l] = (c >> l & 1) != 0 ? a[l] : b[l];
      }
    }
  };
}

// testp.KIND: 1 finite, 2 infinite, 3 number, 4 notanumber, 5 normal, 6 subnormal
template <class U, int kDigits>
Handler test() {
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    const U* a = reinterpret_cast<const U*>(registers_of(w) + in.a);
    constexpr U kMagnitude = ~U(0) >> 1, kInfinity = (U(1) << (8 * sizeof(U) - 1)) - (U(1) << kDigits), kLeast = U(1) << kDigits;
    u32 bits = 0;
    for (u32 l = 0; l < kLanes; ++l) {
      const U m = a[l] & kMagnitude;
      bool yes = false;
      switch (in.kind) {
        case 1: yes = m < kInfinity; break;
        case 2: yes = m == kInfinity; break;
        case 3: yes = m <= kInfinity; break;
        case 4: yes = m > kInfinity; break;
        case 5: yes = m >= kLeast && m < kInfinity; break;
        default: yes = m != 0 && m < kLeast; break;
      }
      bits |= u32(yes) << l;
    }
    put_predicate(w, in.d, bits, lanes);
  };
}

}  // namespace

bool compare(Op& op, Form& form) {
  form.cls = InstructionClass::compare;
  const Type t = op.type(), last = op.types() == 0 ? Type::none : op.type(op.types() - 1);
  if ((op.is("set") || op.is("setp")) && (last == Type::f16x2 || last == Type::bf16x2)) return pairs(op, form);
  if (op.is("setp") && op.types() == 1) {
    form.run = question_of(op, t);
    if (form.run == nullptr) return false;
    form.kind = combination(op);
    form.pair = true;
    return give(form, form.run, Type::pred, t, t, form.kind != 0 ? Type::pred : Type::none);
  }
  if (op.is("selp") || op.is("slct")) {
    const uint32_t bytes = size_of(t);
    if (op.is("selp") && bytes >= 2 && bytes <= 8)
      return give(form, bytes == 2 ? select<u16>() : bytes == 4 ? select<u32>() : select<u64>(), t, t, t, Type::pred);
    op.has("ftz");
    if (op.is("slct") && bytes == 4 && op.type(1) == Type::s32)
      return give(form, ternary<u32, u32, u32, s32>([](u32 a, u32 b, s32 c) { return c >= 0 ? a : b; }), t, t, t, Type::s32);
    if (op.is("slct") && bytes == 4 && op.type(1) == Type::f32)
      return give(form, ternary<u32, u32, u32, float>([](u32 a, u32 b, float c) { return c >= 0 ? a : b; }), t, t, t, Type::f32);
    if (op.is("slct") && bytes == 8 && op.type(1) == Type::s32)
      return give(form, ternary<u64, u64, u64, s32>([](u64 a, u64 b, s32 c) { return c >= 0 ? a : b; }), t, t, t, Type::s32);
    if (op.is("slct") && bytes == 8 && op.type(1) == Type::f32)
      return give(form, ternary<u64, u64, u64, float>([](u64 a, u64 b, float c) { return c >= 0 ? a : b; }), t, t, t, Type::f32);
    return false;
  }
  if (op.is("testp")) {
    static constexpr std::string_view kKinds[] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};
    for (u8 i = 0; i < 6; ++i) {
      if (op.has(kKinds[i])) form.kind = u8(i + 1);
    }
    if (form.kind == 0) return false;
    if (t == Type::f32) return give(form, test<u32, 23>(), Type::pred, t);
    if (t == Type::f64) return give(form, test<u64, 52>(), Type::pred, t);
  }
  return false;
}

Handler ask(Op& op, Type t, uint8_t* how) {
  *how = combination(op);
  return question_of(op, t);
}

}  // namespace ptxsim::PTXSIM_ISA
