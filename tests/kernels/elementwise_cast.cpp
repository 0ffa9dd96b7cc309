// Cast and CastLike: saturation, rounding once, text. Contract: kernels/elementwise/convert.h and cast.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "runtime/base/half.h"
#include "tests/support/op_test.h"

namespace tern::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
enum Onnx : int64_t { f32_ = 1, u8_, i8_, u16_, i16_, i32_, i64_, string_, bool_, f16_, f64_, u32_, u64_, bf16_ = 16 };

template <class T>
Tensor row_of(std::vector<T> v) { return Tensor::of<T>({static_cast<int64_t>(v.size())}, std::span<const T>(v)); }
Tensor words(std::vector<std::string> v) { return *Tensor::strings({static_cast<int64_t>(v.size())}, v); }
Tensor to(const Tensor& x, Onnx type) { return run_op("Cast", {{"to", static_cast<int64_t>(type)}}, {x})[0]; }
// run_op compares the bytes of results, and text lies elsewhere every time: one run only.
std::vector<std::string> text_of(const Tensor& x) {
  Attributes attrs;
  attrs.set("to", int64_t(string_));
  auto out = evaluate(*find_op("Cast"), attrs, {&x, 1}, 1, {.parts = 2});
  REQUIRE(out.ok());
  std::vector<std::string> v;
  for (int64_t i = 0; i < x.count(); ++i) v.emplace_back((*out)[0].data<StringRef>()[i].view());
  return v;
}

}  // namespace

TEST_CASE("cast: float to integer truncates, saturates, and NaN is zero") {
  const Tensor x = f32({8}, {1.9f, -1.9f, 300, -300, kInf, -kInf, kNan, 1e20f});
  check_same(to(x, i8_), row_of<int8_t>({1, -1, 127, -128, 127, -128, 0, 127}));
  check_same(to(x, u8_), row_of<uint8_t>({1, 0, 255, 0, 255, 0, 0, 255}));
  check_same(to(x, i32_), row_of<int32_t>({1, -1, 300, -300, INT32_MAX, INT32_MIN, 0, INT32_MAX}));
  check_same(to(x, i64_), row_of<int64_t>({1, -1, 300, -300, INT64_MAX, INT64_MIN, 0, INT64_MAX}));
  check_same(to(x, u64_), row_of<uint64_t>({1, 0, 300, 0, UINT64_MAX, 0, 0, UINT64_MAX}));
  check_same(to(x, u32_), row_of<uint32_t>({1, 0, 300, 0, UINT32_MAX, 0, 0, UINT32_MAX}));
  check_same(to(f32({2}, {9.5e18f, 1.8e19f}), u64_), row_of<uint64_t>({static_cast<uint64_t>(9.5e18f), static_cast<uint64_t>(1.8e19f)}));
}

TEST_CASE("cast: integers wrap, zero is false, anything else true") {
  check_same(to(row_of<int32_t>({300, -1, 65536}), u8_), row_of<uint8_t>({44, 255, 0}));
  check_same(to(row_of<uint64_t>({UINT64_MAX}), i64_), row_of<int64_t>({-1}));
  check_same(to(f32({4}, {0, -0.0f, 0.1f, kNan}), bool_), boolean({4}, {false, false, true, true}));
  check_same(to(boolean({2}, {true, false}), f32_), f32({2}, {1, 0}));
  check_same(to(boolean({2}, {true, false}), i16_), row_of<int16_t>({1, 0}));
}

TEST_CASE("cast: to floats rounds once, to nearest even") {
  check_same(to(row_of<int64_t>({(int64_t(1) << 62) + (int64_t(1) << 38) + 1, 16777217}), f32_),
             f32({2}, {static_cast<float>((int64_t(1) << 62) + (int64_t(1) << 38) + 1), 16777216}));
  const double between = 1 + 0x1p-11 + 0x1p-40;  // through f32 it would be a tie of f16
  CHECK(to(row_of<double>({between}), f16_).data<f16>()[0].bits == 0x3c01);
  CHECK(to(f32({1}, {65520}), f16_).data<f16>()[0].bits == 0x7c00);
  CHECK(to(f32({1}, {1 + 0x1p-8f}), bf16_).data<bf16>()[0].bits == 0x3f80);
  check_same(to(to(f32({3}, {1.5f, -2, 0.25f}), f16_), f32_), f32({3}, {1.5f, -2, 0.25f}));
  check_same(to(to(f32({3}, {1.5f, -2, 0.25f}), bf16_), f64_), row_of<double>({1.5, -2, 0.25}));
  CHECK(std::isinf(to(row_of<double>({1e300}), f32_).data<float>()[0]));
}

TEST_CASE("cast: every pair of number dtypes keeps small whole numbers") {
  const Tensor x = f32({5}, {0, 1, 2, 77, 100});
  for (Onnx from : {f32_, u8_, i8_, u16_, i16_, i32_, i64_, f16_, f64_, u32_, u64_, bf16_}) {
    for (Onnx target : {f32_, u8_, i8_, u16_, i16_, i32_, i64_, f16_, f64_, u32_, u64_, bf16_}) {
      CAPTURE(from);
      CAPTURE(target);
      check_same(to(to(to(x, from), target), f32_), x);
    }
  }
}

TEST_CASE("cast: numbers are read from text") {
  const Tensor x = words({"3.25", "-7", "1e3", "+2", "inf", "-INF", "nan", "word"});
  check_same(to(x, f32_), f32({8}, {3.25f, -7, 1000, 2, kInf, -kInf, kNan, kNan}));
  check_same(to(x, i32_), row_of<int32_t>({3, -7, 1000, 2, INT32_MAX, INT32_MIN, 0, 0}));
  check_same(to(words({"9007199254740993", "-1"}), i64_), row_of<int64_t>({9007199254740993, -1}));
  check_same(to(words({"1e400", "-1e400", "1e-400"}), f64_), row_of<double>({INFINITY, -INFINITY, 0}));
  check_same(to(words({"1", "0"}), bool_), boolean({2}, {true, false}));
  check_same(to(words({"", "5"}), u8_), row_of<uint8_t>({0, 5}));
}

TEST_CASE("cast: numbers are written shortest") {
  CHECK(text_of(f32({5}, {0.1f, -2, kNan, kInf, -kInf})) == std::vector<std::string>{"0.1", "-2", "NaN", "INF", "-INF"});
  CHECK(text_of(row_of<int64_t>({INT64_MIN, 0})) == std::vector<std::string>{"-9223372036854775808", "0"});
  CHECK(text_of(row_of<double>({-2.2250738585072014e-308}))[0] == "-2.2250738585072014e-308");
  CHECK(text_of(boolean({2}, {true, false})) == std::vector<std::string>{"1", "0"});
  CHECK(text_of(words({"as it is"}))[0] == "as it is");
}

TEST_CASE("cast: unknown types are refused, CastLike takes the type of its second input") {
  CHECK(op_error("Cast", {{"to", int64_t(17)}}, {f32({1}, {1})}) == "a cast to the ONNX data type 17");
  CHECK(op_error("Cast", {{"to", int64_t(-1)}}, {f32({1}, {1})}) == "a cast to the ONNX data type -1");
  check_same(run_op("CastLike", {}, {f32({2}, {1.5f, -2}), i64({0}, {})})[0], i64({2}, {1, -2}));
  CHECK(run_op("Cast", {{"to", int64_t(i64_)}}, {f32({0}, {})})[0].dims() == Dims{0});
}

}  // namespace tern::test
