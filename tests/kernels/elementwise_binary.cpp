// The binary and variadic operators: broadcasting against xtensor, integers against C, edges. Contract: kernels/elementwise/elementwise.h.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>

#include "runtime/base/half.h"
#include "tests/support/op_test.h"

namespace tern::test::in_elementwise_binary {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

template <class T>
Tensor row_of(std::vector<T> v) {
  return Tensor::of<T>({static_cast<int64_t>(v.size())}, std::span<const T>(v));
}
template <class T>
xt::xarray<T> array_of(const Tensor& t) {
  std::vector<size_t> shape(t.dims().span().begin(), t.dims().span().end());
  xt::xarray<T> a = xt::xarray<T>::from_shape(shape);
  std::copy_n(t.data<T>(), t.count(), a.begin());
  return a;
}
template <class T, class E>
Tensor tensor_of(const E& expression) {
  xt::xarray<T> a = expression;
  Dims dims;
  for (size_t n : a.shape()) dims.push_back(static_cast<int64_t>(n));
  Tensor t = *Tensor::allocate(dtype_of<T>(), dims);
  std::copy(a.begin(), a.end(), t.template mutable_data<T>());
  return t;
}
Tensor random_i64(Dims dims, uint32_t seed) {
  const Tensor f = random_f32(dims, seed, -50, 50);
  return cast(f, DType::i64);
}

const std::pair<Dims, Dims> kShapes[] = {
    {{2, 3, 4}, {2, 3, 4}},
    {{2, 3, 4}, {4}},
    {{4}, {2, 3, 4}},
    {{2, 3, 4}, {3, 1}},
    {{3, 1}, {2, 3, 4}},
    {{2, 1, 4}, {3, 1}},
    {{5, 1}, {1, 7}},
    {{}, {3}},
    {{3}, {}},
    {{1, 1}, {2, 17}},
    {{2, 3, 1, 5}, {3, 4, 1}},
    {{2, 3, 33}, {1, 3, 1}},
    {{7, 16}, {16}},
    {{7, 17}, {17}},
    {{7, 15}, {7, 1}},
    {{1, 2, 1, 2, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1, 2, 1}},
    {{3, 1, 1}, {3, 5, 40}},
    {{70}, {1}},
    {{}, {}},
};

}  // namespace

TEST_CASE("binary: f32 broadcasting is that of xtensor, bit for bit") {
  for (const auto& shapes : kShapes) {
    const Dims &da = shapes.first, &db = shapes.second;
    INFO(to_string(da) << " with " << to_string(db));
    const Tensor a = random_f32(da, 1, -4, 4), b = random_f32(db, 2, 1, 4);
    const auto xa = array_of<float>(a), xb = array_of<float>(b);
    check_same(run_op("Add", {}, {a, b})[0], tensor_of<float>(xa + xb));
    check_same(run_op("Sub", {}, {a, b})[0], tensor_of<float>(xa - xb));
    check_same(run_op("Mul", {}, {a, b})[0], tensor_of<float>(xa * xb));
    check_same(run_op("Div", {}, {a, b})[0], tensor_of<float>(xa / xb));
    check_same(run_op("Min", {}, {a, b})[0], tensor_of<float>(xt::minimum(xa, xb)));
    check_same(run_op("Max", {}, {a, b})[0], tensor_of<float>(xt::maximum(xa, xb)));
    check_same(run_op("Less", {}, {a, b})[0], tensor_of<bool>(xa < xb));
    check_same(run_op("GreaterOrEqual", {}, {a, b})[0], tensor_of<bool>(xa >= xb));
    check_close(run_op("Pow", {}, {b, a})[0], tensor_of<float>(xt::pow(xt::cast<double>(xb), xt::cast<double>(xa))), 1);
  }
}

TEST_CASE("binary: i64 and f64 broadcasting is that of xtensor") {
  for (const auto& shapes : kShapes) {
    const Dims &da = shapes.first, &db = shapes.second;
    INFO(to_string(da) << " with " << to_string(db));
    const Tensor a = random_i64(da, 3), b = random_i64(db, 4);
    const auto xa = array_of<int64_t>(a), xb = array_of<int64_t>(b);
    check_same(run_op("Add", {}, {a, b})[0], tensor_of<int64_t>(xa + xb));
    check_same(run_op("Sub", {}, {a, b})[0], tensor_of<int64_t>(xa - xb));
    check_same(run_op("BitwiseAnd", {}, {a, b})[0], tensor_of<int64_t>(xa & xb));
    check_same(run_op("Equal", {}, {a, b})[0], tensor_of<bool>(xt::equal(xa, xb)));
    check_same(run_op("Greater", {}, {a, b})[0], tensor_of<bool>(xa > xb));
    const Tensor c = cast(random_f32(da, 5), DType::f64), d = cast(random_f32(db, 6), DType::f64);
    check_same(run_op("Mul", {}, {c, d})[0], tensor_of<double>(array_of<double>(c) * array_of<double>(d)));
  }
}

TEST_CASE("where: broadcasting of three inputs is that of xtensor") {
  const Dims triples[][3] = {
      {{2, 3}, {2, 3}, {2, 3}}, {{2, 1}, {3}, {1, 1}}, {{}, {4, 5}, {5}}, {{4, 5}, {}, {}}, {{3, 1, 1}, {1, 4, 1}, {1, 1, 21}}};
  for (const auto& [dc, da, db] : triples) {
    const Tensor r = random_f32(dc, 7), a = random_f32(da, 8), b = random_f32(db, 9);
    const Tensor c = run_op("Greater", {}, {r, f32({}, {0})})[0];
    check_same(run_op("Where", {}, {c, a, b})[0], tensor_of<float>(xt::where(array_of<bool>(c), array_of<float>(a), array_of<float>(b))));
    for (DType t : {DType::f64, DType::f16, DType::i8, DType::i64}) {
      const Tensor y = run_op("Where", {}, {c, cast(a, t), cast(b, t)})[0];
      check_same(y, cast(run_op("Where", {}, {c, a, b})[0], t));
    }
  }
  CHECK(op_error("Where", {}, {f32({1}, {1}), f32({1}, {1}), f32({1}, {1})}) == "f32 inputs are not supported");
  CHECK(op_error("Where", {}, {boolean({1}, {true}), f32({1}, {1}), i64({1}, {1})}) == "inputs 1 and 2 are f32 and i64");
}

TEST_CASE("where: NaN of the other side does not leak, strings are chosen whole") {
  check_same(run_op("Where", {}, {boolean({2}, {true, false}), f32({2}, {1, kNan}), f32({2}, {kNan, 2})})[0], f32({2}, {1, 2}));
  const std::string a[] = {"yes", "a much longer string than that"}, b[] = {"no", ""};
  const Tensor y = run_op("Where", {}, {boolean({2}, {false, true}), *Tensor::strings({2}, a), *Tensor::strings({2}, b)})[0];
  CHECK(y.data<StringRef>()[0].view() == "no");
  CHECK(y.data<StringRef>()[1].view() == a[1]);
}

TEST_CASE("binary: shapes that do not broadcast and mixed dtypes are refused") {
  CHECK(op_error("Add", {}, {f32({2}, {1, 2}), f32({3}, {1, 2, 3})}) == "shapes [2] and [3] do not broadcast");
  CHECK(op_error("Add", {}, {f32({1}, {1}), i64({1}, {1})}) == "inputs 0 and 1 are f32 and i64");
  CHECK(op_error("Add", {}, {boolean({1}, {true}), boolean({1}, {true})}) == "bool inputs are not supported");
  CHECK(op_error("And", {}, {i64({1}, {1}), i64({1}, {1})}) == "i64 inputs are not supported");
  CHECK(op_error("PRelu", {}, {f32({2}, {1, 2}), f32({2, 2}, {1, 2, 3, 4})}) == "the slope [2,2] does not broadcast to [2]");
}

TEST_CASE("binary: empty tensors broadcast to empty ones") {
  CHECK(run_op("Add", {}, {f32({0, 3}, {}), f32({3}, {1, 2, 3})})[0].dims() == Dims{0, 3});
  CHECK(run_op("Mul", {}, {f32({2, 0}, {}), f32({1}, {1})})[0].dims() == Dims{2, 0});
}

TEST_CASE("div: integer division truncates like C and never traps") {
  check_same(run_op("Div", {}, {row_of<int32_t>({7, -7, 7, -7, 5, INT32_MIN, INT32_MIN}), row_of<int32_t>({2, 2, -2, -2, 0, -1, 1})})[0],
             row_of<int32_t>({3, -3, -3, 3, 0, INT32_MIN, INT32_MIN}));
  check_same(run_op("Div", {}, {row_of<int64_t>({INT64_MIN, INT64_MIN, 1}), row_of<int64_t>({-1, 0, -1})})[0], row_of<int64_t>({INT64_MIN, 0, -1}));
  check_same(run_op("Div", {}, {row_of<int8_t>({-128, 100}), row_of<int8_t>({-1, -3})})[0], row_of<int8_t>({-128, -33}));
  check_same(run_op("Div", {}, {row_of<uint64_t>({UINT64_MAX, 9}), row_of<uint64_t>({2, 0})})[0], row_of<uint64_t>({UINT64_MAX / 2, 0}));
}

TEST_CASE("binary: integer arithmetic wraps") {
  check_same(run_op("Add", {}, {row_of<int8_t>({127, -128}), row_of<int8_t>({1, -1})})[0], row_of<int8_t>({-128, 127}));
  check_same(run_op("Mul", {}, {row_of<uint16_t>({65535}), row_of<uint16_t>({65535})})[0], row_of<uint16_t>({1}));
  check_same(run_op("Sub", {}, {row_of<uint32_t>({0}), row_of<uint32_t>({1})})[0], row_of<uint32_t>({UINT32_MAX}));
  check_same(run_op("Mul", {}, {row_of<int64_t>({INT64_MAX}), row_of<int64_t>({2})})[0], row_of<int64_t>({-2}));
}

TEST_CASE("mod: the sign is the divisor's, or with fmod the dividend's") {
  const Tensor a = row_of<int32_t>({7, -7, 7, -7, 6, -6, 5, INT32_MIN}), b = row_of<int32_t>({3, 3, -3, -3, 3, -3, 0, -1});
  check_same(run_op("Mod", {}, {a, b})[0], row_of<int32_t>({1, 2, -2, -1, 0, 0, 0, 0}));
  check_same(run_op("Mod", {{"fmod", int64_t(1)}}, {a, b})[0], row_of<int32_t>({1, -1, 1, -1, 0, 0, 0, 0}));
  const Tensor x = f32({5}, {5.5f, -5.5f, 1e30f, 1, kInf}), y = f32({5}, {2, 2, 3, 0, 1});
  check_same(run_op("Mod", {{"fmod", int64_t(1)}}, {x, y})[0], f32({5}, {1.5f, -1.5f, std::fmod(1e30f, 3.0f), kNan, kNan}));
  // numpy.mod
  const Tensor u = f32({9}, {-4.5f, 7.5f, 1, kInf, 1, -1, -0.0f, 6, -6}), v = f32({9}, {2, -2, 0, 2, kInf, kInf, 2, -3, 3});
  check_same(run_op("Mod", {}, {u, v})[0], f32({9}, {1.5f, -0.5f, kNan, kNan, 1, kInf, 0, -0.0f, 0}));
}

TEST_CASE("mod: remainders of floats of any exponents are exact") {  // as std::fmod's are
  constexpr int64_t kCount = 4096;
  Tensor a = random_f32({kCount}, 3), b = random_f32({kCount}, 4), expected = random_f32({kCount}, 5);
  for (int64_t i = 0; i < kCount; ++i) {
    float &x = a.mutable_data<float>()[i], &y = b.mutable_data<float>()[i];
    x = std::ldexp(x, static_cast<int>(i * 37 % 220) - 100);
    y = std::ldexp(y, static_cast<int>(i * 91 % 200) - 98);
    if (i % 5 == 0) x = y * static_cast<float>(i % 1000);
    expected.mutable_data<float>()[i] = std::fmod(x, y);
    if (std::fabs(expected.data<float>()[i]) < std::numeric_limits<float>::min())
      expected.mutable_data<float>()[i] = std::copysign(0.0f, x);  // flushed
  }
  check_same(run_op("Mod", {{"fmod", int64_t(1)}}, {a, b})[0], expected);
  const Tensor halves = cast(random_f32({64}, 6, -60000, 60000), DType::f16), wide = run_op("Cast", {{"to", int64_t(1)}}, {halves})[0];
  const Tensor three = cast(f32({1}, {3}), DType::f16);
  Tensor rest = random_f32({64}, 7);
  for (int64_t i = 0; i < 64; ++i) rest.mutable_data<float>()[i] = std::fmod(wide.data<float>()[i], 3.0f);
  check_same(run_op("Mod", {{"fmod", int64_t(1)}}, {halves, three})[0], cast(rest, DType::f16));
}

TEST_CASE("mod: remainders of doubles of any exponents are exact, subnormals too") {  // as std::fmod's are
  constexpr int64_t kCount = 4096;
  auto doubles = [] { return *Tensor::allocate(DType::f64, {kCount}); };
  Tensor a = doubles(), b = doubles(), expected = doubles(), turned = doubles();
  uint64_t state = 1;
  auto bits = [&] {  // a generator of Knuth's, its high half twice
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state ^ state >> 31;
  };
  constexpr uint64_t kMantissa = (uint64_t(1) << 52) - 1;
  for (int64_t i = 0; i < kCount; ++i) {
    uint64_t x = bits(), y = bits();
    if (i % 8 == 1) x &= kMantissa;                           // subnormal
    if (i % 8 == 2) y &= kMantissa >> (i % 53);               // and a divisor of few bits
    if (i % 8 == 3) y = (y & kMantissa) | uint64_t(1) << 52;  // the farthest apart
    if (i % 8 == 4) y |= kMantissa;
    if (i % 8 == 5) y &= ~kMantissa;
    if (i % 8 == 6) x = (x >> 12) | uint64_t(0x433) << 52, y = (y >> 12) | uint64_t(0x431) << 52;
    if (i % 64 == 7) x = y;
    a.mutable_data<double>()[i] = std::bit_cast<double>(x);
    b.mutable_data<double>()[i] = std::bit_cast<double>(y);
    expected.mutable_data<double>()[i] = std::fmod(a.data<double>()[i], b.data<double>()[i]);
  }
  check_same(run_op("Mod", {{"fmod", int64_t(1)}}, {a, b})[0], expected);
  const double least = std::numeric_limits<double>::min();
  for (int64_t i = 0; i < kCount; ++i) {
    double &x = a.mutable_data<double>()[i], &y = b.mutable_data<double>()[i];
    const double r = expected.data<double>()[i];
    const bool same = (r < 0) == (y < 0);
    turned.mutable_data<double>()[i] = r == 0 ? std::copysign(0.0, y) : same ? r : r + y;
    if (std::fabs(y) >= least && (r == 0 || (std::fabs(r) >= least && std::fabs(r + y) >= least))) continue;
    x = turned.mutable_data<double>()[i] = 0.25, y = 1;  // its sum would be flushed
  }
  check_same(run_op("Mod", {}, {a, b})[0], turned);
}

TEST_CASE("pow: a float exponent and the same as a double give the same bits") {  // loops of vectors, and one call an element
  Tensor x = random_f32({1000}, 1, -3, 30), y = random_f32({1000}, 2, -9, 9);
  for (int64_t i = 0; i < 1000; i += 3) y.mutable_data<float>()[i] = std::round(y.data<float>()[i]);
  check_same(run_op("Pow", {}, {x, y})[0], run_op("Pow", {}, {x, cast(y, DType::f64)})[0]);
  check_same(run_op("Pow", {}, {x, f32({1}, {-1.7f})})[0], run_op("Pow", {}, {x, cast(f32({1}, {-1.7f}), DType::f64)})[0]);
  check_same(run_op("Pow", {}, {f32({1}, {2.5f}), y})[0], run_op("Pow", {}, {f32({1}, {2.5f}), cast(y, DType::f64)})[0]);
  const Tensor powers = run_op("Pow", {}, {x, y})[0];
  for (int64_t i = 0; i < 1000; ++i) CHECK(ulp_distance(powers.data<float>()[i], std::pow(x.data<float>()[i], y.data<float>()[i])) <= 1);
}

TEST_CASE("pow: integers wrap for exponents of every width, more than a block of them, and any operand may stand") {
  auto power = []<class T>(T a, int64_t b) {  // one multiplication after another, of as many as matter
    if (b < 0) return a == 1 ? T(1) : a == T(-1) ? T(b % 2 == 0 ? 1 : -1) : T(0);
    uint64_t r = 1;
    for (int64_t i = 0; i < b; ++i) r *= static_cast<uint64_t>(a);
    return static_cast<T>(r);
  };
  auto check = [&]<class T, class B>(T, B, DType t, DType exponent) {
    Tensor a = *Tensor::allocate(t, {3, 300}), b = *Tensor::allocate(exponent, {3, 300});
    Tensor y = *Tensor::allocate(t, {3, 300}), column = *Tensor::allocate(t, {3, 300});
    for (int64_t i = 0; i < 900; ++i) {
      a.mutable_data<T>()[i] = static_cast<T>(i * 7 - 2000);
      b.mutable_data<B>()[i] = static_cast<B>(i % 3 == 0 ? i % 5 - 3 : i * 11 % 77);
    }
    for (int64_t i = 0; i < 900; ++i) {
      y.mutable_data<T>()[i] = power(a.data<T>()[i], static_cast<int64_t>(b.data<B>()[i]));
      column.mutable_data<T>()[i] = power(a.data<T>()[i], static_cast<int64_t>(b.data<B>()[i / 300]));
    }
    check_same(run_op("Pow", {}, {a, b})[0], y);
    Tensor first = *Tensor::allocate(exponent, {3, 1});
    for (int64_t i = 0; i < 3; ++i) first.mutable_data<B>()[i] = b.data<B>()[i];
    check_same(run_op("Pow", {}, {a, first})[0], column);
  };
  check(int32_t(), int32_t(), DType::i32, DType::i32);
  check(int32_t(), int8_t(), DType::i32, DType::i8);
  check(int64_t(), int64_t(), DType::i64, DType::i64);
  check(int64_t(), int16_t(), DType::i64, DType::i16);
  check(int8_t(), int64_t(), DType::i8, DType::i64);
  check(int16_t(), int32_t(), DType::i16, DType::i32);
  // far beyond what is multiplied out: 3^(2^30) is 1 + 2^32 c and 3^(2^62) is 1, even numbers are 0
  const int64_t e = int64_t(1) << 30, large = int64_t(1) << 62;
  check_same(run_op("Pow", {}, {row_of<int32_t>({3, 2, 3, 4, 3}), i64({5}, {e, e, large, large + 1, (int64_t(1) << 40) + 2})})[0],
             row_of<int32_t>({1, 0, 1, 0, 9}));
  check_same(run_op("Pow", {}, {i64({3}, {3, 6, 3}), i64({3}, {large, large, large + 1})})[0], i64({3}, {1, 0, 3}));
  check_same(run_op("Pow", {}, {i64({2}, {3, -1}), row_of<uint64_t>({uint64_t(1) << 63 | 5, UINT64_MAX})})[0],
             run_op("Pow", {}, {i64({2}, {3, -1}), i64({2}, {INT64_MAX, INT64_MAX})})[0]);
  auto by_squares = [](auto a, uint64_t b) {
    uint64_t r = 1;
    for (auto s = static_cast<uint64_t>(a); b != 0; b >>= 1, s *= s) r *= (b & 1) != 0 ? s : 1;
    return static_cast<decltype(a)>(r);
  };
  std::vector<int64_t> bases, exponents, wide;
  std::vector<int32_t> narrow_bases, narrow;
  for (int64_t base : {3, 5, -7, 2, 6, -4, 1, -1, 0, 123456789, 40}) {
    for (int bit : {15, 16, 17, 23, 24, 25, 31, 32, 40, 61, 62}) {
      for (int64_t more : {-1, 0, 1, 2, 0x5a5a}) {
        const int64_t exponent = (int64_t(1) << bit) + more;
        bases.push_back(base), exponents.push_back(exponent), narrow_bases.push_back(static_cast<int32_t>(base));
        wide.push_back(by_squares(base, static_cast<uint64_t>(exponent)));
        narrow.push_back(by_squares(static_cast<int32_t>(base), static_cast<uint64_t>(exponent)));
      }
    }
  }
  const auto n = static_cast<int64_t>(bases.size());
  check_same(run_op("Pow", {}, {i64({n}, bases), i64({n}, exponents)})[0], i64({n}, wide));
  check_same(run_op("Pow", {}, {Tensor::of<int32_t>({n}, narrow_bases), i64({n}, exponents)})[0], Tensor::of<int32_t>({n}, narrow));
}

TEST_CASE("pow: mixed dtypes, exact integers and IEEE edges") {
  check_same(run_op("Pow", {}, {row_of<int32_t>({2, 3, -2, 7, 0, 2, -1, 1}), row_of<int64_t>({10, 4, 3, 0, 0, -1, -3, -5})})[0],
             row_of<int32_t>({1024, 81, -8, 1, 1, 0, -1, 1}));
  check_same(run_op("Pow", {}, {row_of<int64_t>({7, 3}), f32({2}, {3, 2.9f})})[0], row_of<int64_t>({343, 24}));
  check_same(run_op("Pow", {}, {row_of<int64_t>({3}), row_of<int32_t>({39})})[0], row_of<int64_t>({4052555153018976267}));
  check_same(run_op("Pow", {}, {f32({3}, {2, 3, 0.5f}), row_of<int64_t>({3, -1, 2})})[0], f32({3}, {8, 1.0f / 3, 0.25f}));
  for (float x : {0.0f, -0.0f, 1.0f, -1.0f, 2.0f, -2.0f, 0.5f, kInf, -kInf, kNan, 1.5f}) {
    for (float y : {0.0f, -0.0f, 1.0f, -1.0f, 2.0f, 3.0f, -3.0f, 0.5f, -0.5f, kInf, -kInf, kNan, 200.0f, 1e30f}) {
      const float got = run_op("Pow", {}, {f32({1}, {x}), f32({1}, {y})})[0].data<float>()[0], expected = std::pow(x, y);
      CHECK_MESSAGE(ulp_distance(got, expected) <= 1, x << " ^ " << y << " is " << got << ", expected " << expected);
    }
  }
}

TEST_CASE("pow: a constant exponent of two gives the bits of the general kernel") {  // run_op compares constants with values
  const Tensor x = random_f32({100}, 11, -1e3f, 1e3f);
  check_same(run_op("Pow", {}, {x, f32({}, {2})})[0], run_op("Mul", {}, {x, x})[0]);
  check_same(run_op("Pow", {}, {x, i64({1}, {2})})[0], run_op("Mul", {}, {x, x})[0]);
}

TEST_CASE("min and max: NaN on either side propagates; any number of inputs") {
  const Tensor a = f32({4}, {kNan, 1, -kInf, 2}), b = f32({4}, {1, kNan, kInf, 3});
  check_same(run_op("Max", {}, {a, b})[0], f32({4}, {kNan, kNan, kInf, 3}));
  check_same(run_op("Min", {}, {a, b})[0], f32({4}, {kNan, kNan, -kInf, 2}));
  check_same(run_op("Max", {}, {b, a})[0], f32({4}, {kNan, kNan, kInf, 3}));
  check_same(run_op("Max", {}, {a})[0], a);
  check_same(run_op("Mean", {}, {f32({2}, {3, 5})})[0], f32({2}, {3, 5}));
  const Tensor x = random_f32({3, 1, 19}, 1), y = random_f32({5, 1}, 2), z = random_f32({19}, 3);
  const auto xa = array_of<float>(x), ya = array_of<float>(y), za = array_of<float>(z);
  check_same(run_op("Sum", {}, {x, y, z})[0], tensor_of<float>((xa + ya) + za));
  check_same(run_op("Mean", {}, {y, z, x})[0], tensor_of<float>(((ya + za) + xa) / 3.0f));
  check_same(run_op("Min", {}, {z, y, x})[0], tensor_of<float>(xt::minimum(xt::minimum(za, ya), xa)));
  check_same(run_op("Max", {}, {row_of<uint8_t>({1, 200}), row_of<uint8_t>({100, 100}), row_of<uint8_t>({7, 7})})[0], row_of<uint8_t>({100, 200}));
  CHECK(op_error("Sum", {}, {x, f32({2}, {1, 2})}).find("do not broadcast") != std::string::npos);
}

TEST_CASE("prelu: the slope broadcasts, applies below zero, NaN passes") {
  check_same(run_op("PRelu", {}, {f32({2, 3}, {-1, 2, -3, kNan, -5, 0}), f32({3}, {0.5f, 9, 2})})[0], f32({2, 3}, {-0.5f, 2, -6, kNan, -45, 0}));
  check_same(run_op("PRelu", {}, {row_of<int32_t>({-4, 4}), row_of<int32_t>({3, 3})})[0], row_of<int32_t>({-12, 4}));
}

TEST_CASE("comparisons: NaN equals nothing, bool and strings compare") {
  const Tensor a = f32({4}, {kNan, 1, 0.0f, 2}), b = f32({4}, {kNan, 1, -0.0f, 3});
  check_same(run_op("Equal", {}, {a, b})[0], boolean({4}, {false, true, true, false}));
  check_same(run_op("Less", {}, {a, b})[0], boolean({4}, {false, false, false, true}));
  check_same(run_op("LessOrEqual", {}, {a, b})[0], boolean({4}, {false, true, true, true}));
  check_same(run_op("Greater", {}, {a, b})[0], boolean({4}, {false, false, false, false}));
  check_same(run_op("GreaterOrEqual", {}, {a, b})[0], boolean({4}, {false, true, true, false}));
  check_same(run_op("Equal", {}, {boolean({2}, {true, false}), boolean({1}, {true})})[0], boolean({2}, {true, false}));
  check_same(run_op("Less", {}, {row_of<uint64_t>({UINT64_MAX, 1}), row_of<uint64_t>({1, UINT64_MAX})})[0], boolean({2}, {false, true}));
  const std::string words[] = {"cat", "dog", "ca"};
  check_same(run_op("Equal", {}, {*Tensor::strings({3}, words), *Tensor::strings({1}, std::span(words, 1))})[0], boolean({3}, {true, false, false}));
  CHECK(op_error("Less", {}, {*Tensor::strings({3}, words), *Tensor::strings({3}, words)}) == "string inputs are not supported");
}

TEST_CASE("comparisons: halves compare as the floats that they are, NaN, zeros and infinities too") {
  const uint16_t others[] = {0, 0x8000, 1, 0x8001, 0x3c00, 0xbc00, 0x7bff, 0x7c00, 0xfc00, 0x7c01, 0xfe00};
  const int64_t step = static_cast<int64_t>(every(7)), n = 65536 / step;
  for (uint16_t other : others) {
    Tensor a = *Tensor::allocate(DType::f16, {n}), b = *Tensor::allocate(DType::f16, {1});
    for (int64_t i = 0; i < n; ++i) a.mutable_data<f16>()[i].bits = static_cast<uint16_t>(i * step);
    b.mutable_data<f16>()->bits = other;
    const Tensor wide_a = run_op("Cast", {{"to", int64_t(1)}}, {a})[0], wide_b = run_op("Cast", {{"to", int64_t(1)}}, {b})[0];
    for (const char* op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}) {
      CAPTURE(std::string(op));
      check_same(run_op(op, {}, {a, b})[0], run_op(op, {}, {wide_a, wide_b})[0]);
    }
  }
}

TEST_CASE("logic and bits: truth tables, shifts by the width give zero") {
  const Tensor a = boolean({4}, {true, true, false, false}), b = boolean({4}, {true, false, true, false});
  check_same(run_op("And", {}, {a, b})[0], boolean({4}, {true, false, false, false}));
  check_same(run_op("Or", {}, {a, b})[0], boolean({4}, {true, true, true, false}));
  check_same(run_op("Xor", {}, {a, b})[0], boolean({4}, {false, true, true, false}));
  check_same(run_op("BitwiseOr", {}, {row_of<int8_t>({-128, 5}), row_of<int8_t>({1, 2})})[0], row_of<int8_t>({-127, 7}));
  check_same(run_op("BitwiseXor", {}, {row_of<uint8_t>({0xf0}), row_of<uint8_t>({0xff})})[0], row_of<uint8_t>({0x0f}));
  const Tensor x = row_of<uint8_t>({0x81, 0x81, 0x81, 0x81}), n = row_of<uint8_t>({0, 1, 8, 255});
  check_same(run_op("BitShift", {{"direction", std::string("LEFT")}}, {x, n})[0], row_of<uint8_t>({0x81, 0x02, 0, 0}));
  check_same(run_op("BitShift", {{"direction", std::string("RIGHT")}}, {x, n})[0], row_of<uint8_t>({0x81, 0x40, 0, 0}));
  CHECK(op_error("BitShift", {{"direction", std::string("UP")}}, {x, n}) == "direction is \"UP\", neither LEFT nor RIGHT");
}

TEST_CASE("binary: f16 rounds each operation once") {
  const Tensor a = random_f32({33}, 21, -9, 9), b = random_f32({33}, 22, 1, 9);
  const Tensor ha = cast(a, DType::f16), hb = cast(b, DType::f16), y = run_op("Div", {}, {ha, hb})[0];
  for (int64_t i = 0; i < 33; ++i) {
    CHECK(y.data<f16>()[i].bits == to_f16(static_cast<double>(to_f32(ha.data<f16>()[i])) / to_f32(hb.data<f16>()[i])).bits);
  }
}

TEST_CASE("elementwise: the output may lie on an input of its shape") {
  const Tensor a = random_f32({4, 37}, 1), b = random_f32({37}, 2);
  auto in_place = [](const char* name, const Tensor& x, const Tensor& y, size_t over) {
    const OpDef* op = find_op(name);
    REQUIRE((op->inplace_inputs >> over & 1) == 1);
    std::vector<Tensor> copies = {cast(x, DType::f64), cast(y, DType::f64)};  // fresh storage
    for (size_t i = 0; i < 2; ++i) {
      copies[i] = *Tensor::allocate(DType::f32, (i == 0 ? x : y).dims());
      std::copy_n((i == 0 ? x : y).data<float>(), copies[i].count(), copies[i].mutable_data<float>());
    }
    const TensorView in[] = {copies[0].view(), copies[1].view()}, out[] = {copies[over].view()};
    Attributes attrs;
    auto bound = bind_op(*op, {.attrs = {op->attrs, attrs}, .isa = runnable_isas().back(), .inputs = in, .outputs = out, .in_place = 1u << over});
    REQUIRE(bound.ok());
    PackStore packs;
    const ReadyStep ready = make_ready(*bound, copies, {&copies[over], 1}, packs);
    ready.step.run(ready.step.args);
    return copies[over];
  };
  for (const char* op : {"Add", "Max", "Mean", "Div"}) {
    check_same(in_place(op, a, b, 0), run_op(op, {}, {a, b})[0]);
    check_same(in_place(op, b, a, 1), run_op(op, {}, {b, a})[0]);
  }
}

}  // namespace tern::test::in_elementwise_binary
