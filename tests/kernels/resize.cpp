// Resize: known answers from ONNX's formulas, and axes against each other. Contract: kernels/resize/resize.h.
#include <doctest/doctest.h>

#include "tests/support/op_test.h"

namespace tern::test::in_resize {
namespace {

using Modes = std::vector<std::pair<const char*, std::string>>;

Tensor ints(std::vector<int64_t> v) { return i64({static_cast<int64_t>(v.size())}, v); }
Tensor resize_to(const Tensor& x, std::vector<int64_t> sizes, std::string mode, std::string coordinates = "half_pixel") {
  return run_op("Resize", {{"mode", mode}, {"coordinate_transformation_mode", coordinates}}, {x, absent(), absent(), ints(sizes)})[0];
}

}  // namespace

TEST_CASE("resize: linear, by each coordinate transformation") {
  const Tensor x = f32({2}, {1, 2});
  check_close(resize_to(x, {4}, "linear"), f32({4}, {1, 1.25f, 1.75f, 2}), 1);
  check_close(resize_to(x, {4}, "linear", "asymmetric"), f32({4}, {1, 1.5f, 2, 2}), 1);
  check_close(resize_to(x, {5}, "linear", "align_corners"), f32({5}, {1, 1.25f, 1.5f, 1.75f, 2}), 1);
  check_close(resize_to(f32({3}, {1, 2, 4}), {1}, "linear", "align_corners"), f32({1}, {1}), 0);
  check_close(resize_to(f32({3}, {1, 2, 4}), {1}, "linear", "pytorch_half_pixel"), f32({1}, {1}), 0);
  check_close(resize_to(f32({4}, {1, 2, 3, 4}), {2}, "linear", "half_pixel_symmetric"), f32({2}, {1.5f, 3.5f}), 1);
}

TEST_CASE("resize: nearest, by each rounding") {
  const Tensor x = f32({4}, {0, 1, 2, 3});
  auto nearest = [&](const char* rounding) {  // coordinates 0.5 and 2.5
    return run_op("Resize", {{"nearest_mode", std::string(rounding)}}, {x, absent(), f32({1}, {0.5f})})[0];
  };
  check_same(nearest("round_prefer_floor"), f32({2}, {0, 2}));
  check_same(nearest("round_prefer_ceil"), f32({2}, {1, 3}));
  check_same(nearest("floor"), f32({2}, {0, 2}));
  check_same(nearest("ceil"), f32({2}, {1, 3}));
  for (DType t : {DType::u8, DType::f16, DType::i64}) {
    check_same(run_op("Resize", {}, {cast(f32({1, 2}, {5, 6}), t), absent(), f32({2}, {2, 2})})[0], cast(f32({2, 4}, {5, 5, 6, 6, 5, 5, 6, 6}), t));
  }
}

TEST_CASE("resize: nearest by two, of odd sizes and of rows alone, repeats elements and rows") {
  for (DType t : {DType::f32, DType::u8, DType::f64}) {
    for (int64_t w : {1, 2, 5, 33}) {
      Tensor x = random_f32({2, 3, w}, static_cast<uint32_t>(w));
      for (int64_t i = 0; i < x.count(); ++i) x.mutable_data<float>()[i] = static_cast<float>(i * 7 % 200);
      auto resized = [&](int64_t rows, int64_t columns) {
        Tensor y = *Tensor::allocate(DType::f32, {2, 3 * rows, w * columns});
        for (int64_t i = 0; i < y.count(); ++i) {
          const int64_t r = i / (w * columns), c = i % (w * columns);
          y.mutable_data<float>()[i] = x.data<float>()[(r / (3 * rows) * 3 + r % (3 * rows) / rows) * w + c / columns];
        }
        return cast(y, t);
      };
      for (int64_t rows : {1, 2, 3}) {
        for (int64_t columns : {1, 2, 3}) {
          const Tensor scales = f32({3}, {1, static_cast<float>(rows), static_cast<float>(columns)});
          check_same(run_op("Resize", {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("floor")}},
                            {cast(x, t), absent(), scales})[0],
                     resized(rows, columns));
        }
      }
    }
  }
}

TEST_CASE("resize: every width of the rows gives what single elements give") {
  for (const char* mode : {"linear", "cubic"}) {
    for (int64_t inner : {1, 2, 15, 16, 17, 33}) {
      const Tensor x = random_f32({2, 5, inner}, static_cast<uint32_t>(inner));
      const Tensor y = resize_to(x, {2, 8, inner}, mode);
      const Tensor turned = run_op("Transpose", {{"perm", std::vector<int64_t>{0, 2, 1}}}, {x})[0];
      const Tensor z = resize_to(turned, {2, inner, 8}, mode);
      check_same(run_op("Transpose", {{"perm", std::vector<int64_t>{0, 2, 1}}}, {z})[0], y);
    }
  }
}

TEST_CASE("resize: antialias averages, exclude_outside renormalises, the aspect ratio is kept") {
  const Tensor x = f32({4}, {1, 2, 3, 4});
  // around 0.5 a triangle of half-width 2 gives pixels 0, 1, 2 the weights .75, .75, .25 once what lies outside is dropped
  const Tensor y = run_op("Resize", {{"mode", std::string("linear")}, {"antialias", int64_t(1)}, {"exclude_outside", int64_t(1)}},
                          {x, absent(), absent(), ints({2})})[0];
  check_close(y, f32({2}, {1.7142857f, 3.2857143f}), 2);
  auto kept = [](const char* policy) {
    return run_op("Resize", {{"keep_aspect_ratio_policy", std::string(policy)}},
                  {f32({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}), absent(), absent(), ints({7, 8})})[0]
        .dims();
  };
  CHECK(kept("not_larger") == Dims{4, 8});
  CHECK(kept("not_smaller") == Dims{7, 14});
}

TEST_CASE("resize: crops by region, with a value outside") {
  const Tensor y =
      run_op("Resize",
             {{"mode", std::string("linear")}, {"coordinate_transformation_mode", std::string("tf_crop_and_resize")}, {"extrapolation_value", 9.0f}},
             {f32({3}, {1, 2, 3}), f32({2}, {0.5f, 1.5f}), absent(), ints({3})})[0];
  check_close(y, f32({3}, {2, 3, 9}), 1);
}

TEST_CASE("resize: other dtypes compute in double; integers round toward zero") {
  check_same(resize_to(cast(f32({2}, {1, 2}), DType::f64), {4}, "linear"), cast(f32({4}, {1, 1.25f, 1.75f, 2}), DType::f64));
  check_same(resize_to(cast(f32({2}, {10, 13}), DType::u8), {4}, "linear"), cast(f32({4}, {10, 10, 12, 13}), DType::u8));
}

TEST_CASE("resize: nonsense is refused") {
  const Tensor x = f32({2}, {1, 2});
  CHECK(op_error("Resize", {}, {x}) != "");
  CHECK(op_error("Resize", {}, {x, absent(), f32({1}, {2}), ints({4})}) != "");
  CHECK(op_error("Resize", {}, {x, absent(), f32({1}, {-1})}) != "");
  CHECK(op_error("Resize", {}, {x, absent(), absent(), ints({-1})}) != "");
  CHECK(op_error("Resize", {}, {x, absent(), absent(), ints({2, 2})}) != "");
  CHECK(op_error("Resize", {{"mode", std::string("area")}}, {x, absent(), absent(), ints({2})}) != "");
  CHECK(op_error("Resize", {}, {f32({0}, {}), absent(), absent(), ints({2})}) != "");
  CHECK(run_op("Resize", {}, {x, absent(), absent(), ints({0})})[0].dims() == Dims{0});
}

}  // namespace tern::test::in_resize
