// Operators on quantised values against the plain ones between DequantizeLinear and QuantizeLinear: equal bytes. Contract: kernels/quantize/mapped.h.
#include <doctest/doctest.h>

#include "tests/support/op_test.h"

namespace tern::test::in_quantize_mapped {
namespace {

Tensor bytes(Dims dims, DType t, int step) {
  Tensor x = *Tensor::allocate(t, dims);
  for (int64_t i = 0; i < x.count(); ++i) x.mutable_raw()[i] = static_cast<std::byte>(i * step + i / 256);
  return x;
}
Tensor scalar8(int64_t v, DType t) { return cast(f32({}, {static_cast<float>(v)}), t); }

}  // namespace

TEST_CASE("quantised sum and product: the bytes of the plain operators, every tail, ties and saturation among them") {
  for (const auto& [op, fused] : {std::pair{"Add", "QuantizedAdd"}, std::pair{"Mul", "QuantizedMul"}}) {
    for (DType s : {DType::u8, DType::i8}) {
      for (DType y : {DType::u8, DType::i8}) {
        for (int64_t n : {1, 15, 16, 17, 1000}) {
          for (float scale : {0.5f, 0.013f, 1e-7f}) {
            const Tensor a = bytes({n}, s, 1), b = bytes({n}, y, 7), za = scalar8(3, s), zb = scalar8(100, y), zy = scalar8(20, y);
            const Tensor a_scale = f32({}, {0.25f}), b_scale = f32({}, {0.125f}), y_scale = f32({}, {scale});
            const Tensor real_a = run_op("DequantizeLinear", {}, {a, a_scale, za})[0], real_b = run_op("DequantizeLinear", {}, {b, b_scale, zb})[0];
            const Tensor plain = run_op("QuantizeLinear", {}, {run_op(op, {}, {real_a, real_b})[0], y_scale, zy})[0];
            check_same(run_op(fused, {}, {a, a_scale, za, b, b_scale, zb, y_scale, zy})[0], plain);
          }
        }
      }
    }
  }
  const Tensor a = bytes({4}, DType::u8, 1), one = f32({}, {1}), zero = scalar8(0, DType::u8);
  CHECK(op_error("QuantizedAdd", {}, {a, one, zero, bytes({5}, DType::u8, 1), one, zero, one, zero}) != "");
  CHECK(op_error("QuantizedAdd", {}, {a, f32({2}, {1, 1}), zero, a, one, zero, one, zero}) != "");
  CHECK(op_error("QuantizedAdd", {}, {a, one, scalar8(0, DType::i8), a, one, zero, one, zero}) != "");
}

TEST_CASE("table of bytes: entry i for the byte i, whatever its sign") {
  const Tensor x = bytes({300}, DType::i8, 1), table = bytes({256}, DType::u8, 3);
  const Tensor y = run_op("Lookup8", {}, {x, table})[0];
  for (int64_t i = 0; i < 300; ++i) CHECK(y.data<uint8_t>()[i] == static_cast<uint8_t>(3 * static_cast<uint8_t>(i + i / 256)));
  CHECK(op_error("Lookup8", {}, {x, bytes({255}, DType::u8, 1)}) != "");
  CHECK(op_error("Lookup8", {}, {x, f32({256}, std::vector<float>(256, 1))}) != "");
}

TEST_CASE("maximum with channels last: the bytes of MaxPool") {
  for (DType t : {DType::u8, DType::i8}) {
    const Tensor x = bytes({2, 21, 9, 8}, t, 37);
    const Attrs attrs{{"kernel_shape", std::vector<int64_t>{3, 2}},
                      {"strides", std::vector<int64_t>{2, 1}},
                      {"pads", std::vector<int64_t>{1, 0, 1, 1}},
                      {"dilations", std::vector<int64_t>{1, 2}},
                      {"ceil_mode", int64_t(1)}};
    auto turned = [](const Tensor& v) { return run_op("Transpose", {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}, {v})[0]; };
    check_same(run_op("MaxPoolLast", attrs, {turned(x)})[0], turned(run_op("MaxPool", attrs, {x})[0]));
  }
  CHECK(op_error("MaxPoolLast", {{"kernel_shape", std::vector<int64_t>{2, 2}}}, {bytes({2, 3, 4}, DType::u8, 1)}) != "");
}

}  // namespace tern::test::in_quantize_mapped
