// Bits: logic, shifts, fields, counts, permutations.
#include "tools/ptxsim/lanes.h"

namespace ptxsim::PTXSIM_ISA {
namespace {

template <class T>
T left(T a, u32 n) {
  return n >= 8 * sizeof(T) ? T(0) : T(a << n);
}
template <class T>
T right(T a, u32 n) {
  return T(n >= 8 * sizeof(T) ? (a < T(0) ? T(-1) : T(0)) : T(a >> n));
}

// The 64 combinations of three inputs: bit i of the table says what inputs (a,b,c) = i give.
u32 lookup(u32 table, u32 a, u32 b, u32 c) {
  u32 r = 0;
  for (u32 i = 0; i < 8; ++i) {
    const u32 term = (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
    r |= (u32(0) - (table >> i & 1)) & term;
  }
  return r;
}

template <class T>
T reversed(T v) {
  T r = 0;
  for (u32 i = 0; i < 8 * sizeof(T); ++i) r = T(r << 1 | (v >> i & 1));
  return r;
}

template <class U, class S>  // of an unsigned or signed type S
S extract(S a, u32 pos, u32 len) {
  constexpr u32 kBits = 8 * sizeof(S);
  pos &= 0xff, len &= 0xff;
  const bool is_signed = S(-1) < S(0);
  const u32 top = pos + len - 1 < kBits - 1 ? pos + len - 1 : kBits - 1;
  const bool sign = is_signed && len != 0 && (U(a) >> top & 1) != 0;
  U field = pos >= kBits ? U(0) : U(a) >> pos;
  if (len < kBits) field &= (U(1) << len) - 1;
  // beyond the register, and beyond the field, stands the sign
  const u32 have = pos >= kBits ? 0 : kBits - pos < len ? kBits - pos : len;
  if (sign && have < kBits) field |= ~U(0) << have;
  return S(field);
}

template <class T>
T inserted(T a, T b, u32 pos, u32 len) {
  constexpr u32 kBits = 8 * sizeof(T);
  pos &= 0xff, len &= 0xff;
  if (pos >= kBits || len == 0) return b;
  const T mask = T((len >= kBits ? ~T(0) : (T(1) << len) - 1) << pos);
  return T((b & ~mask) | (T(a << pos) & mask));
}

template <class U, class S>
u32 highest(S a, bool shift_amount) {
  constexpr u32 kBits = 8 * sizeof(S);
  const U v = S(-1) < S(0) && a < S(0) ? U(~U(a)) : U(a);
  if (v == 0) return ~0u;
  const u32 at = sizeof(U) == 8 ? 63 - u32(__builtin_clzll(u64(v))) : 31 - u32(__builtin_clz(u32(v)));
  return shift_amount ? kBits - 1 - at : at;
}

u32 byte_of(u64 both, u32 selector) {
  const u32 b = u32(both >> (8 * (selector & 7))) & 0xff;
  return (selector & 8) != 0 ? ((b & 0x80) != 0 ? 0xff : 0) : b;
}

// kind: 0 the selectors of c, else f4e b4e rc8 ecl ecr rc16
u32 permuted(u32 kind, u32 a, u32 b, u32 c) {
  static constexpr u16 kF4e[] = {0x3210, 0x4321, 0x5432, 0x6543}, kB4e[] = {0x5670, 0x6701, 0x7012, 0x0123},
                       kRc8[] = {0x0000, 0x1111, 0x2222, 0x3333}, kEcl[] = {0x3210, 0x3211, 0x3222, 0x3333},
                       kEcr[] = {0x0000, 0x1110, 0x2210, 0x3210}, kRc16[] = {0x1010, 0x3232, 0x1010, 0x3232};
  static constexpr const u16* kModes[] = {kF4e, kB4e, kRc8, kEcl, kEcr, kRc16};
  u32 s = c & 0xffff;
  if (kind != 0) s = kModes[kind - 1][c & 3];
  const u64 both = u64(b) << 32 | a;
  u32 r = 0;
  for (u32 i = 0; i < 4; ++i) r |= byte_of(both, s >> (4 * i) & 15) << (8 * i);
  return r;
}

// The n-th set bit from `base`, upwards (n > 0) or downwards (n < 0); n = 0 asks whether base is set.
u32 nth_set(u32 mask, u32 base, s32 n) {
  base &= 31;
  if (n == 0) return (mask >> base & 1) != 0 ? base : ~0u;
  const s32 step = n > 0 ? 1 : -1;
  s32 left_over = n > 0 ? n : -n;
  for (s32 i = s32(base); i >= 0 && i < 32; i += step) {
    if ((mask >> i & 1) != 0 && --left_over == 0) return u32(i);
  }
  return ~0u;
}

template <class T>
bool logic(Op& op, Form& form, Type t) {
  if (op.is("and")) return give(form, binary<T, T, T>([](T a, T b) { return T(a & b); }), t, t, t);
  if (op.is("or")) return give(form, binary<T, T, T>([](T a, T b) { return T(a | b); }), t, t, t);
  if (op.is("xor")) return give(form, binary<T, T, T>([](T a, T b) { return T(a ^ b); }), t, t, t);
  if (op.is("not")) return give(form, unary<T, T>([](T a) { return T(~a); }), t, t);
  if (op.is("cnot")) return give(form, unary<T, T>([](T a) { return T(a == 0); }), t, t);
  if (op.is("shl")) return give(form, binary<T, T, u32>([](T a, u32 n) { return left<T>(a, n); }), t, t, Type::u32);
  return false;
}

template <class T>
bool shift_right(Form& form, Type t) {
  return give(form, binary<T, T, u32>([](T a, u32 n) { return right<T>(a, n); }), t, t, Type::u32);
}

template <class U, class S>
bool fields(Op& op, Form& form, Type t) {
  if (op.is("bfe")) return give(form, ternary<S, S, u32, u32>([](S a, u32 p, u32 n) { return extract<U, S>(a, p, n); }), t, t, Type::u32, Type::u32);
  if (op.is("bfind")) {
    if (op.has("shiftamt")) return give(form, unary<u32, S>([](S a) { return highest<U, S>(a, true); }), Type::u32, t);
    return give(form, unary<u32, S>([](S a) { return highest<U, S>(a, false); }), Type::u32, t);
  }
  return false;
}

bool counts(Op& op, Form& form, Type t) {
  const bool wide = size_of(t) == 8;
  if (op.is("popc")) {
    return wide ? give(form, unary<u32, u64>([](u64 a) { return u32(std::popcount(a)); }), Type::u32, t)
                : give(form, unary<u32, u32>([](u32 a) { return u32(std::popcount(a)); }), Type::u32, t);
  }
  if (op.is("clz")) {
    return wide ? give(form, unary<u32, u64>([](u64 a) { return u32(std::countl_zero(a)); }), Type::u32, t)
                : give(form, unary<u32, u32>([](u32 a) { return u32(std::countl_zero(a)); }), Type::u32, t);
  }
  if (op.is("brev"))
    return wide ? give(form, unary<u64, u64>([](u64 a) { return reversed(a); }), t, t)
                : give(form, unary<u32, u32>([](u32 a) { return reversed(a); }), t, t);
  return false;
}

bool shift_two(Op& op, Form& form) {
  const Type t = Type::b32;
  const bool wraps = op.has("wrap");
  op.has("clamp");
  if (op.has("l")) {
    if (wraps)
      return give(form, ternary<u32, u32, u32, u32>([](u32 a, u32 b, u32 n) { return u32(((u64(b) << 32 | a) << (n & 31)) >> 32); }), t, t, t, t);
    return give(form, ternary<u32, u32, u32, u32>([](u32 a, u32 b, u32 n) { return u32(((u64(b) << 32 | a) << (n > 32 ? 32 : n)) >> 32); }), t, t, t,
                t);
  }
  if (!op.has("r")) return false;
  if (wraps) return give(form, ternary<u32, u32, u32, u32>([](u32 a, u32 b, u32 n) { return u32((u64(b) << 32 | a) >> (n & 31)); }), t, t, t, t);
  return give(form, ternary<u32, u32, u32, u32>([](u32 a, u32 b, u32 n) { return u32((u64(b) << 32 | a) >> (n > 32 ? 32 : n)); }), t, t, t, t);
}

bool permute(Op& op, Form& form) {
  static constexpr std::string_view kNames[] = {"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"};
  for (u32 i = 0; i < 6; ++i) {
    if (op.has(kNames[i])) form.kind = u8(i + 1);
  }
  const Type t = Type::b32;
  if (form.kind == 0) return give(form, ternary<u32, u32, u32, u32>([](u32 a, u32 b, u32 c) { return permuted(0, a, b, c); }), t, t, t, t);
  return give(form, with_instruction<u32, u32, u32, u32>([](const Instruction& in, u32 a, u32 b, u32 c) { return permuted(in.kind, a, b, c); }), t, t,
              t, t);
}

}  // namespace

// lop3's table is a number of the instruction: the decoder puts it into imm.
bool bits(Op& op, Form& form) {
  const Type t = op.type();
  form.cls = InstructionClass::integer;
  if (op.is("lop3") && t == Type::b32) {
    return give(
        form,
        [](Warp& w, const Instruction& in, uint32_t lanes) {
          u32* d = reinterpret_cast<u32*>(registers_of(w) + in.d);
          const u32* a = reinterpret_cast<const u32*>(registers_of(w) + in.a);
          const u32* b = reinterpret_cast<const u32*>(registers_of(w) + in.b);
          const u32* c = reinterpret_cast<const u32*>(registers_of(w) + in.c);
          const u32 table = u32(in.imm);
          u32 r[kLanes];
          PTXSIM_LANES
          for (u32 l = 0; l < kLanes; ++l) r[l] = lookup(table, a[l], b[l], c[l]);
          for (u32 l = 0; l < kLanes; ++l) {
            if ((lanes >> l & 1) != 0) d[l] = r[l];
          }
        },
        t, t, t, t);
  }
  if (op.is("prmt") && t == Type::b32) return permute(op, form);
  if (op.is("shf") && t == Type::b32) return shift_two(op, form);
  if (op.is("shr")) {
    switch (t) {
      case Type::b16:
      case Type::u16: return shift_right<u16>(form, t);
      case Type::s16: return shift_right<int16_t>(form, t);
      case Type::b32:
      case Type::u32: return shift_right<u32>(form, t);
      case Type::s32: return shift_right<s32>(form, t);
      case Type::b64:
      case Type::u64: return shift_right<u64>(form, t);
      case Type::s64: return shift_right<s64>(form, t);
      default: return false;
    }
  }
  if (op.is("bfe") || op.is("bfind")) {
    switch (t) {
      case Type::b32:
      case Type::u32: return fields<u32, u32>(op, form, t);
      case Type::s32: return fields<u32, s32>(op, form, t);
      case Type::b64:
      case Type::u64: return fields<u64, u64>(op, form, t);
      case Type::s64: return fields<u64, s64>(op, form, t);
      default: return false;
    }
  }
  if ((op.is("popc") || op.is("clz") || op.is("brev")) && (t == Type::b32 || t == Type::b64)) return counts(op, form, t);
  if (op.is("fns") && t == Type::b32)
    return give(form, ternary<u32, u32, u32, s32>([](u32 m, u32 b, s32 n) { return nth_set(m, b, n); }), t, t, Type::b32, Type::s32);
  if (op.is("bmsk") && t == Type::b32) {
    const bool wraps = op.has("wrap");
    op.has("clamp");
    if (wraps)
      return give(form, binary<u32, u32, u32>([](u32 a, u32 n) {
                    a &= 31, n &= 31;
                    return left<u32>(~left<u32>(~0u, n), a);
                  }),
                  t, t, t);
    return give(form, binary<u32, u32, u32>([](u32 a, u32 n) { return left<u32>(~left<u32>(~0u, n), a); }), t, t, t);
  }
  if (op.is("szext") && (t == Type::u32 || t == Type::s32)) {
    const bool wraps = op.has("wrap");
    op.has("clamp");
    form.kind = u8((wraps ? 1 : 0) | (t == Type::s32 ? 2 : 0));
    return give(form, with_instruction<u32, u32, u32, u32>([](const Instruction& in, u32 a, u32 n, u32) {
                  if ((in.kind & 1) != 0) n &= 31;
                  if (n >= 32) return a;
                  if (n == 0) return u32(0);
                  return (in.kind & 2) != 0 ? u32(s32(a << (32 - n)) >> (32 - n)) : a & ((1u << n) - 1);
                }),
                t, t, Type::u32);
  }
  switch (t) {
    case Type::b16: return logic<u16>(op, form, t);
    case Type::b32: return logic<u32>(op, form, t);
    case Type::b64: return logic<u64>(op, form, t);
    default: return false;
  }
}

// bfi has four sources: the fourth is in.e.
Handler insert_field(bool wide) {
  if (wide) {
    return [](Warp& w, const Instruction& in, uint32_t lanes) {
      u64* d = reinterpret_cast<u64*>(registers_of(w) + in.d);
      for (; lanes != 0; lanes &= lanes - 1) {
        const u32 l = u32(__builtin_ctz(lanes));
        d[l] = inserted<u64>(reinterpret_cast<const u64*>(registers_of(w) + in.a)[l], reinterpret_cast<const u64*>(registers_of(w) + in.b)[l],
                             reinterpret_cast<const u32*>(registers_of(w) + in.c)[l], reinterpret_cast<const u32*>(registers_of(w) + in.e)[l]);
      }
    };
  }
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    u32* d = reinterpret_cast<u32*>(registers_of(w) + in.d);
    for (; lanes != 0; lanes &= lanes - 1) {
      const u32 l = u32(__builtin_ctz(lanes));
      d[l] = inserted<u32>(reinterpret_cast<const u32*>(registers_of(w) + in.a)[l], reinterpret_cast<const u32*>(registers_of(w) + in.b)[l],
                           reinterpret_cast<const u32*>(registers_of(w) + in.c)[l], reinterpret_cast<const u32*>(registers_of(w) + in.e)[l]);
    }
  };
}

}  // namespace ptxsim::PTXSIM_ISA
