// Integer arithmetic: add, sub, mul, mad with and without carry, div, rem, abs, neg, min, max, sad, dot products, packed halves.
#include "tools/ptxsim/lanes.h"

namespace ptxsim::PTXSIM_ISA {
namespace {

__extension__ using s128 = __int128;
__extension__ using u128 = unsigned __int128;

template <class T>
struct Wider;
template <>
struct Wider<u16> {
  using type = u32;
};
template <>
struct Wider<s16> {
  using type = s32;
};
template <>
struct Wider<u32> {
  using type = u64;
};
template <>
struct Wider<s32> {
  using type = s64;
};
template <>
struct Wider<u64> {
  using type = u128;
};
template <>
struct Wider<s64> {
  using type = s128;
};
template <class T>
using Wide = typename Wider<T>::type;
template <class T>
struct Plain {
  using type = T;
};
template <>
struct Plain<s16> {
  using type = u16;
};
template <>
struct Plain<s32> {
  using type = u32;
};
template <>
struct Plain<s64> {
  using type = u64;
};
template <class T>
using Unsigned = typename Plain<T>::type;

template <class T>
T high(T a, T b) {
  return T(Wide<T>(Wide<T>(a) * Wide<T>(b)) >> (8 * sizeof(T)));
}
template <class T>
T low(T a, T b) {
  return T(Unsigned<T>(uint64_t(Unsigned<T>(a)) * uint64_t(Unsigned<T>(b))));
}
// Division by zero gives all ones on the machines that were looked at; PTX leaves it open.
template <class T>
T quotient(T a, T b) {
  return b == 0 ? T(~T(0)) : b == T(-1) && T(-1) < T(0) ? T(Unsigned<T>(0) - Unsigned<T>(a)) : T(a / b);
}
template <class T>
T remainder(T a, T b) {
  return b == 0 ? a : b == T(-1) && T(-1) < T(0) ? T(0) : T(a % b);
}
s32 saturated(s64 v) { return v > 0x7fffffff ? 0x7fffffff : v < -s64(0x80000000) ? s32(0x80000000) : s32(v); }
s32 of24(u32 v, bool is_signed) { return is_signed ? s32(v << 8) >> 8 : s32(v & 0xffffff); }

// With the carry flag: kind 1: of `in`, 2: `out`, 3: both.
template <class T, class F>
Handler carrying(F) {
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    T* d = reinterpret_cast<T*>(registers_of(w) + in.d);
    const T* a = reinterpret_cast<const T*>(registers_of(w) + in.a);
    const T* b = reinterpret_cast<const T*>(registers_of(w) + in.b);
    const T* c = reinterpret_cast<const T*>(registers_of(w) + in.c);
    F f{};
    const u32 carry = predicates_of(w)[kCarry];
    u32 out = 0;
    for (u32 rest = lanes; rest != 0; rest &= rest - 1) {
      const u32 l = u32(__builtin_ctz(rest));
      bool over = false;
      d[l] = f(a[l], b[l], c[l], (in.kind & 0x80) != 0 && (carry >> l & 1) != 0, over);
      out |= u32(over) << l;
    }
    if ((in.kind & 0x40) != 0) put_predicate(w, kCarry, out, lanes);
  };
}

template <class T>
bool add_carry(T a, T b, bool carry, T* r) {
  const bool first = __builtin_add_overflow(a, b, r);
  return __builtin_add_overflow(*r, T(carry), r) || first;
}
template <class T>
bool sub_borrow(T a, T b, bool borrow, T* r) {
  const bool first = __builtin_sub_overflow(a, b, r);
  return __builtin_sub_overflow(*r, T(borrow), r) || first;
}

template <class T, class S>
bool with_carry(Op& op, Form& form, Type t) {
  const bool in = op.name.back() == 'c', out = op.has("cc");
  form.kind = u8((in ? 0x80 : 0) | (out ? 0x40 : 0));
  if (op.is("add") || op.is("addc"))
    return give(form, carrying<T>([](T a, T b, T, bool i, bool& o) {
                  T r;
                  o = add_carry(a, b, i, &r);
                  return r;
                }),
                t, t, t);
  if (op.is("sub") || op.is("subc"))
    return give(form, carrying<T>([](T a, T b, T, bool i, bool& o) {
                  T r;
                  o = sub_borrow(a, b, i, &r);
                  return r;
                }),
                t, t, t);
  if (op.has("hi"))
    return give(form, carrying<T>([](T a, T b, T c, bool i, bool& o) {
                  T r;
                  o = add_carry(T(high<S>(S(a), S(b))), c, i, &r);
                  return r;
                }),
                t, t, t, t);
  op.has("lo");
  return give(form, carrying<T>([](T a, T b, T c, bool i, bool& o) {
                T r;
                o = add_carry(low<T>(a, b), c, i, &r);
                return r;
              }),
              t, t, t, t);
}

template <class T>
bool of_type(Op& op, Form& form, Type t, Type wide) {
  if (op.is("add")) return give(form, binary<T, T, T>([](T a, T b) { return T(Unsigned<T>(a) + Unsigned<T>(b)); }), t, t, t);
  if (op.is("sub")) return give(form, binary<T, T, T>([](T a, T b) { return T(Unsigned<T>(a) - Unsigned<T>(b)); }), t, t, t);
  if (op.is("div")) return give(form, binary<T, T, T>([](T a, T b) { return quotient<T>(a, b); }), t, t, t);
  if (op.is("rem")) return give(form, binary<T, T, T>([](T a, T b) { return remainder<T>(a, b); }), t, t, t);
  if (op.is("abs")) return give(form, unary<T, T>([](T a) { return a < T(0) ? T(Unsigned<T>(0) - Unsigned<T>(a)) : a; }), t, t);
  if (op.is("neg")) return give(form, unary<T, T>([](T a) { return T(Unsigned<T>(0) - Unsigned<T>(a)); }), t, t);
  if (op.is("sad"))
    return give(form, ternary<T, T, T, T>([](T a, T b, T c) {
                  return T(Unsigned<T>(c) + (a > b ? Unsigned<T>(a) - Unsigned<T>(b) : Unsigned<T>(b) - Unsigned<T>(a)));
                }),
                t, t, t, t);
  if (op.is("min") || op.is("max")) {
    const bool relu = op.has("relu");
    if (relu && t != Type::s32) return false;
    if (relu)
      return op.is("min") ? give(form, binary<T, T, T>([](T a, T b) {
                                   const T m = a < b ? a : b;
                                   return m < T(0) ? T(0) : m;
                                 }),
                                 t, t, t)
                          : give(form, binary<T, T, T>([](T a, T b) {
                                   const T m = a > b ? a : b;
                                   return m < T(0) ? T(0) : m;
                                 }),
                                 t, t, t);
    return op.is("min") ? give(form, binary<T, T, T>([](T a, T b) { return a < b ? a : b; }), t, t, t)
                        : give(form, binary<T, T, T>([](T a, T b) { return a > b ? a : b; }), t, t, t);
  }
  if (op.is("mul")) {
    if (op.has("wide")) {
      if constexpr (sizeof(T) < 8) return give(form, binary<Wide<T>, T, T>([](T a, T b) { return Wide<T>(Wide<T>(a) * Wide<T>(b)); }), wide, t, t);
      return false;
    }
    if (op.has("hi")) return give(form, binary<T, T, T>([](T a, T b) { return high<T>(a, b); }), t, t, t);
    op.has("lo");
    return give(form, binary<T, T, T>([](T a, T b) { return low<T>(a, b); }), t, t, t);
  }
  if (op.is("mad")) {
    if (op.has("wide")) {
      if constexpr (sizeof(T) < 8) {
        using W = Wide<T>;
        return give(form, ternary<W, T, T, W>([](T a, T b, W c) { return W(uint64_t(W(a) * W(b)) + uint64_t(c)); }), wide, t, t, wide);
      }
      return false;
    }
    if (op.has("hi")) {
      if (op.has("sat")) {
        if constexpr (sizeof(T) == 4 && T(-1) < T(0))
          return give(form, ternary<T, T, T, T>([](T a, T b, T c) { return saturated(s64(high<T>(a, b)) + c); }), t, t, t, t);
        return false;
      }
      return give(form, ternary<T, T, T, T>([](T a, T b, T c) { return T(Unsigned<T>(high<T>(a, b)) + Unsigned<T>(c)); }), t, t, t, t);
    }
    op.has("lo");
    return give(form, ternary<T, T, T, T>([](T a, T b, T c) { return T(Unsigned<T>(low<T>(a, b)) + Unsigned<T>(c)); }), t, t, t, t);
  }
  return false;
}

// Two 16-bit lanes in a register.
template <class H, class F>
u32 halves(u32 a, u32 b, F f) {
  const u32 lo = u16(f(H(a & 0xffff), H(b & 0xffff))), hi = u16(f(H(a >> 16), H(b >> 16)));
  return lo | hi << 16;
}

bool packed(Op& op, Form& form, Type t) {
  const bool is_signed = t == Type::s16x2, relu = op.has("relu");
  if (op.is("add"))
    return give(form, binary<u32, u32, u32>([](u32 a, u32 b) { return halves<u16>(a, b, [](u16 x, u16 y) { return x + y; }); }), t, t, t);
  if (op.is("min")) {
    if (!is_signed)
      return give(form, binary<u32, u32, u32>([](u32 a, u32 b) { return halves<u16>(a, b, [](u16 x, u16 y) { return x < y ? x : y; }); }), t, t, t);
    if (relu)
      return give(form, binary<u32, u32, u32>([](u32 a, u32 b) {
                    return halves<s16>(a, b, [](s16 x, s16 y) {
                      const s16 m = x < y ? x : y;
                      return m < 0 ? s16(0) : m;
                    });
                  }),
                  t, t, t);
    return give(form, binary<u32, u32, u32>([](u32 a, u32 b) { return halves<s16>(a, b, [](s16 x, s16 y) { return x < y ? x : y; }); }), t, t, t);
  }
  if (op.is("max")) {
    if (!is_signed)
      return give(form, binary<u32, u32, u32>([](u32 a, u32 b) { return halves<u16>(a, b, [](u16 x, u16 y) { return x > y ? x : y; }); }), t, t, t);
    if (relu)
      return give(form, binary<u32, u32, u32>([](u32 a, u32 b) {
                    return halves<s16>(a, b, [](s16 x, s16 y) {
                      const s16 m = x > y ? x : y;
                      return m < 0 ? s16(0) : m;
                    });
                  }),
                  t, t, t);
    return give(form, binary<u32, u32, u32>([](u32 a, u32 b) { return halves<s16>(a, b, [](s16 x, s16 y) { return x > y ? x : y; }); }), t, t, t);
  }
  return false;
}

template <bool A, bool B>  // are the bytes of a and of b signed
u32 dot4(u32 a, u32 b, u32 c) {
  for (int i = 0; i < 4; ++i) {
    const s32 x = A ? s32(int8_t(a >> (8 * i))) : s32(u8(a >> (8 * i))), y = B ? s32(int8_t(b >> (8 * i))) : s32(u8(b >> (8 * i)));
    c += u32(x * y);
  }
  return c;
}
template <bool A, bool B, bool Hi>
u32 dot2(u32 a, u32 b, u32 c) {
  for (int i = 0; i < 2; ++i) {
    const int at = 8 * (i + (Hi ? 2 : 0));
    const s64 x = A ? s64(s16(a >> (16 * i))) : s64(u16(a >> (16 * i))), y = B ? s64(int8_t(b >> at)) : s64(u8(b >> at));
    c += u32(x * y);
  }
  return c;
}

bool dots(Op& op, Form& form) {
  const Type ta = op.type(0), tb = op.type(1) == Type::none ? ta : op.type(1);
  const bool a = ta == Type::s32, b = tb == Type::s32;
  const Type t = Type::b32;
  if (op.is("dp4a")) {
    if (a && b) return give(form, ternary<u32, u32, u32, u32>([](u32 x, u32 y, u32 z) { return dot4<true, true>(x, y, z); }), t, t, t, t);
    if (a) return give(form, ternary<u32, u32, u32, u32>([](u32 x, u32 y, u32 z) { return dot4<true, false>(x, y, z); }), t, t, t, t);
    if (b) return give(form, ternary<u32, u32, u32, u32>([](u32 x, u32 y, u32 z) { return dot4<false, true>(x, y, z); }), t, t, t, t);
    return give(form, ternary<u32, u32, u32, u32>([](u32 x, u32 y, u32 z) { return dot4<false, false>(x, y, z); }), t, t, t, t);
  }
  form.kind = u8((a ? 1 : 0) | (b ? 2 : 0) | (op.has("hi") ? 4 : 0));
  op.has("lo");
  return give(form, with_instruction<u32, u32, u32, u32>([](const Instruction& in, u32 x, u32 y, u32 z) {
                switch (in.kind) {
                  case 0: return dot2<false, false, false>(x, y, z);
                  case 1: return dot2<true, false, false>(x, y, z);
                  case 2: return dot2<false, true, false>(x, y, z);
                  case 3: return dot2<true, true, false>(x, y, z);
                  case 4: return dot2<false, false, true>(x, y, z);
                  case 5: return dot2<true, false, true>(x, y, z);
                  case 6: return dot2<false, true, true>(x, y, z);
                  default: return dot2<true, true, true>(x, y, z);
                }
              }),
              t, t, t, t);
}

// vabsdiff4: differences of bytes; kind 1: of signed ones, 2: their sum is added to c.
bool byte_differences(Op& op, Form& form) {
  const Type t = Type::b32;
  if (op.types() != 3 || op.type(1) != op.type(2) || (op.type(1) != Type::u32 && op.type(1) != Type::s32)) return false;
  form.kind = u8((op.type(1) == Type::s32 ? 1 : 0) | (op.has("add") ? 2 : 0));
  return give(form, with_instruction<u32, u32, u32, u32>([](const Instruction& in, u32 a, u32 b, u32 c) {
                u32 sum = c, bytes = 0;
                for (int i = 0; i < 32; i += 8) {
                  const s32 x = (in.kind & 1) != 0 ? int8_t(a >> i) : u8(a >> i), y = (in.kind & 1) != 0 ? int8_t(b >> i) : u8(b >> i);
                  const u32 difference = u32(x < y ? y - x : x - y);
                  sum += difference;
                  bytes |= (difference & 0xff) << i;
                }
                return (in.kind & 2) != 0 ? sum : bytes;
              }),
              t, t, t, t);
}

bool times24(Op& op, Form& form, bool is_signed) {
  const bool hi = op.has("hi");
  op.has("lo");
  const Type t = Type::b32;
  form.kind = u8((is_signed ? 1 : 0) | (hi ? 2 : 0));
  const auto f = [](const Instruction& in, u32 a, u32 b, u32 c) {
    const bool s = (in.kind & 1) != 0;
    const s64 p = s64(of24(a, s)) * s64(of24(b, s));
    return u32((in.kind & 2) != 0 ? p >> 16 : p) + ((in.kind & 4) != 0 ? c : 0);
  };
  if (op.is("mad24")) {
    form.kind |= 4;
    return give(form, with_instruction<u32, u32, u32, u32>(f), t, t, t, t);
  }
  return give(form, with_instruction<u32, u32, u32, u32>(f), t, t, t);
}

}  // namespace

bool integer(Op& op, Form& form) {
  const Type t = op.type();
  form.cls = InstructionClass::integer;
  if (op.is("dp4a") || op.is("dp2a")) return dots(op, form);
  if (op.is("vabsdiff4")) return byte_differences(op, form);
  if (t == Type::u16x2 || t == Type::s16x2) return packed(op, form, t);
  if ((op.is("mul24") || op.is("mad24")) && (t == Type::u32 || t == Type::s32)) return times24(op, form, t == Type::s32);
  if (op.is("addc") || op.is("subc") || op.is("madc") || ((op.is("add") || op.is("sub") || op.is("mad")) && op.has("cc"))) {
    switch (t) {
      case Type::u32: return with_carry<u32, u32>(op, form, t);
      case Type::b32:
      case Type::s32: return with_carry<u32, s32>(op, form, t);
      case Type::u64: return with_carry<u64, u64>(op, form, t);
      case Type::b64:
      case Type::s64: return with_carry<u64, s64>(op, form, t);
      default: return false;
    }
  }
  if (t == Type::s32 && (op.is("add") || op.is("sub")) && op.has("sat")) {
    if (op.is("add")) return give(form, binary<s32, s32, s32>([](s32 a, s32 b) { return saturated(s64(a) + b); }), t, t, t);
    return give(form, binary<s32, s32, s32>([](s32 a, s32 b) { return saturated(s64(a) - b); }), t, t, t);
  }
  switch (t) {
    case Type::u16: return of_type<u16>(op, form, t, Type::u32);
    case Type::s16: return of_type<s16>(op, form, t, Type::s32);
    case Type::u32: return of_type<u32>(op, form, t, Type::u64);
    case Type::s32: return of_type<s32>(op, form, t, Type::s64);
    case Type::u64: return of_type<u64>(op, form, t, Type::none);
    case Type::s64: return of_type<s64>(op, form, t, Type::none);
    default: return false;
  }
}

}  // namespace ptxsim::PTXSIM_ISA
