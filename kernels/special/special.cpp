// Special: incomplete gamma and beta functions, zeta, and the table of all functions. See special.h.
#include "kernels/special/special.h"

#include <limits>

#include "kernels/special/integrals.h"

namespace tern {
namespace special {
namespace {

using portable::select;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// log gamma(x), x > 0: Stirling's series where x is moved beyond 8.
double log_gamma(double x) {
  double product = 1;
  for (int k = 0; k < 8; ++k) product *= x + k;
  const double t = x + 8, r = 1 / (t * t);
  const double series = (1.0 / 12 + r * (-1.0 / 360 + r * (1.0 / 1260 + r * (-1.0 / 1680 + r * (1.0 / 1188))))) / t;
  return (t - 0.5) * portable::log(t) - t + 0.5 * portable::log(2 * kPi) + series - portable::log(product);
}

// x^a e^-x / gamma(a): P by the series where x < a + 1, else 1 - Q by the fraction.
double lower_gamma(double a, double x, bool upper) {
  const double front = portable::exp(a * portable::log(x) - x - log_gamma(a));
  double term = 1 / a, sum = term;
  for (int k = 1; k < 1000; ++k) sum += term *= x / (a + k);
  constexpr double kTiny = 1e-300;
  double b = x + 1 - a, c = 1 / kTiny, d = 1 / b, h = d;
  for (int k = 1; k < 500; ++k) {
    const double an = -k * (k - a);
    b += 2;
    d = an * d + b;
    d = 1 / select(std::fabs(d) < kTiny, kTiny, d);
    c = b + an / c;
    c = select(std::fabs(c) < kTiny, kTiny, c);
    h *= d * c;
  }
  const bool near = x < a + 1;
  const double p = select(near, front * sum, 1 - front * h), q = select(near, 1 - front * sum, front * h);
  double y = upper ? q : p;
  y = select(x == 0, upper ? 1 : 0, y);
  y = select(x == INFINITY, upper ? 0 : 1, y);
  return select((a > 0) & (x >= 0), y, kNaN);
}

// The fraction of I_x(a, b), for x below (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away = [](double v) { return select(std::fabs(v) < kTiny, kTiny, v); };
  double c = 1, d = 1 / away(1 - (a + b) * x / (a + 1)), h = d;
  for (int m = 1; m < 300; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    for (double step : {even, odd}) {
      d = 1 / away(1 + step * d);
      c = away(1 + step / c);
      h *= d * c;
    }
  }
  return h / a;
}
double betainc(double a, double b, double x) {
  const double front = portable::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * portable::log(x) + b * portable::log1p(-x));
  const bool turned = x >= (a + 1) / (a + b + 2);
  const double part = front * beta_fraction(select(turned, b, a), select(turned, a, b), select(turned, 1 - x, x));
  double y = select(turned, 1 - part, part);
  y = select(x == 0, 0, select(x == 1, 1, y));
  return select((a > 0) & (b > 0) & (x >= 0) & (x <= 1), y, kNaN);
}

// Terms of the sum up to q + 9, then its integral and corrections by Bernoulli's numbers, B_2k / (2k)! as quotients.
double zeta(double s, double q, double) {
  constexpr double kBernoulli[] = {12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1.8924375803183791606e9, 7.47242496e10, -2.950130727918164224e12};
  double sum = 0;
  for (int k = 0; k < 10; ++k) sum += portable::pow(q + k, -s);
  const double w = q + 10, last = portable::pow(w, -s);
  sum += last * w / (s - 1) + 0.5 * last;
  double factor = s, power = last / w;
  for (int k = 0; k < 8; ++k) {
    sum += factor * power / kBernoulli[k];
    factor *= (s + 2 * k + 1) * (s + 2 * k + 2);
    power /= w * w;
  }
  sum = select((q <= 0) & (q == portable::floor(q)), INFINITY, sum);
  sum = select((q <= 0) & (s != portable::floor(s)), kNaN, sum);
  return select(s == 1, INFINITY, select(s > 1, sum, kNaN));
}

template <int Nu, bool Scaled>
double bessel_i(double x, double, double) {
  const double size = std::fabs(x), y = i_scaled(size, Nu) * (Scaled ? 1 : portable::exp(size));
  return Nu == 1 ? select(x < 0, -y, y) : y;
}
template <int Nu, bool Scaled>
double bessel_k(double x, double, double) {
  const double y = k_scaled(x, Nu) * (Scaled ? 1 : portable::exp(-x));
  return select(x == 0, INFINITY, select(x > 0, y, kNaN));
}
template <int Nu>
double bessel_j(double x, double, double) {
  const double y = j_of(std::fabs(x), Nu);
  return Nu == 1 ? select(x < 0, -y, y) : y;
}
template <int Nu>
double bessel_y(double x, double, double) {
  return select(x == 0, Nu == 1 ? kNaN : -INFINITY, select(x > 0, y_of(x, Nu), kNaN));
}
double gamma_p(double a, double x, double) { return lower_gamma(a, x, false); }
double gamma_q(double a, double x, double) { return lower_gamma(a, x, true); }

double dawson_of(double x, double, double) { return dawson(x); }
double expint_of(double x, double, double) { return select(x == 0, -INFINITY, select(x > 0, expint(x), kNaN)); }
double spence_of(double x, double, double) { return select(x >= 0, spence(x), kNaN); }
template <bool Sine>
double fresnel_of(double x, double, double) {
  const Fresnel f = fresnel(std::fabs(x));
  const double y = Sine ? f.sine : f.cosine;
  return select(x != x, x, select(x < 0, -y, y));
}

struct Function {
  std::string_view name;
  int operands;
  double (*run)(double, double, double);
};
constexpr Function kFunctions[] = {
    {"I0", 1, bessel_i<0, false>},
    {"I0e", 1, bessel_i<0, true>},
    {"I1", 1, bessel_i<1, false>},
    {"I1e", 1, bessel_i<1, true>},
    {"J0", 1, bessel_j<0>},
    {"J1", 1, bessel_j<1>},
    {"K0", 1, bessel_k<0, false>},
    {"K0e", 1, bessel_k<0, true>},
    {"K1", 1, bessel_k<1, false>},
    {"K1e", 1, bessel_k<1, true>},
    {"Y0", 1, bessel_y<0>},
    {"Y1", 1, bessel_y<1>},
    {"P", 2, gamma_p},
    {"Q", 2, gamma_q},
    {"Betainc", 3, betainc},
    {"Zeta", 2, zeta},
    {"Dawsn", 1, dawson_of},
    {"Expint", 1, expint_of},
    {"Spence", 1, spence_of},
    {"FresnelSin", 1, fresnel_of<true>},
    {"FresnelCos", 1, fresnel_of<false>},
};

const Function* function_of(const AttrReader& attrs) {
  for (const Function& f : kFunctions) {
    if (f.name == attrs.s("function")) return &f;
  }
  return nullptr;
}

void run(const SpecialArgs& a) {
  for (int64_t i = 0; i < a.n; ++i) a.out[i] = a.function(a.x[i], a.y == nullptr ? 0 : a.y[i], a.z == nullptr ? 0 : a.z[i]);
}

constexpr KernelRow kRow = row<SpecialArgs, run>("special/f64/scalar", DType::f64, Isa::scalar);

Status infer(InferContext& c) {
  const Function* f = function_of(c.attrs);
  if (f == nullptr) return invalid("there is no function '" + std::string(c.attrs.s("function")) + "'");
  for (int i = 0; i < 3; ++i) {
    if (c.has(size_t(i)) != (i < f->operands)) return invalid(std::string(f->name) + " takes " + std::to_string(f->operands) + " numbers");
    if (i < f->operands && c.dtype(size_t(i)) != DType::f64) return bad_dtype(c.dtype(size_t(i)));
  }
  return infer_same(c);
}

Status bind(BindContext& c) {
  SpecialArgs& a = c.args<SpecialArgs>();
  a.n = c.out(0).dims.count();
  for (size_t i = 1; i < 3; ++i) {
    if (c.has(i) && c.in(i).dims != c.in(0).dims) return invalid("its inputs have different shapes");
  }
  a.function = function_of(c.attrs)->run;
  c.set(a.x, c.input<const double>(0));
  c.set(a.y, c.input<const double>(1));
  c.set(a.z, c.input<const double>(2));
  c.set(a.out, c.output<double>(0));
  c.run(kRow);
  return {};
}

// The longest of them: 500 quotients and 1,000 products.
int64_t steps(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView>) {
  const int64_t n = in[0].dims.count();
  return n > INT64_MAX / 4000 ? INT64_MAX : n * 4000;
}

constexpr AttrSpec kAttrs[] = {{"function", AttrKind::s, kRequired}};

}  // namespace
}  // namespace special

constinit const OpDef kSpecial = {.name = "Special",
                                  .inputs = {1, 3},
                                  .outputs = {1, 1},
                                  .attrs = special::kAttrs,
                                  .infer = special::infer,
                                  .bind = special::bind,
                                  .kernels = rows_of<special::kRow>,
                                  .steps = special::steps,
                                  .tern_only = true};

}  // namespace tern
