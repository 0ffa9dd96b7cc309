// GridSample: known answers, dtypes, and coordinates that are no places. Contract: kernels/resize/grid_sample.h. The official cases are in
// tests/data/node.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/support/op_test.h"

namespace tern::test::in_grid_sample {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();

Tensor sample(const Tensor& x, const Tensor& grid, const char* mode, const char* padding, bool align = false) {
  return run_op("GridSample", {{"mode", std::string(mode)}, {"padding_mode", std::string(padding)}, {"align_corners", int64_t(align)}}, {x, grid})[0];
}

}  // namespace

TEST_CASE("grid_sample: the centres of the elements give the elements back, in every mode and padding") {
  const Tensor x = f32({1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    for (const char* padding : {"zeros", "border", "reflection"}) {
      check_close(sample(x, f32({1, 4, 1}, {-0.75f, -0.25f, 0.25f, 0.75f}), mode, padding), x, 0, 1e-6f);
      check_close(sample(x, f32({1, 4, 1}, {-1, -1.0f / 3, 1.0f / 3, 1}), mode, padding, true), x, 0, 1e-5f);
    }
  }
}

TEST_CASE("grid_sample: coordinates are ordered from the innermost axis outwards") {
  const Tensor x = f32({1, 1, 2, 3}, {0, 1, 2, 10, 11, 12});
  check_same(sample(x, f32({1, 1, 2, 2}, {1, -1, -1, 1}), "nearest", "border", true), f32({1, 1, 1, 2}, {2, 10}));
  const Tensor volume = f32({1, 1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  check_same(sample(volume, f32({1, 1, 1, 2, 3}, {1, -1, -1, -1, -1, 1}), "nearest", "zeros", true), f32({1, 1, 1, 1, 2}, {1, 4}));
  check_close(sample(volume, f32({1, 1, 1, 1, 3}, {0, 0, 0}), "linear", "zeros"), f32({1, 1, 1, 1, 1}, {3.5f}), 0);
}

TEST_CASE("grid_sample: outside of x there are zeros, the border, or its reflection as often as it takes") {
  const Tensor x = f32({1, 1, 4}, {1, 2, 3, 4});
  // Indices -2, -1, -0.5, 4, 5 and 9.25, by (n + 1) * 4 = 2 i + 1.
  const Tensor grid = f32({1, 6, 1}, {-1.75f, -1.25f, -1, 1.25f, 1.75f, 3.875f});
  check_close(sample(x, grid, "linear", "zeros"), f32({1, 1, 6}, {0, 0, 0.5f, 0, 0, 0}), 0);
  check_close(sample(x, grid, "linear", "border"), f32({1, 1, 6}, {1, 1, 1, 4, 4, 4}), 0);
  check_close(sample(x, grid, "linear", "reflection"), f32({1, 1, 6}, {2, 1, 1, 4, 3, 2.25f}), 0);
  check_close(sample(x, grid, "nearest", "reflection"), f32({1, 1, 6}, {2, 1, 1, 4, 3, 2}), 0);
  check_close(sample(f32({1, 1, 1}, {7}), grid, "linear", "reflection", true), f32({1, 1, 6}, {7, 7, 7, 7, 7, 7}), 0);
}

TEST_CASE("grid_sample: halves round to even, and infinite elements outside do not leak in") {
  check_close(sample(f32({1, 1, 4}, {1, 2, 3, 4}), f32({1, 3, 1}, {-0.5f, 0, 0.5f}), "nearest", "zeros"), f32({1, 1, 3}, {1, 3, 3}), 0);
  check_close(sample(f32({1, 1, 2}, {kInf, 1}), f32({1, 2, 1}, {2, 0.5f}), "linear", "zeros"), f32({1, 1, 2}, {0, 1}), 0);
}

TEST_CASE("grid_sample: no coordinate reads outside of x: NaN is -1, infinities and huge numbers lie outside") {
  const Tensor x = f32({1, 1, 3}, {5, 6, 7});
  const Tensor grid = f32({1, 5, 1}, {kNaN, kInf, -kInf, 3e38f, -3e38f});
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    for (bool align : {false, true}) {
      const Tensor bordered = sample(x, grid, mode, "border", align), minus_one = sample(x, f32({1, 1, 1}, {-1}), mode, "border", align);
      check_close(bordered, f32({1, 1, 5}, {*minus_one.data<float>(), 7, 5, 7, 5}), 0, 1e-6f);
      const Tensor zeros = sample(x, grid, mode, "zeros", align), reflected = sample(x, grid, mode, "reflection", align);
      for (int i = 1; i < 5; ++i) {
        CHECK(zeros.data<float>()[i] == 0);
        CHECK(std::isfinite(reflected.data<float>()[i]));
      }
    }
  }
}

TEST_CASE("grid_sample: other float dtypes, of x and of the grid") {
  const Tensor x = f32({1, 1, 2, 2}, {1, 2, 3, 4}), grid = f32({1, 1, 2, 2}, {0, 0, 0.5f, -0.5f});
  for (DType t : {DType::f64, DType::f16, DType::bf16, DType::f32}) {
    for (DType g : {DType::f64, DType::f16, DType::bf16, DType::f32}) {
      check_same(sample(cast(x, t), cast(grid, g), "linear", "zeros"), cast(f32({1, 1, 1, 2}, {2.5f, 2}), t));
    }
  }
}

TEST_CASE("grid_sample: images, channels and more places than a block has, each with the zeros of its own outside") {
  const int64_t images = 3, channels = 2, height = 5, width = 4, points = 77;  // no multiple of a block, so that one would reach into the next image
  const Tensor x = random_f32({images, channels, height, width}, 1), grid = random_f32({images, 1, points, 2}, 2, -1.7f, 1.7f);
  Tensor expected = *Tensor::allocate(DType::f32, {images, channels, 1, points});
  for (int64_t n = 0; n < images; ++n) {
    for (int64_t p = 0; p < points; ++p) {
      const float* place = grid.data<float>() + (n * points + p) * 2;
      const double at_x = ((place[0] + 1.0) * width - 1) / 2, at_y = ((place[1] + 1.0) * height - 1) / 2;
      for (int64_t c = 0; c < channels; ++c) {
        double sum = 0;  // every element of x weighs by how near it lies
        for (int64_t i = 0; i < height * width; ++i) {
          const double near_y = std::max(0.0, 1 - std::fabs(at_y - static_cast<double>(i / width)));
          const double near_x = std::max(0.0, 1 - std::fabs(at_x - static_cast<double>(i % width)));
          sum += near_y * near_x * x.data<float>()[(n * channels + c) * height * width + i];
        }
        expected.mutable_data<float>()[(n * channels + c) * points + p] = static_cast<float>(sum);
      }
    }
  }
  check_close(sample(x, grid, "linear", "zeros"), expected, 4, 2e-6f);
}

TEST_CASE("grid_sample: what does not fit is an error") {
  CHECK(op_error("GridSample", {{"mode", std::string("bilinear")}}, {f32({1, 1, 1, 1}, {1}), f32({1, 1, 1, 2}, {0, 0})}).find("bilinear") !=
        std::string::npos);
  CHECK(!op_error("GridSample", {}, {f32({1, 1, 1, 1}, {1}), f32({1, 1, 1, 3}, {0, 0, 0})}).empty());
  CHECK(!op_error("GridSample", {}, {f32({1, 1, 1, 1}, {1}), f32({2, 1, 1, 2}, {0, 0, 0, 0})}).empty());
  CHECK(!op_error("GridSample", {}, {f32({1, 1, 0, 1}, {}), f32({1, 1, 1, 2}, {0, 0})}).empty());
}

}  // namespace tern::test::in_grid_sample
