// Matrices of floats that the tests of products make of others.
#pragma once
#include <vector>

#include "tests/support/op_test.h"

namespace tern::test {

inline Tensor transposed(const Tensor& t) {
  const int64_t rows = t.dims()[0], columns = t.dims()[1];
  Tensor out = *Tensor::allocate(DType::f32, {columns, rows});
  for (int64_t i = 0; i < rows * columns; ++i) out.mutable_data<float>()[i % columns * rows + i / columns] = t.data<float>()[i];
  return out;
}

inline Tensor first_rows(const Tensor& t, int64_t rows) {
  return f32({rows, t.dims()[1]}, std::vector<float>(t.data<float>(), t.data<float>() + rows * t.dims()[1]));
}

}  // namespace tern::test
