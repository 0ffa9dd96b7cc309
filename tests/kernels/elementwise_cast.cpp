// Cast and CastLike: what is out of range, rounding once, text. Contract: kernels/elementwise/convert.h, kernels/elementwise/cast.cpp.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <iterator>
#include <limits>

#include "runtime/base/half.h"
#include "tests/support/op_test.h"

namespace tern::test::in_elementwise_cast {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
enum Onnx : int64_t { f32_ = 1, u8_, i8_, u16_, i16_, i32_, i64_, string_, bool_, f16_, f64_, u32_, u64_, bf16_ = 16 };

template <class T>
Tensor row_of(std::vector<T> v) {
  return Tensor::of<T>({static_cast<int64_t>(v.size())}, std::span<const T>(v));
}
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

// Expected values: NumPy 2.4, PyTorch 2.15 and onnxruntime 1.32 on x86-64, which agree on all of these.
TEST_CASE("cast: float to integer truncates; out of range it keeps the low bits of an i32 or i64") {
  const Tensor x = f32({14}, {1.9f, -1.5f, 255.9f, 300, -129, -200, 65543, 40000, 3e9f, -3e9f, 1e20f, kInf, -kInf, kNan});
  check_same(to(x, u8_), row_of<uint8_t>({1, 255, 255, 44, 127, 56, 7, 64, 0, 0, 0, 0, 0, 0}));
  check_same(to(x, i8_), row_of<int8_t>({1, -1, -1, 44, 127, 56, 7, 64, 0, 0, 0, 0, 0, 0}));
  check_same(to(x, u16_), row_of<uint16_t>({1, 65535, 255, 300, 65407, 65336, 7, 40000, 0, 0, 0, 0, 0, 0}));
  check_same(to(x, i16_), row_of<int16_t>({1, -1, 255, 300, -129, -200, 7, -25536, 0, 0, 0, 0, 0, 0}));
  constexpr int32_t k32 = INT32_MIN;
  check_same(to(x, i32_), row_of<int32_t>({1, -1, 255, 300, -129, -200, 65543, 40000, k32, k32, k32, k32, k32, k32}));
  constexpr int64_t k64 = INT64_MIN;
  check_same(to(x, i64_), row_of<int64_t>({1, -1, 255, 300, -129, -200, 65543, 40000, 3000000000, -3000000000, k64, k64, k64, k64}));
  constexpr uint32_t kTop = 0x80000000u;
  check_same(to(x, u32_),
             row_of<uint32_t>({1, UINT32_MAX, 255, 300, UINT32_MAX - 128, UINT32_MAX - 199, 65543, 40000, 3000000000u, kTop, 0, 0, kTop, kTop}));
  constexpr uint64_t kTop64 = uint64_t(1) << 63;
  check_same(to(x, u64_), row_of<uint64_t>({1, UINT64_MAX, 255, 300, UINT64_MAX - 128, UINT64_MAX - 199, 65543, 40000, 3000000000u,
                                            UINT64_MAX - 2999999999, 0, 0, kTop64, kTop64}));
  check_same(to(f32({2}, {9.5e18f, 1.8e19f}), u64_), row_of<uint64_t>({static_cast<uint64_t>(9.5e18f), static_cast<uint64_t>(1.8e19f)}));
  check_same(to(row_of<double>({-2147483648.5, 2147483647.9, -9223372036854775808.0}), i32_), row_of<int32_t>({k32, INT32_MAX, k32}));
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

// run_op() compares every ISA; here with the conversion of one element, at every place of a vector and behind the last whole one.
TEST_CASE("cast: f32 to 16 bits and back converts as one element does, wherever it lies") {
  constexpr uint32_t kCases[] = {0x3f808000, 0x3f818000, 0x3f818001, 0x3f817fff, 0xbf808000, 0x3f801000, 0x3f803000, 0x7f7fffff,
                                 0xff7f8000, 0x7f800000, 0xff800000, 0x7f800001, 0xffbfffff, 0x7fffffff, 0x7fc08000, 0x00808000,
                                 0x3fffffff, 0x80000000, 0x477fefff, 0x477ff000, 0x387fffff, 0x33000000, 0x33000001, 0xb3c00000};
  const auto check = []<class T>(const std::vector<float>& x, T (*narrow)(float)) {
    std::vector<T> words;
    std::vector<float> back;
    for (float v : x) {
      words.push_back(narrow(v));
      back.push_back(to_f32(words.back()));
    }
    check_same(to(row_of(x), std::is_same_v<T, f16> ? f16_ : bf16_), row_of(words));
    check_same(to(row_of(words), f32_), row_of(back));
  };
  for (int64_t n : {1, 15, 16, 17, 39}) {
    for (size_t first = 0; first < std::size(kCases); ++first) {
      std::vector<float> x;
      for (size_t i = first; i < first + static_cast<size_t>(n); ++i) x.push_back(std::bit_cast<float>(kCases[i % std::size(kCases)]));
      check.operator()<f16>(x, to_f16);
      check.operator()<bf16>(x, to_bf16);
    }
  }
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
  check_same(to(x, i32_), row_of<int32_t>({3, -7, 1000, 2, INT32_MIN, INT32_MIN, INT32_MIN, 0}));
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

}  // namespace tern::test::in_elementwise_cast
