// cvt: between integers, f16, bf16, tf32, f32 and f64, with rounding and saturation. Source and destination registers may be wider than their types.
#include "tools/ptxsim/halves.h"
#include "tools/ptxsim/lanes.h"
#include "tools/ptxsim/numbers.h"

namespace ptxsim::PTXSIM_ISA {
namespace {

// in.imm: the rounding (0 nearest 1 zero 2 minus 3 plus infinity; +4 to an integer; 8 nearest, ties away), then flags
constexpr u64 kToInteger = 4, kAway = 8, kFtz = 16, kSat = 32, kRelu = 64;

bool is_float(Type t) { return t == Type::f16 || t == Type::bf16 || t == Type::f32 || t == Type::f64 || t == Type::tf32; }
bool is_signed(Type t) { return t == Type::s8 || t == Type::s16 || t == Type::s32 || t == Type::s64; }
u32 bits_of(Type t) {
  switch (t) {
    case Type::u8:
    case Type::s8:
    case Type::b8: return 8;
    case Type::u16:
    case Type::s16:
    case Type::b16: return 16;
    case Type::u32:
    case Type::s32:
    case Type::b32: return 32;
    default: return 64;
  }
}

u64 read(const u8* at, u32 bytes, u32 lane) {
  switch (bytes) {
    case 2: return reinterpret_cast<const u16*>(at)[lane];
    case 4: return reinterpret_cast<const u32*>(at)[lane];
    default: return reinterpret_cast<const u64*>(at)[lane];
  }
}
void write(u8* at, u32 bytes, u32 lane, u64 v) {
  switch (bytes) {
    case 2: reinterpret_cast<u16*>(at)[lane] = u16(v); break;
    case 4: reinterpret_cast<u32*>(at)[lane] = u32(v); break;
    default: reinterpret_cast<u64*>(at)[lane] = v; break;
  }
}
u64 extended(u64 v, Type t) {
  const u32 bits = bits_of(t);
  if (bits == 64) return v;
  v &= (u64(1) << bits) - 1;
  return is_signed(t) && (v >> (bits - 1) & 1) != 0 ? v | ~u64(0) << bits : v;
}

double to_integer(double v, u32 mode) {
  switch (mode) {
    case 0: {  // ties to even, whatever the processor's mode
      if (!(v > -0x1p52 && v < 0x1p52)) return v;
      const double big = v < 0 ? -0x1p52 : 0x1p52;
      return __builtin_copysign((v + big) - big, v);
    }
    case 1: return __builtin_trunc(v);
    case 2: return __builtin_floor(v);
    default: return __builtin_ceil(v);
  }
}

// Clamped to the type's range. NaN is 0 between types of 32 bits or fewer; where 64-bit types take part, the sign bit alone.
u64 float_to_integer(double v, Type from, Type to, u32 mode) {
  const u32 bits = bits_of(to);
  if (v != v) return from == Type::f64 || bits == 64 ? u64(1) << (bits - 1) : 0;
  v = to_integer(v, mode);
  if (is_signed(to)) {
    const double limit = __builtin_ldexp(1, int(bits - 1));
    if (v >= limit) return (u64(1) << (bits - 1)) - 1;
    return u64(v < -limit ? s64(~u64(0) << (bits - 1)) : s64(v));
  }
  if (v <= 0) return 0;
  return v >= __builtin_ldexp(1, int(bits)) ? (bits == 64 ? ~u64(0) : (u64(1) << bits) - 1) : u64(v);
}

u64 integer_to_integer(u64 v, Type from, Type to, bool sat) {
  v = extended(v, from);
  if (sat) {
    const u32 bits = bits_of(to);
    const bool negative = is_signed(from) && s64(v) < 0;
    if (is_signed(to)) {
      const s64 most = s64((u64(1) << (bits - 1)) - 1);
      if (!negative && v > u64(most)) v = u64(most);
      if (negative && s64(v) < -most - 1) v = u64(-most - 1);
    } else {
      const u64 most = bits == 64 ? ~u64(0) : (u64(1) << bits) - 1;
      v = negative ? 0 : v > most ? most : v;
    }
  }
  return extended(v, to);
}

u64 to_tf32(float v, u64 how) {  // 10 bits of fraction
  u32 u = std::bit_cast<u32>(v);
  if (v != v) return 0x7fffffff;
  if ((how & kAway) != 0) u += 0x1000;
  else if ((how & 3) == 0) u += 0xfff + (u >> 13 & 1);
  if ((u & 0x7f800000u) == 0x7f800000u) return u & 0xff800000u;
  return u & ~u32(0x1fff);
}

u64 float_out(double v, Type to, u64 how) {
  const u32 mode = u32(how & 3);
  if ((how & kSat) != 0) v = clamped(v);
  if ((how & kRelu) != 0 && v <= 0) v = 0;
  switch (to) {
    case Type::f64: return std::bit_cast<u64>(v);
    case Type::f16: return to_f16_bits(v, int(mode));
    case Type::bf16: return to_bf16_bits(v, int(mode));
    default: {
      float f = mode == 0 || (how & kToInteger) != 0 ? float(v) : to_f32_rounded(v, int(mode));
      if ((how & kFtz) != 0) f = flushed(f);
      if (to == Type::tf32) return to_tf32(f, how);
      return std::bit_cast<u32>(canonical(f));
    }
  }
}

u64 converted(u64 raw, Type from, Type to, u64 how) {
  if (!is_float(from)) {
    if (!is_float(to)) return integer_to_integer(raw, from, to, (how & kSat) != 0);
    const u64 v = extended(raw, from);
    const u32 mode = u32(how & 3);
    if (to == Type::f32 && (how & kSat) == 0) {
      if (mode == 0) return std::bit_cast<u32>(is_signed(from) ? float(s64(v)) : float(v));
      return std::bit_cast<u32>(is_signed(from) ? to_f32_rounded(s64(v), int(mode)) : to_f32_rounded(v, int(mode)));
    }
    if (to == Type::f64 && (how & kSat) == 0) {
      if (mode == 0) return std::bit_cast<u64>(is_signed(from) ? double(s64(v)) : double(v));
      return std::bit_cast<u64>(is_signed(from) ? to_f64_rounded(s64(v), int(mode)) : to_f64_rounded(v, int(mode)));
    }
    const double high = is_signed(from) ? double(s64(v) >> 32) * 0x1p32 : double(v >> 32) * 0x1p32;
    return float_out(sum_to_odd(high, double(v & 0xffffffffu)), to, how);
  }
  double v;
  switch (from) {
    case Type::f16: v = double(f16_value(u16(raw))); break;
    case Type::bf16: v = double(bf16_value(u16(raw))); break;
    case Type::f64: v = std::bit_cast<double>(raw); break;
    default: {
      float f = std::bit_cast<float>(u32(raw));
      if ((how & kFtz) != 0) f = flushed(f);
      v = double(f);
      break;
    }
  }
  if (!is_float(to)) return extended(float_to_integer(v, from, to, u32(how & 3)), to);
  if ((how & kToInteger) != 0) v = to_integer(v, u32(how & 3));
  return float_out(v, to, how);
}

void one_by_one(Warp& w, const Instruction& in, uint32_t lanes) {
  u8* d = registers_of(w) + in.d;
  const u8* a = registers_of(w) + in.a;
  for (; lanes != 0; lanes &= lanes - 1) {
    const u32 l = u32(__builtin_ctz(lanes));
    write(d, in.register_bytes, l, converted(read(a, in.base_bytes, l), Type(in.count), Type(in.kind), in.imm));
  }
}

// Registers of just the types' widths.
template <class D, class A, class F>
Handler quick(F) {
  return [](Warp& w, const Instruction& in, uint32_t lanes) {
    if (in.register_bytes != sizeof(D) || in.base_bytes != sizeof(A)) return one_by_one(w, in, lanes);
    D* d = reinterpret_cast<D*>(registers_of(w) + in.d);
    const A* a = reinterpret_cast<const A*>(registers_of(w) + in.a);
    F f{};
    if (lanes == kAllLanes) {
      PTXSIM_LANES
      for (u32 l = 0; l < kLanes; ++l) d[l] = f(a[l]);
    } else {
      for (; lanes != 0; lanes &= lanes - 1) {
        const u32 l = u32(__builtin_ctz(lanes));
        d[l] = f(a[l]);
      }
    }
  };
}

Handler quick_one(Type to, Type from, u64 how) {
  if (how == 0) {
    if (size_of(to) == 8 && from == Type::u32 && !is_float(to)) return quick<u64, u32>([](u32 v) { return u64(v); });
    if (size_of(to) == 8 && from == Type::s32 && !is_float(to)) return quick<s64, s32>([](s32 v) { return s64(v); });
    if ((to == Type::u32 || to == Type::s32) && size_of(from) == 8 && !is_float(from)) return quick<u32, u64>([](u64 v) { return u32(v); });
    if (to == Type::f32 && from == Type::s32) return quick<float, s32>([](s32 v) { return float(v); });
    if (to == Type::f32 && from == Type::u32) return quick<float, u32>([](u32 v) { return float(v); });
    if (to == Type::f64 && from == Type::f32) return quick<double, float>([](float v) { return double(v); });
    if (to == Type::f32 && from == Type::bf16) return quick<float, u16>([](u16 v) { return canonical(bf16_value(v)); });
    if (to == Type::f32 && from == Type::f16) return quick<float, u16>([](u16 v) { return canonical(f16_value(v)); });
  }
  return one_by_one;
}

// cvt.rn.f16x2.f32 d, a, b: a is the upper half.
bool pairs(Op& op, Form& form, u64 how) {
  const Type half = op.type(0) == Type::f16x2 ? Type::f16 : Type::bf16;
  form.imm = how | u64(half) << 32;
  return give(
      form,
      [](Warp& w, const Instruction& in, uint32_t lanes) {
        u32* d = reinterpret_cast<u32*>(registers_of(w) + in.d);
        const float* a = reinterpret_cast<const float*>(registers_of(w) + in.a);
        const float* b = reinterpret_cast<const float*>(registers_of(w) + in.b);
        const Type to = Type(in.imm >> 32);
        const u64 how_in = in.imm & 0xffffffffu;
        for (; lanes != 0; lanes &= lanes - 1) {
          const u32 l = u32(__builtin_ctz(lanes));
          d[l] =
              u32(converted(std::bit_cast<u32>(a[l]), Type::f32, to, how_in)) << 16 | u32(converted(std::bit_cast<u32>(b[l]), Type::f32, to, how_in));
        }
      },
      op.type(0), Type::f32, Type::f32);
}

}  // namespace

bool convert(Op& op, Form& form) {
  if (!op.is("cvt") || op.types() != 2) return false;
  form.cls = InstructionClass::conversion;
  const Type to = op.type(0), from = op.type(1);
  u64 how = op.has("rz") ? 1 : op.has("rm") ? 2 : op.has("rp") ? 3 : 0;
  op.has("rn");
  if (op.has("rna")) how = kAway;
  if (op.has("rni")) how = kToInteger;
  if (op.has("rzi")) how = kToInteger | 1;
  if (op.has("rmi")) how = kToInteger | 2;
  if (op.has("rpi")) how = kToInteger | 3;
  how |= (op.has("ftz") ? kFtz : 0) | (op.has("sat") ? kSat : 0) | (op.has("relu") ? kRelu : 0);
  if ((to == Type::f16x2 || to == Type::bf16x2) && from == Type::f32) return pairs(op, form, how);
  const auto single = [](Type t) {
    return is_float(t) || (size_of(t) != 0 && t != Type::f16x2 && t != Type::bf16x2 && t != Type::u16x2 && t != Type::s16x2 && t != Type::b128);
  };
  if (!single(to) || !single(from)) return false;
  form.imm = how;
  form.kind = u8(to);
  return give(form, quick_one(to, from, how), to, from);
}

}  // namespace ptxsim::PTXSIM_ISA
