// Fourier transforms of known lengths as matrix products. A length n = p q is p-point transforms, a turn of each number, and q-point transforms
// (Cooley and Tukey 1965), so that n numbers cost n (p + q) and the matrices are small. See operator.h. Next: refused.cpp.
#include <cmath>

#include "kernels/portable_math.h"
#include "loaders/tensorflow/ops/complex.h"

namespace tern::tensorflow {
namespace {

constexpr int64_t kLongest = 1 << 16, kLongestMatrix = 1024;

// The larger factor that is nearest to the root; n itself when n is prime or small.
int64_t split_of(int64_t n) {
  if (n <= 64) return n;
  int64_t q = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(n))));
  while (q < n && n % q != 0) ++q;
  return q;
}

// e^(sign 2 pi i r c / n) for rows r and columns c.
Complex roots(GraphBuilder& b, int64_t rows, int64_t columns, int64_t n, int sign, DType dtype) {
  std::vector<double> real, imaginary;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t column = 0; column < columns; ++column) {
      const double angle = 2 * M_PI * static_cast<double>(r * column % n) / static_cast<double>(n);
      real.push_back(portable::cos(angle));
      imaginary.push_back(sign * portable::sin(angle));
    }
  }
  auto table = [&](const std::vector<double>& values) { return b.cast(b.constant(Tensor::of<double>({rows, columns}, values)), dtype); };
  return {table(real), table(imaginary)};
}

ValueId matmul(GraphBuilder& b, ValueId x, ValueId y) { return b.emit("MatMul", {x, y}); }

// x y with matrices on either side; an imaginary part that is absent is zero.
Complex matmul(GraphBuilder& b, const Complex& x, const Complex& y) {
  if (x.imaginary == kNone) return {matmul(b, x.real, y.real), matmul(b, x.real, y.imaginary)};
  if (y.imaginary == kNone) return {matmul(b, x.real, y.real), matmul(b, x.imaginary, y.real)};
  return {b.emit("Sub", {matmul(b, x.real, y.real), matmul(b, x.imaginary, y.imaginary)}),
          b.emit("Add", {matmul(b, x.real, y.imaginary), matmul(b, x.imaginary, y.real)})};
}

template <class F>
Complex both(const Complex& x, F f) {
  return {f(x.real), x.imaginary == kNone ? kNone : f(x.imaginary)};
}

// [rows, n] along the last axis. X[k1 + p k2] = sum over j2 of w_q^(j2 k2) w_n^(j2 k1) sum over j1 of w_p^(j1 k1) x[q j1 + j2]
Complex transform(GraphBuilder& b, const Complex& x, int64_t n, int sign) {
  const int64_t q = split_of(n), p = n / q;
  const DType dtype = b.dtype(x.real);
  if (q > kLongestMatrix)
    return b.fail(unsupported("a Fourier transform of length " + std::to_string(n) + ", which has a large prime factor")), Complex();
  if (p == 1) return matmul(b, x, roots(b, n, n, n, sign, dtype));
  const Complex cut = both(x, [&](ValueId v) { return b.reshape(v, {Int(-1), Int(p), Int(q)}); });
  Complex y = matmul(b, roots(b, p, p, p, sign, dtype), cut);
  y = product(b, y, roots(b, p, q, n, sign, dtype));
  y = matmul(b, y, roots(b, q, q, q, sign, dtype));
  return both(y, [&](ValueId v) { return b.reshape(transpose(b, v, 1, 2), {Int(-1), Int(n)}); });
}

// The first n of an axis, which TensorFlow wants to have so many.
ValueId sized(GraphBuilder& b, ValueId x, int axis, int64_t n) {
  const Int size = b.size(x, axis);
  if (!b.ok() || (size.known() && size.value() == n)) return x;
  if (size.known() && size.value() < n)
    return b.fail(invalid("an axis of " + std::to_string(size.value()) + " is shorter than the transform of " + std::to_string(n)));
  return slice(b, x, axis, 0, n);
}

}  // namespace

Complex fourier(GraphBuilder& b, const Complex& x, int axis, int64_t n, int sign) {
  const int last = b.rank(x.real) - 1;
  if (!b.ok()) return {};
  if (n < 1 || n > kLongest) return b.fail(unsupported("a Fourier transform of length " + std::to_string(n) + " is not supported")), Complex();
  const Complex turned = both(x, [&](ValueId v) { return transpose(b, v, axis, last); });
  std::vector<Int> sizes = sizes_of(b, turned.real);
  if (!b.ok()) return {};
  sizes.back() = n;
  const Complex flat = both(turned, [&](ValueId v) { return b.reshape(v, {Int(-1), Int(n)}); });
  return both(transform(b, flat, n, sign), [&](ValueId v) { return transpose(b, b.reshape(v, sizes), axis, last); });
}

namespace {

ValueId scaled(GraphBuilder& b, ValueId x, double by) { return by == 1 ? x : with(b, "Mul", x, by); }

// fft_length: one number for each of the last `axes` axes.
std::vector<int64_t> lengths(Call& c, size_t i, int axes) {
  std::vector<int64_t> n = c.known_ints(i);
  if (c.b.ok() && n.size() != static_cast<size_t>(axes)) c.fail(invalid("fft_length must have " + std::to_string(axes) + " numbers"));
  const int rank = c.b.rank(c.value(0).id());
  if (c.b.ok() && rank < axes) c.fail(invalid("there are fewer than " + std::to_string(axes) + " dimensions"));
  return n;
}

// Of real numbers: the half with frequencies from 0 to n / 2.
template <int Axes>
Values rfft(Call& c) {
  GraphBuilder& b = c.b;
  const std::vector<int64_t> n = lengths(c, 1, Axes);
  if (!b.ok()) return {};
  const int rank = b.rank(c.tensor(0));
  Complex x{c.tensor(0), kNone};
  for (int k = Axes; k-- > 0;) {
    const int axis = rank - Axes + k;
    const int64_t length = n[static_cast<size_t>(k)];
    x = both(x, [&](ValueId v) { return sized(b, v, axis, length); });
    x = fourier(b, x, axis, length, -1);
    if (k == Axes - 1) x = both(x, [&](ValueId v) { return slice(b, v, axis, 0, length / 2 + 1); });
  }
  return complex_values(x);
}

// And back: what lies above n / 2 is the conjugate of what lies below.
template <int Axes>
Values irfft(Call& c) {
  GraphBuilder& b = c.b;
  const std::vector<int64_t> n = lengths(c, 1, Axes);
  if (!b.ok()) return {};
  Complex x = complex_input(c, 0);
  const int rank = b.rank(x.real), last = rank - 1;
  for (int k = 0; k + 1 < Axes; ++k) {
    const int64_t length = n[static_cast<size_t>(k)];
    x = both(x, [&](ValueId v) { return sized(b, v, rank - Axes + k, length); });
    x = both(fourier(b, x, rank - Axes + k, length, 1), [&](ValueId v) { return scaled(b, v, 1 / static_cast<double>(length)); });
  }
  const int64_t length = n.back(), half = length / 2 + 1;
  if (length < 1) return c.fail(invalid("fft_length is " + std::to_string(length)));
  x = both(x, [&](ValueId v) { return sized(b, v, last, half); });
  auto mirrored = [&](ValueId v) { return reverse(b, slice(b, v, last, 1, length - half + 1), last); };
  if (length > half) x = {concat(b, {x.real, mirrored(x.real)}, last), concat(b, {x.imaginary, b.emit("Neg", {mirrored(x.imaginary)})}, last)};
  return {scaled(b, fourier(b, x, last, length, 1).real, 1 / static_cast<double>(length))};
}

// Of complex numbers; backwards divided by how many there are.
template <int Axes, int Sign>
Values fft(Call& c) {
  GraphBuilder& b = c.b;
  Complex x = complex_input(c, 0);
  const int rank = b.rank(x.real);
  if (b.ok() && rank < Axes) return c.fail(invalid("there are fewer than " + std::to_string(Axes) + " dimensions"));
  double count = 1;
  for (int axis = rank - Axes; axis < rank && b.ok(); ++axis) {
    const int64_t n = known_size(b, x.real, axis, "a Fourier transform");
    x = fourier(b, x, axis, n, Sign);
    count *= static_cast<double>(n);
  }
  return complex_values(both(x, [&](ValueId v) { return scaled(b, v, Sign > 0 ? 1 / count : 1); }));
}

constexpr Operator kFourierRows[] = {
    {"RFFT", nullptr, rfft<1>},     {"RFFT2D", nullptr, rfft<2>},   {"IRFFT", nullptr, irfft<1>},   {"IRFFT2D", nullptr, irfft<2>},
    {"FFT", nullptr, fft<1, -1>},   {"FFT2D", nullptr, fft<2, -1>}, {"FFT3D", nullptr, fft<3, -1>}, {"IFFT", nullptr, fft<1, 1>},
    {"IFFT2D", nullptr, fft<2, 1>}, {"IFFT3D", nullptr, fft<3, 1>},
};

}  // namespace

std::span<const Operator> fourier_operators() { return kFourierRows; }

}  // namespace tern::tensorflow
