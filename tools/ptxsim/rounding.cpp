// One operation in a rounding mode of its own. Compiled with -frounding-math; operands are volatile, so that nothing moves across the switch.
#include <cfenv>
#include <cmath>

#include "tools/ptxsim/numbers.h"

namespace ptxsim {
namespace {

constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};

class Rounding {
 public:
  explicit Rounding(int mode) : saved_(std::fegetround()) { std::fesetround(kModes[mode]); }
  ~Rounding() { std::fesetround(saved_); }

 private:
  int saved_;
};

template <class R, class F, class... A>
R rounded(int mode, F f, A... a) {
  const Rounding in(mode);
  volatile R r = f(a...);
  return r;
}

}  // namespace

float add_rounded(float a, float b, int mode) {
  volatile float x = a, y = b;
  return rounded<float>(mode, [&] { return x + y; });
}
float mul_rounded(float a, float b, int mode) {
  volatile float x = a, y = b;
  return rounded<float>(mode, [&] { return x * y; });
}
float fma_rounded(float a, float b, float c, int mode) {
  volatile float x = a, y = b, z = c;
  return rounded<float>(mode, [&] { return std::fmaf(x, y, z); });
}
float div_rounded(float a, float b, int mode) {
  volatile float x = a, y = b;
  return rounded<float>(mode, [&] { return x / y; });
}
float sqrt_rounded(float a, int mode) {
  volatile float x = a;
  return rounded<float>(mode, [&] { return std::sqrt(float(x)); });
}
double add_rounded(double a, double b, int mode) {
  volatile double x = a, y = b;
  return rounded<double>(mode, [&] { return x + y; });
}
double mul_rounded(double a, double b, int mode) {
  volatile double x = a, y = b;
  return rounded<double>(mode, [&] { return x * y; });
}
double fma_rounded(double a, double b, double c, int mode) {
  volatile double x = a, y = b, z = c;
  return rounded<double>(mode, [&] { return std::fma(x, y, z); });
}
double div_rounded(double a, double b, int mode) {
  volatile double x = a, y = b;
  return rounded<double>(mode, [&] { return x / y; });
}
double sqrt_rounded(double a, int mode) {
  volatile double x = a;
  return rounded<double>(mode, [&] { return std::sqrt(double(x)); });
}
float to_f32_rounded(double v, int mode) {
  volatile double x = v;
  return rounded<float>(mode, [&] { return float(x); });
}
float to_f32_rounded(int64_t v, int mode) {
  volatile int64_t x = v;
  return rounded<float>(mode, [&] { return float(x); });
}
// By halves: the compiler's own sequence for unsigned numbers is made for rounding to nearest.
float to_f32_rounded(uint64_t v, int mode) {
  if (v >> 63 == 0) return to_f32_rounded(int64_t(v), mode);
  return 2 * to_f32_rounded(int64_t(v >> 1 | (v & 1)), mode);
}
double to_f64_rounded(int64_t v, int mode) {
  volatile int64_t x = v;
  return rounded<double>(mode, [&] { return double(x); });
}
double to_f64_rounded(uint64_t v, int mode) {
  if (v >> 63 == 0) return to_f64_rounded(int64_t(v), mode);
  return 2 * to_f64_rounded(int64_t(v >> 1 | (v & 1)), mode);
}

float ex2(float v) { return float(std::exp2(double(v))); }
float lg2(float v) { return float(std::log2(double(v))); }
float sine(float v) { return float(std::sin(double(v))); }
float cosine(float v) { return float(std::cos(double(v))); }
float tanh_approx(float v) { return float(std::tanh(double(v))); }

}  // namespace ptxsim
