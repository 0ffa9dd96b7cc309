// See complex.h. Next: fourier.cpp.
#include "loaders/tensorflow/ops/complex.h"

namespace tern::tensorflow {

Complex complex_input(Call& c, size_t i) {
  const Value& v = c.value(i);
  if (v.imaginary() != kNone) return {v.id(), v.imaginary()};
  const ValueId real = c.tensor(i);
  return {real, c.b.ok() ? filled_like(c.b, real, c.b.dtype(real), 0) : kNone};
}

Complex product(GraphBuilder& b, const Complex& x, const Complex& y) {
  auto times = [&](ValueId p, ValueId q) { return b.emit("Mul", {p, q}); };
  return {b.emit("Sub", {times(x.real, y.real), times(x.imaginary, y.imaginary)}),
          b.emit("Add", {times(x.real, y.imaginary), times(x.imaginary, y.real)})};
}

Values complex_multiply(Call& c) { return complex_values(product(c.b, complex_input(c, 0), complex_input(c, 1))); }
Values complex_exp(Call& c) {
  GraphBuilder& b = c.b;
  const Complex x = complex_input(c, 0);
  const ValueId size = b.emit("Exp", {x.real});
  return complex_values({b.emit("Mul", {size, b.emit("Cos", {x.imaginary})}), b.emit("Mul", {size, b.emit("Sin", {x.imaginary})})});
}

Values complex_square(Call& c) { return complex_values(product(c.b, complex_input(c, 0), complex_input(c, 0))); }

// x / y = x * conjugate(y) / |y|^2
Values complex_divide(Call& c) {
  GraphBuilder& b = c.b;
  const Complex y = complex_input(c, 1), p = product(b, complex_input(c, 0), {y.real, b.emit("Neg", {y.imaginary})});
  const ValueId size = b.emit("Add", {square(b, y.real), square(b, y.imaginary)});
  return complex_values({b.emit("Div", {p.real, size}), b.emit("Div", {p.imaginary, size})});
}

namespace {

Values make(Call& c) { return complex_values({c.tensor(0), c.tensor(1)}); }

Values real(Call& c) { return {complex_input(c, 0).real}; }
Values imaginary(Call& c) { return {complex_input(c, 0).imaginary}; }

Values absolute(Call& c) {
  GraphBuilder& b = c.b;
  const Complex x = complex_input(c, 0);
  return {b.emit("Sqrt", {b.emit("Add", {square(b, x.real), square(b, x.imaginary)})})};
}

Values angle(Call& c) {
  const Complex x = complex_input(c, 0);
  return {atan2_of(c.b, x.imaginary, x.real)};
}

Values conjugate(Call& c) {
  const Complex x = complex_input(c, 0);
  return complex_values({x.real, c.b.emit("Neg", {x.imaginary})});
}

constexpr Operator kComplexRows[] = {
    {"Complex", nullptr, make},        {"Real", nullptr, real},   {"Imag", nullptr, imaginary},
    {"ComplexAbs", nullptr, absolute}, {"Angle", nullptr, angle}, {"Conj", nullptr, conjugate},
};

}  // namespace

std::span<const Operator> complex_operators() { return kComplexRows; }

}  // namespace tern::tensorflow
