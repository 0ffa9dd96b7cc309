// Complex numbers while a graph is built: two tensors of one shape, the real and the imaginary part. The graph that comes out knows real ones alone.
// Next: complex.cpp, fourier.cpp.
#pragma once
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {

struct Complex {
  ValueId real = kNone, imaginary = kNone;
};
inline Values complex_values(const Complex& z) { return {Value::complex(z.real, z.imaginary)}; }

inline bool is_complex(const Call& c) {
  return std::any_of(c.values().begin(), c.values().end(), [](const Value& v) { return v.imaginary() != kNone; });
}
// Input i; a real tensor has no imaginary part. Fails when it is no tensor.
Complex complex_input(Call& c, size_t i);
Complex product(GraphBuilder& b, const Complex& x, const Complex& y);
// The row of an operator on both parts of complex inputs, one after the other: for those that move elements, or are linear.
template <Values (*F)(Call&)>
Values each_part(Call& c) {
  if (!is_complex(c)) return F(c);
  Values parts[2];
  for (int k = 0; k < 2; ++k) {
    Values inputs;
    for (size_t i = 0; i < c.count(); ++i) {
      const Value& v = c.value(i);
      inputs.push_back(v.imaginary() == kNone ? v : Value(k == 0 ? v.id() : v.imaginary()));
    }
    Call part(c.b, c.node, std::move(inputs), c.caller);
    parts[k] = F(part);
  }
  Values out;
  for (size_t o = 0; o < parts[0].size() && o < parts[1].size(); ++o) out.push_back(Value::complex(parts[0][o].id(), parts[1][o].id()));
  return out;
}
// The same where the operator has another rule for complex numbers.
template <Values (*Real)(Call&), Values (*OfComplex)(Call&)>
Values either(Call& c) {
  return is_complex(c) ? OfComplex(c) : Real(c);
}

// The Fourier transform of n numbers along one axis; sign 1: back, n times too large. Fails for lengths that are not supported (fourier.cpp).
Complex fourier(GraphBuilder& b, const Complex& x, int axis, int64_t n, int sign);

Values complex_multiply(Call& c);
Values complex_divide(Call& c);
Values complex_square(Call& c);
Values complex_exp(Call& c);

}  // namespace tern::tensorflow
