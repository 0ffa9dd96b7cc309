// Floating-point details of PTX: canonical NaNs, flush to zero, rounding modes other than nearest. Used by several instruction sets' objects, so
// what is here is inline and has internal linkage. Next: execute_float.cpp.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

namespace ptxsim {

// rounding.cpp: compiled once, with the rounding mode changed for the one operation. mode: 0 nearest, 1 zero, 2 minus, 3 plus infinity.
float add_rounded(float a, float b, int mode);
float mul_rounded(float a, float b, int mode);
float fma_rounded(float a, float b, float c, int mode);
float div_rounded(float a, float b, int mode);
float sqrt_rounded(float a, int mode);
double add_rounded(double a, double b, int mode);
double mul_rounded(double a, double b, int mode);
double fma_rounded(double a, double b, double c, int mode);
double div_rounded(double a, double b, int mode);
double sqrt_rounded(double a, int mode);
float to_f32_rounded(double v, int mode);
float to_f32_rounded(int64_t v, int mode);
float to_f32_rounded(uint64_t v, int mode);
double to_f64_rounded(int64_t v, int mode);
double to_f64_rounded(uint64_t v, int mode);
// Approximations of the GPU's special-function unit: computed in double and rounded once.
float ex2(float);
float lg2(float);
float sine(float);
float cosine(float);
float tanh_approx(float);

namespace {

inline float canonical(float v) { return std::bit_cast<float>(v != v ? 0x7fffffffu : std::bit_cast<uint32_t>(v)); }

// .ftz: subnormal inputs and results become zero of their sign. A result is subnormal when the rounded value is: one that rounds up to the
// smallest normal number stays. (What the hardware does in that one case NVIDIA does not document.)
inline float flushed(float v) {
  const uint32_t u = std::bit_cast<uint32_t>(v);
  return std::bit_cast<float>((u & 0x7f800000u) == 0 ? u & 0x80000000u : u);
}

inline float clamped(float v) { return v != v ? 0.0f : v < 0 ? 0.0f : v > 1 ? 1.0f : v == 0 ? 0.0f : v; }  // .sat; NaN is 0
inline double clamped(double v) { return v != v ? 0.0 : v < 0 ? 0.0 : v > 1 ? 1.0 : v == 0 ? 0.0 : v; }

}  // namespace
}  // namespace ptxsim
