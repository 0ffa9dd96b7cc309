// Quantising, back, and the two operators whose output size is data. Contracts: kernels/quantize/quantize.h, kernels/movement/movement.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/quantize/linear.h"
#include "tests/support/op_test.h"

namespace tern::test::in_quantize {
namespace {

Tensor u8(Dims dims, std::vector<float> v) { return cast(f32(dims, std::move(v)), DType::u8); }
Tensor i8(Dims dims, std::vector<float> v) { return cast(f32(dims, std::move(v)), DType::i8); }

// kernels/quantize/bytes.h multiplies with a reciprocal and corrects it.
template <class Q>
void check_half_steps(float scale, int32_t zero) {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> x = {
      0, inf, -inf, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::max(), -std::numeric_limits<float>::max()};
  const float step = std::isfinite(scale) && scale != 0 ? scale : 1;
  for (int k = -257; k <= 257; ++k) {
    const float half = (static_cast<float>(k) + 0.5f) * step;
    for (float v : {half, std::nextafter(half, inf), std::nextafter(half, -inf), static_cast<float>(k) * step}) x.push_back(v);
  }
  const auto n = static_cast<int64_t>(x.size());
  const Tensor zero_point = cast(f32({}, {static_cast<float>(zero)}), dtype_of<Q>());
  const Tensor y = run_op("QuantizeLinear", {}, {f32({n}, x), f32({}, {scale}), zero_point})[0];
  int64_t differ = 0;
  for (int64_t i = 0; i < n; ++i) differ += y.data<Q>()[i] != quantized<Q>(x[static_cast<size_t>(i)], scale, zero);
  CAPTURE(scale);
  CHECK(differ == 0);
}

}  // namespace

TEST_CASE("quantize: ties go to even, ends saturate, before and after the zero point") {
  const Tensor x = f32({7}, {0, 1, 3, -1, 1000, -1000, 5});
  check_same(run_op("QuantizeLinear", {}, {x, f32({}, {2}), u8({}, {128})})[0], u8({7}, {128, 128, 130, 128, 255, 0, 130}));
  check_same(run_op("QuantizeLinear", {}, {x, f32({}, {2})})[0], u8({7}, {0, 0, 2, 0, 255, 0, 2}));
  check_same(run_op("QuantizeLinear", {}, {x, f32({1}, {2}), i8({1}, {-1})})[0], i8({7}, {-1, -1, 1, -1, 127, -128, 1}));
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  check_same(run_op("QuantizeLinear", {}, {f32({3}, {inf, -inf, nan}), f32({}, {1}), i8({}, {0})})[0], i8({3}, {127, -128, -128}));
}

TEST_CASE("quantize: a byte is what a division gives, at every half step, by scales of every kind") {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> scales = {1.0f, 0.1f, 1.0f / 3, 0x1.fffffep-1f, 0x1.fffffep-100f, 0x1p-118f, 0x1.8p118f, 0x1.fffffep127f, -0.3f, 0.0f, -0.0f,
                               inf,  -inf, NAN};
  const Tensor some = random_f32({40}, 5, 0.0001f, 0.1f);
  scales.insert(scales.end(), some.data<float>(), some.data<float>() + 40);
  for (float scale : scales) {
    check_half_steps<uint8_t>(scale, 3);
    check_half_steps<int8_t>(scale, -128);
  }
}

TEST_CASE("quantize: one scale and one zero point for all are [] or [1], each on its own") {
  for (const Dims& s : {Dims{}, Dims{1}}) {
    for (const Dims& z : {Dims{}, Dims{1}}) {
      check_same(run_op("QuantizeLinear", {}, {f32({2, 2}, {0, 2, 4, 6}), f32(s, {2}), u8(z, {1})})[0], u8({2, 2}, {1, 2, 3, 4}));
      check_same(
          run_op("DequantizeLinear", {}, {cast(f32({2, 3}, {0, 1, 2, 3, 4, -5}), DType::i32), f32(s, {0.5f}), cast(f32(z, {0}), DType::i32)})[0],
          f32({2, 3}, {0, 0.5f, 1, 1.5f, 2, -2.5f}));
    }
  }
  CHECK(op_error("QuantizeLinear", {}, {f32({2, 2}, {0, 2, 4, 6}), f32({2}, {2, 2}), u8({1}, {1})}) != "");
  CHECK(op_error("DequantizeLinear", {{"block_size", int64_t(2)}}, {u8({2}, {1, 2}), f32({1}, {2}), u8({}, {1})}) != "");
}

TEST_CASE("quantize: one scale an index of the axis, one a block") {
  const Tensor x = f32({2, 3}, {2, 4, 6, 8, 10, 12});
  check_same(run_op("QuantizeLinear", {}, {x, f32({3}, {1, 2, 3}), u8({3}, {0, 1, 2})})[0], u8({2, 3}, {2, 3, 4, 8, 6, 6}));
  check_same(run_op("QuantizeLinear", {{"axis", int64_t(0)}}, {x, f32({2}, {1, 2})})[0], u8({2, 3}, {2, 4, 6, 4, 5, 6}));
  check_same(run_op("QuantizeLinear", {{"axis", int64_t(-1)}, {"block_size", int64_t(2)}}, {x, f32({2, 2}, {1, 2, 4, 1})})[0],
             u8({2, 3}, {2, 4, 3, 2, 2, 12}));
  check_same(run_op("DequantizeLinear", {{"axis", int64_t(0)}, {"block_size", int64_t(2)}},
                    {u8({3, 2}, {1, 2, 3, 4, 5, 6}), f32({2, 2}, {1, 10, 2, 20})})[0],
             f32({3, 2}, {1, 20, 3, 40, 10, 120}));
  CHECK(op_error("QuantizeLinear", {}, {x, f32({2}, {1, 2})}) != "");
  CHECK(op_error("QuantizeLinear", {{"block_size", int64_t(2)}}, {x, f32({2, 3}, {1, 2, 3, 4, 5, 6})}) != "");
}

TEST_CASE("dequantize: exact distances, every integer dtype") {
  check_same(run_op("DequantizeLinear", {}, {u8({3}, {0, 128, 255}), f32({}, {0.5f}), u8({}, {128})})[0], f32({3}, {-64, 0, 63.5f}));
  check_same(run_op("DequantizeLinear", {}, {i8({2}, {-128, 127}), f32({}, {2}), i8({}, {127})})[0], f32({2}, {-510, 0}));
  check_same(run_op("DequantizeLinear", {}, {cast(f32({2}, {-7, 100000}), DType::i32), f32({}, {0.25f})})[0], f32({2}, {-1.75f, 25000}));
  check_same(run_op("DequantizeLinear", {}, {cast(f32({1}, {65535}), DType::u16), cast(f32({}, {0.5f}), DType::f16)})[0],
             cast(f32({1}, {32767.5f}), DType::f16));
  CHECK(op_error("DequantizeLinear", {}, {u8({1}, {0}), f32({}, {1}), i8({}, {0})}) != "");
}

TEST_CASE("dynamic quantize: the range always holds zero") {
  auto y = run_op("DynamicQuantizeLinear", {}, {f32({3}, {0, 51, 255})}, 3);
  check_same(y[0], u8({3}, {0, 51, 255}));
  check_same(y[1], f32({}, {1}));
  y = run_op("DynamicQuantizeLinear", {}, {f32({2}, {-255, -51})}, 3);
  check_same(y[0], u8({2}, {0, 204}));
  check_same(y[2], u8({}, {255}));
  check_same(run_op("DynamicQuantizeLinear", {}, {f32({2}, {0, 0})}, 3)[1], f32({}, {1}));
}

TEST_CASE("dynamic quantize: the ends of the range are found wherever they are") {
  for (const auto& [n, low, high] :
       {std::array<int64_t, 3>{2, 0, 1}, {257, 256, 255}, {1000, 131, 999}, {33000, 32999, 250}, {33000, 32768, 32767}}) {
    Tensor x = *Tensor::allocate(DType::f32, {n});
    std::fill_n(x.mutable_data<float>(), n, std::numeric_limits<float>::quiet_NaN());  // is in no range
    x.mutable_data<float>()[low] = -100;
    x.mutable_data<float>()[high] = 410;
    const auto y = run_op("DynamicQuantizeLinear", {}, {x}, 3);
    check_same(y[1], f32({}, {2}));
    check_same(y[2], u8({}, {50}));
    CHECK(y[0].data<uint8_t>()[low] == 0);
    CHECK(y[0].data<uint8_t>()[high] == 255);
  }
}

TEST_CASE("compress: along an axis, or flat; fewer flags than elements") {
  const Tensor x = f32({3, 2}, {1, 2, 3, 4, 5, 6});
  check_same(run_op("Compress", {{"axis", int64_t(0)}}, {x, boolean({3}, {false, true, true})})[0], f32({2, 2}, {3, 4, 5, 6}));
  check_same(run_op("Compress", {{"axis", int64_t(-1)}}, {x, boolean({2}, {false, true})})[0], f32({3, 1}, {2, 4, 6}));
  check_same(run_op("Compress", {}, {x, boolean({5}, {false, true, false, false, true})})[0], f32({2}, {2, 5}));
  CHECK(run_op("Compress", {}, {x, boolean({1}, {false})})[0].dims() == Dims{0});
  for (DType t : {DType::u8, DType::f16, DType::f32, DType::f64}) {  // elements that lie apart, of every width: those of even numbers
    const Tensor wide = cast(random_f32({7, 50}, 5, 0, 100), t);
    Tensor columns = *Tensor::allocate(t, {7, 25});
    std::vector<bool> even, all;
    for (int64_t i = 0; i < 50; ++i) even.push_back(i % 2 == 0);
    for (int64_t i = 0; i < 350; ++i) {
      all.push_back(i % 2 == 0);
      const auto at = static_cast<size_t>(i);
      if (i % 2 == 0) std::memcpy(columns.mutable_raw() + at / 2 * size_of(t), wide.raw() + at * size_of(t), size_of(t));
    }
    check_same(run_op("Compress", {{"axis", int64_t(1)}}, {wide, boolean({50}, even)})[0], columns);
    check_same(run_op("Compress", {}, {wide, boolean({350}, all)})[0], columns.reshaped({175}));
  }
  CHECK(op_error("Compress", {{"axis", int64_t(1)}}, {x, boolean({3}, {true, true, true})}) != "");
}

TEST_CASE("nonzero: coordinates in order, NaN is not zero, -0 is") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check_same(run_op("NonZero", {}, {f32({2, 3}, {0, 2, -0.0f, nan, 0, 1})})[0], i64({2, 3}, {0, 1, 1, 1, 0, 2}));
  check_same(run_op("NonZero", {}, {boolean({3}, {true, false, true})})[0], i64({1, 2}, {0, 2}));
  for (const Dims& dims : {Dims{60}, Dims{5, 12}, Dims{3, 4, 5}, Dims{3, 1, 20}, Dims{2, 3, 2, 5}}) {
    Tensor some = cast(random_f32(dims, 7, 0, 3), DType::i64);
    std::vector<std::vector<int64_t>> places(static_cast<size_t>(dims.rank));
    for (int64_t i = 0; i < 60; ++i) {
      if (some.data<int64_t>()[i] == 0) continue;
      for (int64_t d = dims.rank - 1, rest = i; d >= 0; rest /= dims[static_cast<int>(d)], --d)
        places[static_cast<size_t>(d)].push_back(rest % dims[static_cast<int>(d)]);
    }
    std::vector<int64_t> rows;
    for (const auto& row : places) rows.insert(rows.end(), row.begin(), row.end());
    check_same(run_op("NonZero", {}, {some})[0], i64({dims.rank, static_cast<int64_t>(places[0].size())}, rows));
  }
  CHECK(run_op("NonZero", {}, {f32({2}, {0, 0})})[0].dims() == Dims{1, 0});
}

TEST_CASE("reverse sequence: each batch its own length") {
  const Tensor x = f32({3, 2}, {1, 2, 3, 4, 5, 6});
  check_same(run_op("ReverseSequence", {}, {x, i64({2}, {3, 2})})[0], f32({3, 2}, {5, 4, 3, 2, 1, 6}));
  check_same(run_op("ReverseSequence", {{"batch_axis", int64_t(0)}, {"time_axis", int64_t(1)}}, {x, i64({3}, {1, 2, 0})})[0],
             f32({3, 2}, {1, 2, 4, 3, 5, 6}));
  CHECK(op_error("ReverseSequence", {}, {x, i64({3}, {1, 1, 1})}) != "");
}

}  // namespace tern::test::in_quantize
