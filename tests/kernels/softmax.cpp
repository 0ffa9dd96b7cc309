// Softmax against the double reference, on every ISA. Contract: kernels/softmax/softmax.h.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/support/op_test.h"

namespace tern::test {
namespace {

Tensor reference(const Tensor& x) {
  Tensor y = *Tensor::allocate(DType::f32, x.dims());
  const int64_t cols = x.dims().back();
  for (int64_t r = 0; r < x.count() / cols; ++r) {
    double m = -INFINITY, sum = 0;
    for (int64_t c = 0; c < cols; ++c) m = std::max(m, static_cast<double>(x.data<float>()[r * cols + c]));
    for (int64_t c = 0; c < cols; ++c) sum += std::exp(x.data<float>()[r * cols + c] - m);
    for (int64_t c = 0; c < cols; ++c) {
      y.mutable_data<float>()[r * cols + c] = static_cast<float>(std::exp(x.data<float>()[r * cols + c] - m) / sum);
    }
  }
  return y;
}

}  // namespace

TEST_CASE("softmax: every tail length is within 4 ULP of the double reference") {
  for (int64_t cols = 1; cols <= 67; ++cols) {
    Tensor x = random_f32({3, cols}, static_cast<uint32_t>(cols), -8, 8);
    check_close(run_op("Softmax", {}, {x})[0], reference(x), 4);
  }
}

TEST_CASE("softmax: a row of -inf is NaN, and leaves its neighbours alone") {
  const float inf = std::numeric_limits<float>::infinity();
  auto y = run_op("Softmax", {}, {f32({2, 2}, {-inf, -inf, 0, 0})});
  CHECK(std::isnan(y[0].data<float>()[0]));
  CHECK(y[0].data<float>()[2] == 0.5f);
}

}  // namespace tern::test
