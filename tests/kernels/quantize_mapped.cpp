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

TEST_CASE("quantised mean of windows: the bytes of AveragePool, wherever channels lie on either side") {
  struct Case {
    Dims x;
    std::vector<int64_t> kernel, strides, pads, dilations;
    int64_t ceil, include_pad;
  };
  for (const Case& k :
       {Case{{2, 85, 9, 8}, {3, 2}, {2, 1}, {1, 0, 1, 1}, {1, 2}, 1, 0}, Case{{1, 16, 6, 6}, {2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 0, 0},
        Case{{1, 3, 5, 5}, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 0, 1}, Case{{2, 70, 7}, {3}, {2}, {1, 1}, {1}, 1, 1},
        Case{{1, 20, 3, 4, 5}, {2, 3, 2}, {1, 2, 2}, {1, 0, 0, 0, 1, 1}, {1, 1, 2}, 0, 0}}) {
    std::vector<int64_t> last = {0}, first = {0, k.x.rank - 1};
    for (int64_t d = 2; d < k.x.rank; ++d) last.push_back(d), first.push_back(d - 1);
    last.push_back(1);
    const Attrs pool{{"kernel_shape", k.kernel}, {"strides", k.strides}, {"pads", k.pads},
                     {"dilations", k.dilations}, {"ceil_mode", k.ceil},  {"count_include_pad", k.include_pad}};
    for (DType t : {DType::u8, DType::i8}) {
      const Tensor x = bytes(k.x, t, 37), x_scale = f32({}, {0.05f}), x_zero = scalar8(90, t), y_scale = f32({}, {0.031f}),
                   y_zero = scalar8(7, DType::i8);
      const Tensor real = run_op("AveragePool", pool, {run_op("DequantizeLinear", {}, {x, x_scale, x_zero})[0]})[0];
      const Tensor expected = run_op("QuantizeLinear", {}, {real, y_scale, y_zero})[0];
      for (int64_t sides : {0, 1, 2, 3}) {
        const Attrs fused{{"kernel_shape", k.kernel}, {"strides", k.strides}, {"pads", k.pads},
                          {"dilations", k.dilations}, {"ceil_mode", k.ceil},  {"count_include_pad", k.include_pad},
                          {"channels_last", sides}};
        const Tensor given = (sides & 1) == 0 ? x : run_op("Transpose", {{"perm", last}}, {x})[0];
        const Tensor y = run_op("QuantizedAveragePool", fused, {given, x_scale, x_zero, y_scale, y_zero})[0];
        check_same((sides & 2) == 0 ? y : run_op("Transpose", {{"perm", first}}, {y})[0], expected);
      }
    }
  }
  const Tensor one = f32({}, {1}), zero = scalar8(0, DType::u8), x = bytes({1, 2, 3, 3}, DType::u8, 1);
  const Attrs two{{"kernel_shape", std::vector<int64_t>{2, 2}}};
  CHECK(op_error("QuantizedAveragePool", two, {bytes({2, 3}, DType::u8, 1), one, zero, one, zero}) != "");
  CHECK(op_error("QuantizedAveragePool", two, {x, f32({2}, {1, 1}), zero, one, zero}) != "");
  CHECK(op_error("QuantizedAveragePool", two, {x, one, scalar8(0, DType::i8), one, zero}) != "");
}

TEST_CASE("depth to space with channels last: the bytes of DepthToSpace, of both orders") {
  for (const char* mode : {"DCR", "CRD"}) {
    const Tensor x = bytes({2, 45, 4, 5}, DType::i8, 37);
    const Attrs attrs{{"blocksize", int64_t(3)}, {"mode", std::string(mode)}};
    auto turned = [](const Tensor& v) { return run_op("Transpose", {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}, {v})[0]; };
    check_same(run_op("DepthToSpaceLast", attrs, {turned(x)})[0], turned(run_op("DepthToSpace", attrs, {x})[0]));
  }
  CHECK(op_error("DepthToSpaceLast", {{"blocksize", int64_t(2)}}, {bytes({1, 4, 4, 6}, DType::u8, 1)}) != "");
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
