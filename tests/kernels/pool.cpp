// Pooling against windows written out by hand. Contract: kernels/pool/pool.h.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/support/op_test.h"

namespace tern::test::in_pool {
namespace {

using Ints = std::vector<int64_t>;
const float kNaN = std::numeric_limits<float>::quiet_NaN();

// A pool of one map [H,W] of f32, tap by tap in the order of kernels/pool/pool.h.
struct Axis {
  int64_t in, kernel, stride = 1, dilation = 1, begin = 0, end = 0;
  int64_t out() const { return (in + begin + end - (kernel - 1) * dilation - 1) / stride + 1; }
};
Tensor model(bool mean, bool include_pad, const Tensor& x, const Axis& h, const Axis& w) {
  Tensor y = *Tensor::allocate(DType::f32, {x.dims()[0], x.dims()[1], h.out(), w.out()});
  float* to = y.mutable_data<float>();
  for (int64_t map = 0; map < x.dims()[0] * x.dims()[1]; ++map) {
    for (int64_t i = 0; i < h.out() * w.out(); ++i) {
      float v = mean ? 0 : -std::numeric_limits<float>::infinity();
      int64_t inside = 0;
      for (int64_t k = 0; k < h.kernel * w.kernel; ++k) {
        const int64_t r = i / w.out() * h.stride + k / w.kernel * h.dilation - h.begin,
                      c = i % w.out() * w.stride + k % w.kernel * w.dilation - w.begin;
        if (r < 0 || r >= h.in || c < 0 || c >= w.in) continue;
        const float e = x.data<float>()[(map * h.in + r) * w.in + c];
        v = mean ? v + e : e > v || std::isnan(e) ? e : v;
        ++inside;
      }
      *to++ = mean ? v / static_cast<float>(include_pad ? h.kernel * w.kernel : inside) : v;
    }
  }
  return y;
}
// 0 to 99, as f32: exact in every dtype.
Tensor whole_numbers(Dims dims) {
  Tensor x = random_f32(dims, 5, 0, 100);
  for (int64_t i = 0; i < x.count(); ++i) x.mutable_data<float>()[i] = std::floor(x.data<float>()[i]);
  return x;
}
void check_pool(const Axis& h, const Axis& w) {
  const Tensor x = random_f32({3, 3, h.in, w.in}, 1);  // 9 maps: eight at once where rows are short
  const Ints kernel{h.kernel, w.kernel}, strides{h.stride, w.stride}, dilations{h.dilation, w.dilation}, pads{h.begin, w.begin, h.end, w.end};
  const Attrs attrs = {{"kernel_shape", kernel}, {"strides", strides}, {"dilations", dilations}, {"pads", pads}};
  const Attrs with_pad = {
      {"kernel_shape", kernel}, {"strides", strides}, {"dilations", dilations}, {"pads", pads}, {"count_include_pad", int64_t(1)}};
  CAPTURE(w.in);
  CAPTURE(w.stride);
  check_same(run_op("MaxPool", attrs, {x})[0], model(false, false, x, h, w));
  check_same(run_op("AveragePool", attrs, {x})[0], model(true, false, x, h, w));
  check_same(run_op("AveragePool", with_pad, {x})[0], model(true, true, x, h, w));
  const Tensor numbers = whole_numbers({3, 3, h.in, w.in}), largest = model(false, false, numbers, h, w);
  for (DType t : {DType::f64, DType::f16, DType::bf16, DType::u8}) {
    if (t == DType::u8 && largest.data<float>()[0] < 0) continue;  // windows of nothing
    check_same(run_op("MaxPool", attrs, {cast(numbers, t)})[0], cast(largest, t));
  }
  check_same(run_op("AveragePool", attrs, {cast(numbers, DType::f16)})[0], cast(model(true, false, numbers, h, w), DType::f16));
}

}  // namespace

TEST_CASE("pool: windows of every width, stride, dilation and padding are those of the model") {
  for (int64_t width = 3; width < 80; width += width < 20 ? 1 : 13) check_pool({5, 3, 2, 1, 1, 1}, {width, 3, 1, 1, 1, 1});
  for (int64_t stride : {1, 2, 3, 5}) {
    for (int64_t dilation : {1, 2, 3}) {
      check_pool({7, 2, stride, dilation, 1, 0}, {41, 3, stride, dilation, 2, 1});
      check_pool({9, 3, 1, dilation, 0, 1}, {70, 4, stride, dilation, 0, 3});
    }
  }
  check_pool({6, 1, 1, 1, 0, 0}, {33, 1, 4, 1, 0, 0});                                           // elements that no window reads
  check_pool({4, 3, 1, 1, 2, 2}, {2, 5, 1, 1, 4, 4});                                            // wider than x
  check_pool({3, 2, 1, 1, 1, 1}, {5, 2, 3, 1, 1, 1});                                            // rows and windows that begin in the padding
  check_pool({4, 1, 1, 1, 2, 2}, {20, 2, 1, 1, 0, 0});                                           // whole rows of windows in it: -inf, and 0 / 0
  for (int64_t dilation : {1, 4}) check_pool({150, 3, 2, dilation, 2, 1}, {90, 3, 1, 1, 1, 1});  // several stripes
}

TEST_CASE("pool: of zeros of both signs the first tap stays, rows before columns") {
  Tensor x = random_f32({1, 2, 40, 37}, 7, 0, 3);
  for (int64_t i = 0; i < x.count(); ++i) {
    float& v = x.mutable_data<float>()[i];
    v = v < 1 ? -1.0f : v < 2 ? -0.0f : 0.0f;
  }
  for (int64_t stride : {1, 2, 3}) {
    const Axis h{40, 3, stride, 1, 1, 1}, w{37, 3, stride, 1, 1, 1};
    const Ints strides{stride, stride};
    check_same(run_op("MaxPool", {{"kernel_shape", Ints{3, 3}}, {"strides", strides}, {"pads", Ints{1, 1, 1, 1}}}, {x})[0],
               model(false, false, x, h, w));
  }
}

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

TEST_CASE("pool: the place of a maximum is that of the largest tap, the first of equal ones, in windows of every stride, dilation and padding") {
  const Tensor numbers = whole_numbers({2, 3, 23, 45}), all_low = f32({1, 1, 2, 2}, std::vector<float>(4, -std::numeric_limits<float>::infinity()));
  for (int64_t stride : {1, 2, 3, 5}) {
    for (int64_t dilation : {1, 2}) {
      const Axis h{23, 3, stride, dilation, 1, 2}, w{45, 4, stride, dilation, 2, 1};
      const Attrs attrs = {
          {"kernel_shape", Ints{3, 4}}, {"strides", Ints{stride, stride}}, {"dilations", Ints{dilation, dilation}}, {"pads", Ints{1, 2, 2, 1}}};
      const auto y = run_op("MaxPool", attrs, {numbers}, 2);
      check_same(y[0], model(false, false, numbers, h, w));
      for (int64_t i = 0; i < y[0].count(); ++i) {
        const int64_t per_map = h.out() * w.out(), map = i / per_map, row = i % per_map / w.out(), col = i % w.out();
        int64_t first = -1;
        for (int64_t k = 0; k < 12 && first < 0; ++k) {
          const int64_t r = row * stride + k / 4 * dilation - 1, c = col * stride + k % 4 * dilation - 2;
          if (r < 0 || r >= 23 || c < 0 || c >= 45) continue;
          if (numbers.data<float>()[(map * 23 + r) * 45 + c] == y[0].data<float>()[i]) first = (map * 23 + r) * 45 + c;
        }
        CHECK(y[1].data<int64_t>()[i] == first);
      }
    }
  }
  check_same(run_op("MaxPool", {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}, {all_low}, 2)[1],
             i64({1, 1, 3, 3}, {0, 0, 1, 0, 0, 1, 2, 2, 3}));
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
  // A window of one element: the root of x^p, which by_squaring and pow of exponents from 64 on both give back.
  for (int64_t p : {3, 4, 5, 7, 12, 63, 64}) {
    const Tensor some = random_f32({1, 1, 40}, 3, 0.5, 2);
    check_close(run_op("LpPool", {{"kernel_shape", Ints{1}}, {"p", p}}, {some})[0], some, 2);
  }
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

TEST_CASE("pool: the whole of a map of any size; zeros of both signs are equal, and the first stays") {
  for (int64_t size : {1, 2, 7, 15, 16, 17, 255, 256, 257, 600}) {
    const Tensor x = whole_numbers({1, 18, 3, size});
    Tensor top = f32({1, 18, 1, 1}, std::vector<float>(18, 0.0f));
    for (int64_t i = 0; i < 54 * size; ++i) {
      float& t = top.mutable_data<float>()[i / (3 * size)];
      t = std::max(t, x.data<float>()[i]);
    }
    for (DType t : {DType::f32, DType::f64, DType::f16, DType::bf16, DType::i8, DType::u8})
      check_same(run_op("GlobalMaxPool", {}, {cast(x, t)})[0], cast(top, t));
  }
  check_same(run_op("GlobalMaxPool", {}, {f32({1, 2, 3}, {-1, -0.0f, 0, -2, 0, -0.0f})})[0], f32({1, 2, 1}, {-0.0f, 0}));
  for (int64_t first = 0; first < 70; first += 3) {
    Tensor zeros = random_f32({1, 18, 71}, 3, -2, -1);
    std::vector<float> top(18);
    for (size_t c = 0; c < 18; ++c) {
      float* z = zeros.mutable_data<float>() + c * 71;
      top[c] = c % 2 == 0 ? -0.0f : 0.0f;
      z[first] = top[c], z[70] = -top[c];
    }
    check_same(run_op("GlobalMaxPool", {}, {zeros})[0], f32({1, 18, 1}, top));
    zeros.mutable_data<float>()[(first + 40) % 71] = top[0] = kNaN;
    check_same(run_op("GlobalMaxPool", {}, {zeros})[0], f32({1, 18, 1}, top));
  }
  for (int64_t rows : {1, 19, 43}) {
    const Tensor x = random_f32({3, 7, rows, 5}, 3);
    const Tensor mean = run_op("GlobalAveragePool", {}, {x})[0];
    for (int64_t i = 0; i < 21; ++i) {
      float total = 0;
      for (int64_t r = 0; r < rows; ++r) {
        float sum = 0;
        for (int64_t c = 0; c < 5; ++c) sum += x.data<float>()[(i * rows + r) * 5 + c];
        total += sum;
      }
      CHECK(mean.data<float>()[i] == total / static_cast<float>(rows * 5));
    }
  }
}

TEST_CASE("pool: an empty batch, and windows that do not fit") {
  CHECK(run_op("MaxPool", {{"kernel_shape", Ints{2}}}, {random_f32({0, 2, 4}, 1)})[0].dims() == Dims{0, 2, 3});
  CHECK(run_op("GlobalAveragePool", {}, {random_f32({0, 2, 4}, 1)})[0].dims() == Dims{0, 2, 1});
  CHECK(op_error("MaxPool", {{"kernel_shape", Ints{5}}}, {random_f32({1, 1, 4}, 1)}).find("does not fit") != std::string::npos);
  CHECK(op_error("MaxPool", {{"kernel_shape", Ints{2, 2}}}, {random_f32({1, 1, 4}, 1)}).find("entries") != std::string::npos);
  CHECK(op_error("AveragePool", {{"kernel_shape", Ints{2}}}, {cast(random_f32({1, 1, 4}, 1), DType::i8)}).find("not supported") != std::string::npos);
}

}  // namespace tern::test::in_pool
