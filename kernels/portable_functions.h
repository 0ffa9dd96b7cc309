// The bodies of portable_math.h: a CPU's stand in portable_math.cpp, those of a device or of one ISA in every *.cu and *.simd.cpp that calls them. Series are plain Taylor or
// atanh series, long enough for double over the reduced range. Next: portable_math.cpp.
#pragma once
#include "kernels/portable_math.h"

namespace tern::portable {
namespace {

constexpr double kInf = __builtin_inf();
constexpr double kNan = __builtin_nan("");
constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;  // high: 21 trailing zeros

TERN_HD inline uint64_t bits(double x) { return __builtin_bit_cast(uint64_t, x); }
TERN_HD inline double from_bits(uint64_t u) { return __builtin_bit_cast(double, u); }
TERN_HD inline double copysign(double x, double s) { return from_bits((bits(x) & (~uint64_t(0) >> 1)) | (bits(s) & (uint64_t(1) << 63))); }
// Below 2^32: the low bits of 2^52 + u.
TERN_HD inline double from_u32(uint64_t u) { return from_bits(u | (uint64_t(0x433) << 52)) - 0x1p52; }
// Rounded once, as the conversions of the language are; those branch on the top bit, or have no vector form.
TERN_HD inline double from_u64(uint64_t u) { return from_u32(u >> 32) * 0x1p32 + from_u32(u & 0xffffffff); }
TERN_HD inline double from_i64(uint64_t u) { return (from_u32((u >> 32) ^ 0x80000000) - 0x1p31) * 0x1p32 + from_u32(u & 0xffffffff); }
// n / 2 rounded down, n > -4096.
TERN_HD inline uint64_t half_of(uint64_t n) { return ((n + 4096) >> 1) - 2048; }
TERN_HD inline double sqrt(double x) { return __builtin_sqrt(x); }  // one instruction
// 2^n for -1023 <= n <= 1023; -1023 is zero.
TERN_HD inline double power_of_two(uint64_t n) { return from_bits((n + 1023) << 52); }

constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer, left in the low bits

// x = n ln2 + r; p = e^r - 1.
struct ExpParts {
  double p;
  uint64_t n;  // modulo 2^64; anything when x is a NaN
};
TERN_HD inline ExpParts exp_parts(double x) {
  const double t = x * 1.4426950408889634074 + kMagic, n = t - kMagic;
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double q = 1.0 / 6227020800.0;
  constexpr double kSeries[] = {1 / 479001600.0, 1 / 39916800.0, 1 / 3628800.0, 1 / 362880.0, 1 / 40320.0, 1 / 5040.0,
                                1 / 720.0,       1 / 120.0,      1 / 24.0,      1 / 6.0,      0.5};
  for (double f : kSeries) q = q * r + f;
  return {r + r * r * q, bits(t) - bits(kMagic)};
}

// k ln2 + ln(1 + f + lost): the atanh series in s = f / (2 + f).
TERN_HD inline double log_reduced(double f, double lost, double k) {
  const double s = f / (2 + f), z = s * s, half = 0.5 * f * f;
  double r = 2.0 / 23;
  constexpr double kSeries[] = {2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3};
  for (double c : kSeries) r = r * z + c;
  r = r * z;
  return k * kLn2High - ((half - (s * (half + r) + (k * kLn2Low + lost))) - f);
}
struct LogParts {
  double f, k;  // x = 2^k (1 + f)
};
TERN_HD inline LogParts log_parts(double x) {
  const uint64_t k = (bits(x) - 0x3fe6a09e667f3bcd + (uint64_t(1024) << 52)) >> 52;  // k + 1024: from the bits of sqrt(1/2)
  return {from_bits(bits(x) - ((k - 1024) << 52)) - 1, from_u32(k) - 1024};
}

// a b in two words, from products of 32 bits.
struct Product {
  uint64_t high, low;
};
TERN_HD inline Product product(uint64_t a, uint64_t b) {
  const uint64_t a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const uint64_t t = a0 * b0, u = a1 * b0 + (t >> 32), v = a0 * b1 + (u & 0xffffffff);
  return {a1 * b1 + (u >> 32) + (v >> 32), (v << 32) | (t & 0xffffffff)};
}

// |x| = quarter * pi/2 + r with |r| <= pi/4 (Payne and Hanek: the product of x and the 192 bits of 2/pi that matter).
struct Angle {
  double r;
  uint64_t quarter;
};
TERN_HD inline Angle reduce(double x) {
  // 2/pi in binary, from the bit of weight 2^-1; enough for the largest double.
  static constexpr uint64_t kTwoOverPi[] = {0,
                                            0xa2f9836e4e441529,
                                            0xfc2757d1f534ddc0,
                                            0xdb6295993c439041,
                                            0xfe5163abdebbc561,
                                            0xb7246e3a424dd2e0,
                                            0x06492eea09d1921c,
                                            0xfe1deb1cb129a73e,
                                            0xe88235f52ebb4484,
                                            0xe99c7026b45f7e41,
                                            0x3991d639835339f4,
                                            0x9c845f8bbdf9283b,
                                            0x1ff897ffde05980f,
                                            0xef2f118b5a0a6d1f,
                                            0x6d367ecf27cb09b7,
                                            0x4f463f669e5fea2d,
                                            0x7527bac7ebe5f17b,
                                            0x3d0739f78a5292ea,
                                            0x6bfb5fb11f8d5d08,
                                            0x56033046fc7b6bab};
  const uint64_t u = bits(abs(x)), mantissa = (u & ((uint64_t(1) << 52) - 1)) | (uint64_t(1) << 52);
  const uint64_t exponent = u >> 52;  // |x| = mantissa 2^(exponent - 1075)
  // Bits of 2/pi above weight 2^(2-53) of that only make multiples of four. The first table word is 64 zero bits before the point.
  const uint64_t start = (exponent - 1013) & (uint64_t(0) - uint64_t(exponent > 1013));  // not below 0, at most 1034
  const uint64_t word = start >> 6, shift = start & 63;
  auto table = [&](uint64_t i) { return kTwoOverPi[word + i]; };
  auto window = [&](uint64_t i) { return (table(i) << shift) | ((table(i + 1) >> 1) >> (63 - shift)); };
  // product = mantissa * (w0, w1, w2), kept modulo 2^192; its unit is 2^-126 quarters when start was not cut. Its highest 128 bits are used.
  const Product p1 = product(mantissa, window(1));
  const uint64_t low = p1.low + product(mantissa, window(2)).high;
  const uint64_t high = mantissa * window(0) + p1.high + uint64_t(low < p1.low);
  // high has two integer bits at 2^64/4: value = high * 2^-62 quarters (mod 4)
  const uint64_t fraction = (high << 2) | (low >> 62);
  const uint64_t quarter = ((high >> 62) + (fraction >> 63)) & 3;  // nearest quarter: a signed fraction
  // A fraction next to zero has lost up to 62 bits: the 128-bit value still has 60 good ones.
  const double f = from_i64(fraction) * 0x1p-64 + from_u64(low << 2) * 0x1p-128;
  const bool small = abs(x) <= 0.78539816339744831;
  return {select(small, abs(x), f * 1.5707963267948966192), quarter & (uint64_t(small) - 1)};
}

// The same of a float's value, whose 24 bits times 29 bits of 2/pi are a double: four such products instead of integers. Floats from 2^31, 2^63 and
// 2^95 on leave out the bits of 2/pi that only make multiples of four of them, so that four times 32 exponents share their numbers.
TERN_HD inline Angle reduce_float(double x) {
  static constexpr double kTwoOverPi[4][4] = {// 29, 29, 29 and 53 bits, by size of x
                                              {0x1.4p-1, 0x1.7cc1b72p-7, 0x1.220a94fp-39, 0x1.3abe8fp-75},
                                              {0x1.7cc1b7p-7, 0x1.c882a52p-37, 0x1.c2757d1p-68, 0x1.534ddcp-100},
                                              {0x1.391054ap-34, 0x1.f84eafap-65, 0x1.ea69bb8p-97, 0x1.b6c52b3p-129},
                                              {0x1.fc2757d1f534ep-64, 0x1.f534ddc0db629p-96, 0x1.b6c52b3278872p-129, 0x1.3c439041fe516p-160}};
  const double a = abs(x);
  const uint64_t second = uint64_t(0) - uint64_t(a >= 0x1p31), third = uint64_t(0) - uint64_t(a >= 0x1p63),
                 fourth = uint64_t(0) - uint64_t(a >= 0x1p95);
  auto part = [&](int i) {  // each step adds what tells the next from the one before
    const double* c = kTwoOverPi[i];
    return from_bits(bits(c[0]) ^ ((bits(c[0]) ^ bits(c[1])) & second) ^ ((bits(c[1]) ^ bits(c[2])) & third) ^ ((bits(c[2]) ^ bits(c[3])) & fourth));
  };
  constexpr double kTimes4 = 0x1.8p72, kWhole = 0x1.8p52;  // adding them rounds to multiples of 2^20, and to whole quarters
  const double p0 = a * part(0), p1 = a * part(1), p2 = a * part(2), p3 = a * part(3);
  const double rest = p0 - ((p0 + kTimes4) - kTimes4), turns = rest + p1 + p2 + kWhole;
  const double f = (((rest - (turns - kWhole)) + p1) + p2) + p3;  // a sum that loses nothing before it is small
  const bool small = a <= 0.78539816339744831;
  return {select(small, a, f * 1.5707963267948966192), bits(turns) & 3 & (uint64_t(small) - 1)};
}

TERN_HD inline double sin_reduced(double r) {
  const double z = r * r;
  double q = 1 / 355687428096000.0;
  constexpr double kSeries[] = {-1 / 1307674368000.0, 1 / 6227020800.0, -1 / 39916800.0, 1 / 362880.0, -1 / 5040.0, 1 / 120.0, -1 / 6.0};
  for (double c : kSeries) q = q * z + c;
  return r + r * z * q;
}
TERN_HD inline double cos_reduced(double r) {
  const double z = r * r;
  double q = 1 / 20922789888000.0;
  constexpr double kSeries[] = {-1 / 87178291200.0, 1 / 479001600.0, -1 / 3628800.0, 1 / 40320.0, -1 / 720.0, 1 / 24.0};
  for (double c : kSeries) q = q * z + c;
  return 1 - (0.5 * z - z * z * q);
}
TERN_HD inline double finite_or_nan(double x, double y) { return select(abs(x) < kInf, y, kNan); }

}  // namespace

TERN_HD double exp(double x) {
  const ExpParts e = exp_parts(clamp(x, -746, 710));
  const uint64_t half = half_of(e.n);
  const double s = power_of_two(half);
  return select(x != x, x, (s + s * e.p) * power_of_two(e.n - half));
}
TERN_HD double expm1(double x) {
  const ExpParts e = exp_parts(clamp(x, -50, 710));
  const uint64_t half = half_of(e.n);
  const double s = power_of_two(half);
  return select(x != x, x, copysign((s * e.p + (s - power_of_two(half - e.n))) * power_of_two(e.n - half), x));
}
TERN_HD double log(double x) {
  const LogParts l = log_parts(x);
  const double special = select(abs(x) < 2.2250738585072014e-308, -kInf, select(x < 0, kNan, x));
  return select((x >= 2.2250738585072014e-308) & (x < kInf), log_reduced(l.f, 0, l.k), special);
}
TERN_HD double log1p(double x) {
  const double u = 1 + x, lost = select(x < 0x1p60, x - (u - 1), 0);
  const LogParts l = log_parts(u);
  const double y = copysign(log_reduced(l.f, lost / select(u > 0, u, 1), l.k), x);
  const double special = select(u == 0, -kInf, select(x < 0, kNan, x));
  return select(abs(x) < 0x1p-54, x, select((u > 0) & (x < kInf), y, special));
}

namespace {

TERN_HD inline double sin_at(double x, const Angle& a) {
  const double s = sin_reduced(a.r), c = cos_reduced(a.r);
  const double y = select((a.quarter & 1) != 0, c, s);
  return finite_or_nan(x, from_bits(bits(y) ^ (bits(x) & (uint64_t(1) << 63)) ^ ((a.quarter & 2) << 62)));
}
TERN_HD inline double cos_at(double x, const Angle& a) {
  const double s = sin_reduced(a.r), c = cos_reduced(a.r);
  const double y = select((a.quarter & 1) != 0, s, c);
  return finite_or_nan(x, from_bits(bits(y) ^ (((a.quarter + 1) & 2) << 62)));
}

}  // namespace

TERN_HD double sin(double x) { return sin_at(x, reduce(x)); }
TERN_HD double cos(double x) { return cos_at(x, reduce(x)); }
TERN_HD double tan(double x) { return sin(x) / cos(x); }
TERN_HD double sin_of_float(double x) { return sin_at(x, reduce_float(x)); }
TERN_HD double cos_of_float(double x) { return cos_at(x, reduce_float(x)); }
TERN_HD double tan_of_float(double x) { return sin_of_float(x) / cos_of_float(x); }

TERN_HD double atan(double x) {
  const double a = abs(x);
  const bool above = a > 1;
  const double t = select(above, 1 / a, a);
  const bool middle = t > 0.41421356237309503;
  const double u = select(middle, (t - 1) / (t + 1), t), z = u * u;
  double q = 1.0 / 45;  // in two pieces: compilers unroll loops up to 16
  constexpr double kFirst[] = {-1.0 / 43, 1.0 / 41, -1.0 / 39, 1.0 / 37, -1.0 / 35, 1.0 / 33, -1.0 / 31, 1.0 / 29, -1.0 / 27, 1.0 / 25};
  constexpr double kRest[] = {-1.0 / 23, 1.0 / 21, -1.0 / 19, 1.0 / 17, -1.0 / 15, 1.0 / 13, -1.0 / 11, 1.0 / 9, -1.0 / 7, 1.0 / 5, -1.0 / 3};
  for (double c : kFirst) q = c + q * z;
  for (double c : kRest) q = c + q * z;
  const double v = u + u * z * q;
  const double w = select(middle, 0.78539816339744831 + (v + 3.06161699786838302e-17), v);
  return select(x != x, x, copysign(select(above, 1.5707963267948966 - (w - 6.12323399573676604e-17), w), x));
}
TERN_HD double asin(double x) { return atan(x / sqrt((1 - x) * (1 + x))); }
TERN_HD double acos(double x) { return 2 * atan(sqrt((1 - x) / (1 + x))); }

TERN_HD double sinh(double x) {
  const double a = abs(x), u = expm1(clamp(a, 0, 40)), e = exp(0.5 * a);
  return select(x != x, x, copysign(select(a > 40, 0.5 * e * e, 0.5 * (u + u / (u + 1))), x));
}
TERN_HD double cosh(double x) {
  const double a = abs(x), t = exp(clamp(a, 0, 40)), e = exp(0.5 * a);
  return select(x != x, x, select(a > 40, 0.5 * e * e, 0.5 * t + 0.5 / t));
}
TERN_HD double tanh(double x) {
  const double m = expm1(-2 * abs(x));
  return select(x != x, x, copysign(m / (m + 2), x));
}
TERN_HD double asinh(double x) {
  const double a = abs(x), b = clamp(a, 0, 0x1p30);
  const double small = log1p(b + b * b / (1 + sqrt(1 + b * b))), large = log(a) + 0.69314718055994531;
  return select(x != x, x, copysign(select(a > 0x1p30, large, small), x));
}
TERN_HD double acosh(double x) {
  const double t = clamp(x, 1, 0x1p30) - 1;
  const double y = select(x > 0x1p30, log(x) + 0.69314718055994531, log1p(t + sqrt(2 * t + t * t)));
  return select(x >= 1, y, kNan);
}
TERN_HD double atanh(double x) {
  const double a = abs(x);
  return select(x != x, x, copysign(0.5 * log1p(2 * a / (1 - a)), x));
}

// 2/sqrt(pi) e^(-x^2) sum of (2 x^2)^n x / (1 3 5 .. 2n+1): all terms positive.
TERN_HD double erf(double x) {
  const double a = clamp(abs(x), 0, 6), z = 2 * a * a;
  double sum = 1;
  for (int n = 140; n > 0; --n) sum = 1 + sum * z / (2 * n + 1);
  const double y = 1.1283791670955126 * exp(-a * a) * (a * sum);
  return select(x != x, x, copysign(clamp(y, 0, 1), x));
}
TERN_HD double sigmoid(double x) {
  const double e = exp(-abs(x));
  return select(x < 0, e, 1) / (1 + e);
}
TERN_HD double softplus(double x) { return select(x > 0, x, 0) + log1p(exp(-abs(x))); }

TERN_HD double round_even(double x) {
  const double a = abs(x);
  return select(a < 0x1p52, copysign((a + 0x1p52) - 0x1p52, x), x);
}
TERN_HD double floor(double x) {
  const double r = round_even(x);
  return select(r > x, r - 1, r);
}
TERN_HD double ceil(double x) {
  const double r = round_even(x);
  return select(r < x, copysign(r + 1, x), r);
}

// In pieces, between which a kernel may do as many elements as it likes: pow(x, y) = pow_of(x, y, exp(pow_log(x, y))).
TERN_HD double pow_log(double x, double y) { return y * log(abs(x)); }
TERN_HD double pow_of(double x, double y, double r) {
  const double a = abs(x);
  const bool whole = round_even(y) == y, odd = whole & (round_even(0.5 * y) != 0.5 * y);
  // Small whole exponents by squaring: exact where the result is a double, as the integers of models are.
  const bool few = whole & (abs(y) < 64);
  const uint64_t n = bits(select(few, abs(y), 0) + kMagic) - bits(kMagic);
  double product = 1, square = a;
  for (int bit = 0; bit < 6; ++bit, square = square * square) product = select((n >> bit & 1) != 0, product * square, product);
  r = select(few, select(y < 0, 1 / product, product), r);
  r = select(a == 1, 1, r);
  r = select((x < 0) & (a < kInf) & !whole, kNan, r);
  r = from_bits(bits(r) ^ (uint64_t(odd) << 63 & bits(x)));
  r = select((x != x) | (y != y), x + y, r);
  return select((y == 0) | (x == 1), 1, r);
}
TERN_HD double pow(double x, double y) { return pow_of(x, y, exp(pow_log(x, y))); }

}  // namespace tern::portable
