// f16, bf16 and their pairs.
#include "tools/ptxsim/halves.h"
#include "tools/ptxsim/lanes.h"
#include "tools/ptxsim/numbers.h"

namespace ptxsim::PTXSIM_ISA {
namespace {

constexpr u8 kFtz = 1, kSat = 2, kRelu = 4, kNan = 8;  // of in.kind

struct F16 {
  static float value(u16 h) { return f16_value(h); }
  static u16 rounded(double v) { return to_f16_bits(v); }
  static u16 flushed(u16 h) { return (h & 0x7c00) == 0 ? u16(h & 0x8000) : h; }
  static bool nan(u16 h) { return (h & 0x7fff) > 0x7c00; }
};
struct Bf16 {
  static float value(u16 h) { return bf16_value(h); }
  static u16 rounded(double v) { return to_bf16_bits(v); }
  static u16 flushed(u16 h) { return h; }
  static bool nan(u16 h) { return (h & 0x7fff) > 0x7f80; }
};

template <class H>
u16 finished(u16 r, u8 kind) {
  if (H::nan(r)) return (kind & kSat) != 0 ? 0 : 0x7fff;
  if ((kind & kFtz) != 0) r = H::flushed(r);
  if ((kind & kSat) != 0) r = H::value(r) > 1 ? H::rounded(1) : H::value(r) <= 0 ? u16(0) : r;
  if ((kind & kRelu) != 0 && (r & 0x8000) != 0) r = 0;
  return r;
}

template <class H>
u16 lesser(u16 a, u16 b, u8 kind, bool want_max) {
  if ((kind & kNan) != 0 && (H::nan(a) || H::nan(b))) return 0x7fff;
  if (H::nan(a)) return H::nan(b) ? u16(0x7fff) : b;
  if (H::nan(b)) return a;
  const float x = H::value(a), y = H::value(b);
  if (x == y) return want_max ? a & b : a | b;
  return (x < y) != want_max ? a : b;
}

// One element of one operation: op is a template argument, so that there is one handler an operation.
enum class What { add, sub, mul, fma, neg, abs, min, max, ex2, tanh, copy };

template <class H, What W>
u16 element(u16 a, u16 b, u16 c, u8 kind) {
  if ((kind & kFtz) != 0) a = H::flushed(a), b = H::flushed(b), c = H::flushed(c);
  const double x = double(H::value(a)), y = double(H::value(b)), z = double(H::value(c));
  switch (W) {
    case What::add: return finished<H>(H::rounded(sum_to_odd(x, y)), kind);
    case What::sub: return finished<H>(H::rounded(sum_to_odd(x, -y)), kind);
    case What::mul: return finished<H>(H::rounded(x * y), kind);  // 22 bits: exact
    case What::fma: return finished<H>(H::rounded(sum_to_odd(x * y, z)), kind);
    case What::neg: return H::nan(a) ? u16(0x7fff) : u16(a ^ 0x8000);
    case What::abs: return H::nan(a) ? u16(0x7fff) : u16(a & 0x7fff);
    case What::min: return finished<H>(lesser<H>(a, b, kind, false), kind);
    case What::max: return finished<H>(lesser<H>(a, b, kind, true), kind);
    case What::ex2: return finished<H>(H::rounded(double(ex2(H::value(a)))), kind);
    case What::tanh: return finished<H>(H::rounded(double(tanh_approx(H::value(a)))), kind);
    case What::copy: return a;
  }
  return 0;
}

template <class H, What W>
bool operation(Op& op, Form& form, Type t, bool pair, int sources) {
  op.has("rn");
  form.kind = u8((op.has("ftz") ? kFtz : 0) | (op.has("sat") ? kSat : 0) | (op.has("relu") ? kRelu : 0) | (op.has("NaN") ? kNan : 0));
  const Type b = sources >= 2 ? t : Type::none, c = sources >= 3 ? t : Type::none;
  if (!pair) {
    return give(form,
                with_instruction<u16, u16, u16, u16>([](const Instruction& in, u16 x, u16 y, u16 z) { return element<H, W>(x, y, z, in.kind); }), t,
                t, b, c);
  }
  return give(form, with_instruction<u32, u32, u32, u32>([](const Instruction& in, u32 x, u32 y, u32 z) {
                return u32(element<H, W>(u16(x), u16(y), u16(z), in.kind)) | u32(element<H, W>(u16(x >> 16), u16(y >> 16), u16(z >> 16), in.kind))
                                                                                 << 16;
              }),
              t, t, b, c);
}

template <class H>
bool of_type(Op& op, Form& form, Type t, bool pair) {
  if (op.is("add")) return operation<H, What::add>(op, form, t, pair, 2);
  if (op.is("sub")) return operation<H, What::sub>(op, form, t, pair, 2);
  if (op.is("mul")) return operation<H, What::mul>(op, form, t, pair, 2);
  if (op.is("fma")) {
    form.cls = InstructionClass::fma;
    return operation<H, What::fma>(op, form, t, pair, 3);
  }
  if (op.is("neg")) return operation<H, What::neg>(op, form, t, pair, 1);
  if (op.is("abs")) return operation<H, What::abs>(op, form, t, pair, 1);
  if (op.is("min")) return operation<H, What::min>(op, form, t, pair, 2);
  if (op.is("max")) return operation<H, What::max>(op, form, t, pair, 2);
  if (op.is("ex2") && op.has("approx")) return operation<H, What::ex2>(op, form, t, pair, 1);
  if (op.is("tanh") && op.has("approx")) return operation<H, What::tanh>(op, form, t, pair, 1);
  return false;
}

}  // namespace

bool half(Op& op, Form& form) {
  if (op.types() != 1) return false;
  form.cls = InstructionClass::float_other;
  switch (op.type()) {
    case Type::f16: return of_type<F16>(op, form, Type::f16, false);
    case Type::f16x2: return of_type<F16>(op, form, Type::f16x2, true);
    case Type::bf16: return of_type<Bf16>(op, form, Type::bf16, false);
    case Type::bf16x2: return of_type<Bf16>(op, form, Type::bf16x2, true);
    default: return false;
  }
}

}  // namespace ptxsim::PTXSIM_ISA
