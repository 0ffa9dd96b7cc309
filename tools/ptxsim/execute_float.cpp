// f32 and f64. Round to nearest goes over all lanes at once; other roundings and .sat lane by lane.
// Error of the approximate instructions on the GPU (PTX ISA; here they are computed in double and rounded once, so within 0.5 ULP):
//   div.approx, div.full  2 ULP (div.approx: 0 for |b| > 2^126)     rcp.approx  1 ULP        sqrt.approx  relative 2^-23    rsqrt.approx  relative 2^-22.9
//   ex2.approx  2 + 2^-22 relative (ULP 2)                           lg2.approx  absolute 2^-22 in (0.5, 2), else relative 2^-22
//   sin, cos.approx  absolute 2^-20.9 in [-pi, pi]                   tanh.approx relative 2^-11
#include "tools/ptxsim/lanes.h"
#include "tools/ptxsim/numbers.h"

namespace ptxsim::PTXSIM_ISA {
namespace {

constexpr uint8_t kFtz = 4, kSat = 8;

float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

float smaller(float a, float b) {
  return a != a ? b : b != b ? a : a < b ? a : b < a ? b : std::bit_cast<float>(std::bit_cast<u32>(a) | std::bit_cast<u32>(b));
}
float larger(float a, float b) {
  return a != a ? b : b != b ? a : a > b ? a : b > a ? b : std::bit_cast<float>(std::bit_cast<u32>(a) & std::bit_cast<u32>(b));
}
double smaller(double a, double b) {
  return a != a ? b : b != b ? a : a < b ? a : b < a ? b : std::bit_cast<double>(std::bit_cast<u64>(a) | std::bit_cast<u64>(b));
}
double larger(double a, double b) {
  return a != a ? b : b != b ? a : a > b ? a : b > a ? b : std::bit_cast<double>(std::bit_cast<u64>(a) & std::bit_cast<u64>(b));
}

// One f32 operation of up to three sources: nearest over all lanes, else by `rounded`.
struct Add {
  float operator()(float a, float b, float) const { return a + b; }
  float rounded(float a, float b, float, int mode) const { return add_rounded(a, b, mode); }
};
struct Sub {
  float operator()(float a, float b, float) const { return a - b; }
  float rounded(float a, float b, float, int mode) const { return add_rounded(a, -b, mode); }
};
struct Mul {
  float operator()(float a, float b, float) const { return a * b; }
  float rounded(float a, float b, float, int mode) const { return mul_rounded(a, b, mode); }
};
struct Fma {
  float operator()(float a, float b, float c) const { return fused(a, b, c); }
  float rounded(float a, float b, float c, int mode) const { return fma_rounded(a, b, c, mode); }
};
struct Div {
  float operator()(float a, float b, float) const { return a / b; }
  float rounded(float a, float b, float, int mode) const { return div_rounded(a, b, mode); }
};
struct Rcp {
  float operator()(float a, float, float) const { return 1.0f / a; }
  float rounded(float a, float, float, int mode) const { return div_rounded(1.0f, a, mode); }
};
struct Sqrt {
  float operator()(float a, float, float) const { return __builtin_sqrtf(a); }
  float rounded(float a, float, float, int mode) const { return sqrt_rounded(a, mode); }
};
struct Rsqrt {
  float operator()(float a, float, float) const { return float(1.0 / __builtin_sqrt(double(a))); }
  float rounded(float a, float, float, int) const { return (*this)(a, 0, 0); }
};
struct Min {
  float operator()(float a, float b, float) const { return smaller(a, b); }
  float rounded(float a, float b, float, int) const { return smaller(a, b); }
};
struct Max {
  float operator()(float a, float b, float) const { return larger(a, b); }
  float rounded(float a, float b, float, int) const { return larger(a, b); }
};
struct MinNan {
  float operator()(float a, float b, float) const { return a != a ? a : b != b ? b : smaller(a, b); }
  float rounded(float a, float b, float, int) const { return (*this)(a, b, 0); }
};
struct MaxNan {
  float operator()(float a, float b, float) const { return a != a ? a : b != b ? b : larger(a, b); }
  float rounded(float a, float b, float, int) const { return (*this)(a, b, 0); }
};
struct Abs {
  float operator()(float a, float, float) const { return std::bit_cast<float>(std::bit_cast<u32>(a) & 0x7fffffffu); }
  float rounded(float a, float, float, int) const { return (*this)(a, 0, 0); }
};
struct Neg {
  float operator()(float a, float, float) const { return std::bit_cast<float>(std::bit_cast<u32>(a) ^ 0x80000000u); }
  float rounded(float a, float, float, int) const { return (*this)(a, 0, 0); }
};
template <float (*F)(float)>
struct Approximate {
  float operator()(float a, float, float) const { return F(a); }
  float rounded(float a, float, float, int) const { return F(a); }
};

template <class F, int kSources>
bool f32(Op& op, Form& form) {
  const Type t = Type::f32, b = kSources >= 2 ? t : Type::none, c = kSources >= 3 ? t : Type::none;
  const bool ftz = op.has("ftz"), sat = op.has("sat");
  op.has("rn");
  const int mode = op.has("rz") ? 1 : op.has("rm") ? 2 : op.has("rp") ? 3 : 0;
  if (mode == 0 && !sat && kSources == 3) {
    return ftz ? give(form, ternary<float, float, float, float>([](float x, float y, float z) {
                        return canonical(flushed(F()(flushed(x), flushed(y), flushed(z))));
                      }),
                      t, t, b, c)
               : give(form, ternary<float, float, float, float>([](float x, float y, float z) { return canonical(F()(x, y, z)); }), t, t, b, c);
  }
  if (mode == 0 && !sat && kSources == 2) {
    return ftz ? give(form, binary<float, float, float>([](float x, float y) { return canonical(flushed(F()(flushed(x), flushed(y), 0))); }), t, t, b)
               : give(form, binary<float, float, float>([](float x, float y) { return canonical(F()(x, y, 0)); }), t, t, b);
  }
  if (mode == 0 && !sat) {
    return ftz ? give(form, unary<float, float>([](float x) { return canonical(flushed(F()(flushed(x), 0, 0))); }), t, t)
               : give(form, unary<float, float>([](float x) { return canonical(F()(x, 0, 0)); }), t, t);
  }
  form.kind = uint8_t(mode | (ftz ? kFtz : 0) | (sat ? kSat : 0));
  return give(form, with_instruction<float, float, float, float>([](const Instruction& in, float x, float y, float z) {
                if ((in.kind & kFtz) != 0) x = flushed(x), y = flushed(y), z = flushed(z);
                float r = F().rounded(x, y, z, in.kind & 3);
                if ((in.kind & kFtz) != 0) r = flushed(r);
                return (in.kind & kSat) != 0 ? clamped(r) : canonical(r);
              }),
              t, t, b, c);
}

bool double_precision(Op& op, Form& form) {
  const Type t = Type::f64;
  op.has("rn");
  form.kind = uint8_t(op.has("rz") ? 1 : op.has("rm") ? 2 : op.has("rp") ? 3 : 0);
  const bool directed = form.kind != 0;
  if (op.is("add"))
    return directed ? give(form, with_instruction<double, double, double, double>([](const Instruction& in, double a, double b, double) {
                             return add_rounded(a, b, in.kind);
                           }),
                           t, t, t)
                    : give(form, binary<double, double, double>([](double a, double b) { return a + b; }), t, t, t);
  if (op.is("sub"))
    return directed ? give(form, with_instruction<double, double, double, double>([](const Instruction& in, double a, double b, double) {
                             return add_rounded(a, -b, in.kind);
                           }),
                           t, t, t)
                    : give(form, binary<double, double, double>([](double a, double b) { return a - b; }), t, t, t);
  if (op.is("mul"))
    return directed ? give(form, with_instruction<double, double, double, double>([](const Instruction& in, double a, double b, double) {
                             return mul_rounded(a, b, in.kind);
                           }),
                           t, t, t)
                    : give(form, binary<double, double, double>([](double a, double b) { return a * b; }), t, t, t);
  if (op.is("fma") || op.is("mad")) {
    form.cls = InstructionClass::fma;
    return directed ? give(form, with_instruction<double, double, double, double>([](const Instruction& in, double a, double b, double c) {
                             return fma_rounded(a, b, c, in.kind);
                           }),
                           t, t, t, t)
                    : give(form, ternary<double, double, double, double>([](double a, double b, double c) { return fused(a, b, c); }), t, t, t, t);
  }
  if (op.is("div"))
    return give(form, with_instruction<double, double, double, double>([](const Instruction& in, double a, double b, double) {
                  return div_rounded(a, b, in.kind);
                }),
                t, t, t);
  if (op.is("rcp")) {
    if (op.has("approx")) op.has("ftz");  // rcp.approx.ftz.f64: the start of the compiler's own division; here exact
    return give(form, with_instruction<double, double, double, double>([](const Instruction& in, double a, double, double) {
                  return div_rounded(1.0, a, in.kind);
                }),
                t, t);
  }
  if (op.is("sqrt"))
    return give(form, with_instruction<double, double, double, double>([](const Instruction& in, double a, double, double) {
                  return sqrt_rounded(a, in.kind);
                }),
                t, t);
  if (op.is("rsqrt")) {
    op.has_any({"approx", "ftz"});
    return give(form, unary<double, double>([](double a) { return 1.0 / __builtin_sqrt(a); }), t, t);
  }
  if (op.is("min")) return give(form, binary<double, double, double>([](double a, double b) { return smaller(a, b); }), t, t, t);
  if (op.is("max")) return give(form, binary<double, double, double>([](double a, double b) { return larger(a, b); }), t, t, t);
  if (op.is("abs"))
    return give(form, unary<double, double>([](double a) { return std::bit_cast<double>(std::bit_cast<u64>(a) & ~u64(0) >> 1); }), t, t);
  if (op.is("neg"))
    return give(form, unary<double, double>([](double a) { return std::bit_cast<double>(std::bit_cast<u64>(a) ^ u64(1) << 63); }), t, t);
  if (op.is("copysign")) {
    return give(form, binary<double, double, double>([](double a, double b) {
                  return std::bit_cast<double>((std::bit_cast<u64>(b) & ~u64(0) >> 1) | (std::bit_cast<u64>(a) & u64(1) << 63));
                }),
                t, t, t);
  }
  return false;
}

}  // namespace

bool floating(Op& op, Form& form) {
  form.cls = InstructionClass::float_other;
  if (op.type() == Type::f64 && op.types() == 1) return double_precision(op, form);
  if (op.type() != Type::f32 || op.types() != 1) return false;
  if (op.is("fma") || op.is("mad")) {
    form.cls = InstructionClass::fma;
    return f32<Fma, 3>(op, form);
  }
  if (op.is("add")) return f32<Add, 2>(op, form);
  if (op.is("sub")) return f32<Sub, 2>(op, form);
  if (op.is("mul")) return f32<Mul, 2>(op, form);
  if (op.is("div")) {
    op.has_any({"approx", "full"});
    return f32<Div, 2>(op, form);
  }
  if (op.is("rcp")) {
    op.has("approx");
    return f32<Rcp, 1>(op, form);
  }
  if (op.is("sqrt")) {
    op.has("approx");
    return f32<Sqrt, 1>(op, form);
  }
  if (op.is("min")) return op.has("NaN") ? f32<MinNan, 2>(op, form) : f32<Min, 2>(op, form);
  if (op.is("max")) return op.has("NaN") ? f32<MaxNan, 2>(op, form) : f32<Max, 2>(op, form);
  if (op.is("abs")) return f32<Abs, 1>(op, form);
  if (op.is("neg")) return f32<Neg, 1>(op, form);
  if (op.is("copysign")) {
    const Type t = Type::f32;
    return give(form, binary<u32, u32, u32>([](u32 a, u32 b) { return (b & 0x7fffffffu) | (a & 0x80000000u); }), t, t, t);
  }
  if (!op.has("approx")) return false;
  if (op.is("rsqrt")) return f32<Rsqrt, 1>(op, form);
  if (op.is("ex2")) return f32<Approximate<ex2>, 1>(op, form);
  if (op.is("lg2")) return f32<Approximate<lg2>, 1>(op, form);
  if (op.is("sin")) return f32<Approximate<sine>, 1>(op, form);
  if (op.is("cos")) return f32<Approximate<cosine>, 1>(op, form);
  if (op.is("tanh")) return f32<Approximate<tanh_approx>, 1>(op, form);
  return false;
}

}  // namespace ptxsim::PTXSIM_ISA
