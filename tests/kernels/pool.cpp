// Pooling against windows written out by hand. Contract: kernels/pool/pool.h.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/support/op_test.h"

namespace tern::test {
namespace {

using Ints = std::vector<int64_t>;
const float kNaN = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("pool: a maximum over windows with stride, dilation and padding") {
  const Tensor x = f32({1, 1, 3, 4}, {1, 2, 3, 4, 8, 7, 6, 5, -9, -8, -7, -6});
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2, 2}}}, {x})[0], f32({1, 1, 2, 3}, {8, 7, 6, 8, 7, 6}));
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 3}}}, {x})[0], f32({1, 1, 1, 1}, {8}));
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 3}}}, {x})[0], f32({1, 1, 1, 1}, {4}));
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{1, 3}}, {"pads", Ints{0, 2, 0, 0}}, {"strides", Ints{2, 1}}}, {x})[0],
             f32({1, 1, 2, 4}, {1, 2, 3, 4, -9, -8, -7, -6}));
}

TEST_CASE("pool: ceil_mode adds a last window that begins inside x or its leading padding, never one wholly in the padding") {
  const Tensor x = f32({1, 1, 5}, {1, 2, 3, 4, 5});
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}}, {x})[0], f32({1, 1, 2}, {2, 4}));
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}, {"ceil_mode", int64_t(1)}}, {x})[0], f32({1, 1, 3}, {2, 4, 5}));
  // 2 + 1 + 1 padded, windows of 1 at steps of 3: the second would begin at 3, in the trailing padding.
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2}}, {"strides", Ints{3}}, {"pads", Ints{1, 1}}, {"ceil_mode", int64_t(1)}},
                    {f32({1, 1, 2}, {1, 2})})[0],
             f32({1, 1, 1}, {1}));
}

TEST_CASE("pool: indices count the whole of x, rows first or columns first") {
  const Tensor x = f32({1, 2, 2, 3}, {1, 9, 2, 3, 4, 5, 6, 5, 4, 7, 2, 8});
  auto y = run_op("MaxPool", {{"kernel_shape", Ints{2, 2}}}, {x}, 2);
  check_same(y[0], f32({1, 2, 1, 2}, {9, 9, 7, 8}));
  check_same(y[1], i64({1, 2, 1, 2}, {1, 1, 9, 11}));
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2, 2}}, {"storage_order", int64_t(1)}}, {x}, 2)[1], i64({1, 2, 1, 2}, {2, 2, 7, 11}));
}

TEST_CASE("pool: NaN wins every maximum and mean it takes part in, and no other") {
  const Tensor x = f32({1, 1, 5}, {1, kNaN, 3, 4, -1});
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2}}}, {x})[0], f32({1, 1, 4}, {kNaN, kNaN, 4, 4}));
  check_same(run_op("AveragePool", {{"kernel_shape", Ints{2}}}, {x})[0], f32({1, 1, 4}, {kNaN, kNaN, 3.5f, 1.5f}));
  check_same(run_op("GlobalMaxPool", {}, {x})[0], f32({1, 1, 1}, {kNaN}));
  const float inf = std::numeric_limits<float>::infinity();
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2}}}, {f32({1, 1, 3}, {-inf, -inf, inf})})[0], f32({1, 1, 2}, {-inf, inf}));
}

TEST_CASE("pool: small integers and 16-bit floats have maxima too") {
  for (DType t : {DType::i8, DType::u8, DType::f16, DType::bf16, DType::f64}) {
    const Tensor x = cast(f32({1, 1, 4}, {1, 5, 2, 3}), t);
    check_same(run_op("MaxPool", {{"kernel_shape", Ints{2}}}, {x})[0], cast(f32({1, 1, 3}, {5, 5, 3}), t));
  }
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2}}}, {cast(f32({1, 1, 3}, {-7, -5, -6}), DType::i8)})[0],
             cast(f32({1, 1, 2}, {-5, -5}), DType::i8));
}

TEST_CASE("pool: a mean divides by the taps inside x, or inside the padded x") {
  const Tensor x = f32({1, 1, 4}, {2, 4, 6, 8});
  check_same(run_op("AveragePool", {{"kernel_shape", Ints{3}}, {"pads", Ints{1, 1}}}, {x})[0], f32({1, 1, 4}, {3, 4, 6, 7}));
  check_same(run_op("AveragePool", {{"kernel_shape", Ints{3}}, {"pads", Ints{1, 1}}, {"count_include_pad", int64_t(1)}}, {x})[0],
             f32({1, 1, 4}, {2, 4, 6, 14.0f / 3}));
  // The last window of ceil_mode hangs over the padding; what is beyond is not counted.
  check_same(
      run_op("AveragePool", {{"kernel_shape", Ints{3}}, {"strides", Ints{2}}, {"ceil_mode", int64_t(1)}, {"count_include_pad", int64_t(1)}}, {x})[0],
      f32({1, 1, 2}, {4, 7}));
  check_same(run_op("AveragePool", {{"kernel_shape", Ints{2}}, {"dilations", Ints{2}}}, {x})[0], f32({1, 1, 2}, {4, 6}));
  check_same(run_op("AveragePool", {{"kernel_shape", Ints{2}}, {"auto_pad", std::string("SAME_LOWER")}}, {x})[0], f32({1, 1, 4}, {2, 3, 5, 7}));
  check_same(run_op("AveragePool", {{"kernel_shape", Ints{2}}, {"auto_pad", std::string("SAME_UPPER")}}, {x})[0], f32({1, 1, 4}, {3, 5, 7, 8}));
}

TEST_CASE("pool: norms of order 1, 2 and 3") {
  const Tensor x = f32({1, 1, 3}, {3, -4, 0});
  check_same(run_op("LpPool", {{"kernel_shape", Ints{2}}}, {x})[0], f32({1, 1, 2}, {5, 4}));
  check_same(run_op("LpPool", {{"kernel_shape", Ints{2}}, {"p", int64_t(1)}}, {x})[0], f32({1, 1, 2}, {7, 4}));
  check_close(run_op("LpPool", {{"kernel_shape", Ints{2}}, {"p", int64_t(3)}}, {x})[0], f32({1, 1, 2}, {std::cbrt(91.0f), 4}),
              1);  // pow, then one rounding
  check_same(run_op("GlobalLpPool", {}, {x})[0], f32({1, 1, 1}, {5}));
}

TEST_CASE("pool: three axes, several channels, and the whole of each channel") {
  Tensor x = random_f32({2, 3, 2, 3, 4}, 1);
  const Tensor y = run_op("MaxPool", {{"kernel_shape", Ints{2, 3, 4}}}, {x})[0], g = run_op("GlobalMaxPool", {}, {x})[0],
               mean = run_op("GlobalAveragePool", {}, {x})[0];
  CHECK(y.dims() == Dims{2, 3, 1, 1, 1});
  check_same(y, g);
  for (int64_t i = 0; i < 6; ++i) {
    float total = 0;
    for (int64_t r = 0; r < 6; ++r) {
      float sum = 0;
      for (int64_t c = 0; c < 4; ++c) sum += x.data<float>()[i * 24 + r * 4 + c];
      total += sum;
    }
    CHECK(mean.data<float>()[i] == total / 24);
  }
}

TEST_CASE("pool: an empty batch, and windows that do not fit") {
  CHECK(run_op("MaxPool", {{"kernel_shape", Ints{2}}}, {random_f32({0, 2, 4}, 1)})[0].dims() == Dims{0, 2, 3});
  CHECK(run_op("GlobalAveragePool", {}, {random_f32({0, 2, 4}, 1)})[0].dims() == Dims{0, 2, 1});
  CHECK(op_error("MaxPool", {{"kernel_shape", Ints{5}}}, {random_f32({1, 1, 4}, 1)}).find("does not fit") != std::string::npos);
  CHECK(op_error("MaxPool", {{"kernel_shape", Ints{2, 2}}}, {random_f32({1, 1, 4}, 1)}).find("entries") != std::string::npos);
  CHECK(op_error("AveragePool", {{"kernel_shape", Ints{2}}}, {cast(random_f32({1, 1, 4}, 1), DType::i8)}).find("not supported") != std::string::npos);
}

}  // namespace tern::test
