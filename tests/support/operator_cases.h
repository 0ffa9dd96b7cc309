// Every operator of the catalog as a graph of one node: what the hot path contract is tested with, operator by operator.
// Next: contracts/operators.cpp, programs/count_operators.cpp.
#pragma once
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "runtime/graph.h"

namespace tern::test {

struct In {
  Dims dims;
  DType dtype = DType::f32;
  bool constant = false;
  std::vector<int64_t> ints = {};  // contents of a constant of integers, or small indices
};
using Attrs = std::vector<std::pair<const char*, Attributes::Value>>;
struct Case {
  const char* op;
  std::vector<In> inputs;
  Attrs attrs = {};
  size_t outputs = 1;
};
using Ints = std::vector<int64_t>;

inline In x(Dims dims) { return {dims, DType::f32, false, {}}; }
inline In w(Dims dims) { return {dims, DType::f32, true, {}}; }
inline In b(Dims dims) { return {dims, DType::boolean, false, {}}; }
inline In i64(Dims dims) { return {dims, DType::i64, false, {}}; }
inline In ints(Ints values) { return {Dims{static_cast<int64_t>(values.size())}, DType::i64, true, values}; }
inline In none() { return {{}, DType::none, false, {}}; }

inline std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* op : {"Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor", "Gelu",
                         "HardSigmoid", "HardSwish", "Hardmax", "Identity", "IsInf", "IsNaN", "LeakyRelu", "Log", "LogSoftmax", "Mish", "Neg", "Reciprocal",
                         "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softmax", "Softplus", "Softsign", "Sqrt", "Swish", "Tan",
                         "Tanh", "ThresholdedRelu", "Flatten", "Transpose", "Dropout", "LpNormalization", "MeanVarianceNormalization",
                         "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
                         "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "ArgMax", "ArgMin", "Clip", "Trilu", "Squeeze", "Shape", "Size"}) {
    all.push_back({op, {x({2, 3, 5, 7})}});
  }
  for (const char* op : {"Add", "Div", "Max", "Mean", "Min", "Mul", "Pow", "PRelu", "Sub", "Sum", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"}) {
    all.push_back({op, {x({3, 5, 7}), x({5, 1})}});
  }
  for (const char* op : {"And", "Or", "Xor"}) all.push_back({op, {b({3, 5}), b({5})}});
  for (const char* op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"}) all.push_back({op, {i64({3, 5}), i64({5})}});
  all.push_back({"Mod", {x({3, 5}), x({5})}, {{"fmod", int64_t(1)}}});
  all.push_back({"BitShift", {{{4}, DType::u32, false, {}}, {{4}, DType::u32, false, {}}}, {{"direction", std::string("LEFT")}}});
  all.push_back({"Not", {b({9})}});
  all.push_back({"BitwiseNot", {i64({9})}});
  all.push_back({"Where", {b({3, 1}), x({3, 5}), x({5})}});
  all.push_back({"Cast", {x({3, 5})}, {{"to", int64_t(11)}}});
  all.push_back({"CastLike", {x({3, 5}), {{1}, DType::f64, false, {}}}});
  all.push_back({"MatMul", {x({2, 5, 33}), x({2, 33, 19})}});
  all.push_back({"MatMul", {x({3, 64}), w({64, 33})}});
  all.push_back({"Einsum", {x({2, 5, 9}), x({9, 7})}, {{"equation", std::string("bij,jk->bik")}}});
  all.push_back({"RotaryEmbedding", {x({2, 3, 5, 8}), w({6, 4}), w({6, 4}), {{2, 5}, DType::i64, true, {0, 1, 2, 3, 4, 5, 4, 3, 2, 1}}}});
  all.push_back({"RotaryEmbedding", {x({2, 5, 12}), w({2, 5, 1}), w({2, 5, 1})},
                 {{"num_heads", int64_t(3)}, {"rotary_embedding_dim", int64_t(2)}, {"interleaved", int64_t(1)}}});
  all.push_back({"Attention", {x({2, 4, 3, 8}), x({2, 2, 5, 8}), x({2, 2, 5, 6}), b({3, 6}), x({2, 2, 1, 8}), x({2, 2, 1, 6})}, {{"is_causal", int64_t(1)}}, 4});
  all.push_back({"Attention", {x({2, 3, 16}), x({2, 5, 8}), x({2, 5, 8}), x({3, 5})},
                 {{"q_num_heads", int64_t(4)}, {"kv_num_heads", int64_t(2)}, {"softcap", 2.0f}}});
  all.push_back({"Gemm", {x({5, 40}), w({17, 40}), w({17})}, {{"transB", int64_t(1)}}});
  all.push_back({"Gemm", {x({5, 40}), x({40, 17})}});
  all.push_back({"Gemm", {x({5, 40}), x({40, 17}), x({17})}, {{"beta", 2.0f}}});
  all.push_back({"Linear", {x({5, 40}), w({40, 17}), w({17})}});
  all.push_back({"Conv", {x({1, 3, 9, 9}), w({20, 3, 3, 3}), w({20})}, {{"pads", Ints{1, 1, 1, 1}}}});
  all.push_back({"Conv", {x({1, 4, 9, 9}), w({4, 1, 3, 3})}, {{"group", int64_t(4)}}});
  all.push_back({"Conv", {x({2, 3, 20}), w({8, 3, 3})}, {{"dilations", Ints{2}}}});
  all.push_back({"ConvTranspose", {x({1, 3, 5, 5}), w({3, 4, 3, 3})}, {{"strides", Ints{2, 2}}}});
  all.push_back({"AveragePool", {x({1, 3, 9, 9})}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}});
  all.push_back({"MaxPool", {x({1, 3, 9, 9})}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}});
  all.push_back({"LpPool", {x({1, 3, 9, 9})}, {{"kernel_shape", Ints{2, 2}}}});
  all.push_back({"Gather", {x({9, 5}), i64({2, 3})}});
  all.push_back({"GatherElements", {x({9, 5}), i64({2, 5})}});
  all.push_back({"GatherND", {x({9, 5}), i64({3, 1})}});
  all.push_back({"ScatterElements", {x({9, 5}), i64({2, 5}), x({2, 5})}});
  all.push_back({"ScatterND", {x({9, 5}), i64({3, 1}), x({3, 5})}});
  all.push_back({"Concat", {x({2, 3}), x({2, 5})}, {{"axis", int64_t(1)}}});
  all.push_back({"Expand", {x({3, 1}), ints({2, 3, 5})}});
  all.push_back({"Reshape", {x({6, 5}), ints({10, 3})}});
  all.push_back({"Slice", {x({9, 5}), ints({1, 0}), ints({8, 5}), ints({0, 1}), ints({2, 1})}});
  all.push_back({"Split", {x({6, 5})}, {{"num_outputs", int64_t(2)}}, 2});
  all.push_back({"Tile", {x({2, 3}), ints({2, 3})}});
  all.push_back({"Unsqueeze", {x({2, 3}), ints({0})}});
  all.push_back({"Pad", {x({3, 5}), ints({1, 0, 0, 2})}});
  all.push_back({"CenterCropPad", {x({5, 8}), ints({7, 3})}});
  all.push_back({"DepthToSpace", {x({1, 8, 3, 3})}, {{"blocksize", int64_t(2)}}});
  all.push_back({"SpaceToDepth", {x({1, 2, 4, 4})}, {{"blocksize", int64_t(2)}}});
  for (const char* op : {"CumSum", "CumProd"}) all.push_back({op, {x({3, 5}), {{}, DType::i64, true, {1}}}});
  all.push_back({"TopK", {x({3, 9}), ints({4})}, {}, 2});
  all.push_back({"EyeLike", {x({4, 5})}});
  all.push_back({"OneHot", {i64({4}), {{}, DType::i64, true, {5}}, w({2})}});
  all.push_back({"BatchNormalization", {x({2, 3, 5}), w({3}), w({3}), w({3}), w({3})}});
  all.push_back({"InstanceNormalization", {x({2, 3, 5}), w({3}), w({3})}});
  all.push_back({"GroupNormalization", {x({2, 4, 5}), w({4}), w({4})}, {{"num_groups", int64_t(2)}}});
  all.push_back({"LayerNormalization", {x({2, 3, 9}), w({9}), w({9})}});
  all.push_back({"RMSNormalization", {x({2, 3, 9}), w({9})}});
  all.push_back({"LRN", {x({2, 5, 3, 3})}, {{"size", int64_t(3)}}});
  all.push_back({"LSTM", {x({4, 2, 3}), w({1, 20, 3}), w({1, 20, 5})}, {{"hidden_size", int64_t(5)}}, 3});
  all.push_back({"GRU", {x({4, 2, 3}), w({1, 15, 3}), w({1, 15, 5})}, {{"hidden_size", int64_t(5)}}, 2});
  all.push_back({"RNN", {x({4, 2, 3}), w({1, 5, 3}), w({1, 5, 5})}, {{"hidden_size", int64_t(5)}}, 2});
  all.push_back({"Resize", {x({1, 2, 4, 4}), none(), none(), ints({1, 2, 8, 8})}});
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    for (const char* padding : {"zeros", "border", "reflection"}) {
      all.push_back({"GridSample", {x({1, 2, 4, 5}), x({1, 3, 3, 2})}, {{"mode", std::string(mode)}, {"padding_mode", std::string(padding)}}});
    }
  }
  all.push_back({"ReverseSequence", {x({4, 3}), ints({2, 1, 4})}});
  all.push_back({"QuantizeLinear", {x({3, 5}), w({})}});
  all.push_back({"DequantizeLinear", {{{3, 5}, DType::u8, false, {}}, w({})}});
  all.push_back({"DynamicQuantizeLinear", {x({3, 5})}, {}, 3});
  const In u8x{{3, 40}, DType::u8, false, {}}, u8w{{40, 33}, DType::u8, true, {}}, u8{{}, DType::u8, true, {}}, scale = w({});
  const In image{{1, 4, 9, 9}, DType::u8, false, {}}, taps{{20, 4, 3, 3}, DType::i8, true, {}}, i8{{}, DType::i8, true, {}};
  all.push_back({"MatMulInteger", {u8x, u8w, u8, u8}});
  all.push_back({"MatMulInteger", {u8x, {{40, 33}, DType::i8, false, {}}}});
  all.push_back({"QLinearMatMul", {u8x, scale, u8, u8w, scale, u8, scale, u8}});
  all.push_back({"ConvInteger", {image, taps, u8, i8}, {{"pads", Ints{1, 1, 1, 1}}}});
  all.push_back({"QLinearConv", {image, scale, u8, taps, scale, i8, scale, u8, {{20}, DType::i32, true, {}}}});
  return all;
}

// What the elements of floating-point inputs are. Integers are indices: 0 or 1 when random, else 0. `special` puts a NaN, an infinity,
// a subnormal and a -0 among random numbers.
enum class Kind { zeros, random, subnormals, nan, special };

inline void fill(std::byte* to, size_t bytes, DType dtype, uint32_t seed, Kind kind) {
  auto next = [&] { return seed = seed * 1664525u + 1013904223u; };
  const bool random = kind == Kind::random || kind == Kind::special;
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
      auto* p = reinterpret_cast<T*>(to);
      const T odd[] = {T(NAN), T(INFINITY), T(1e-40), T(-0.0)};
      for (size_t i = 0; i < bytes / sizeof(T); ++i) {
        const T value = static_cast<T>(next() >> 8) * T(0x1p-23) - T(0.5);
        p[i] = random ? value : kind == Kind::zeros ? T(0) : kind == Kind::nan ? T(NAN) : T(1e-42);
        if (kind == Kind::special && i < 4) p[i] = odd[i];
      }
    } else if constexpr (std::is_integral_v<T>) {
      auto* p = reinterpret_cast<T*>(to);
      for (size_t i = 0; i < bytes / sizeof(T); ++i) p[i] = static_cast<T>(random ? next() >> 31 : 0);
    }
  });
}

inline Graph graph_of(const Case& c) {
  Graph g;
  Node node;
  node.op = find_op(c.op);
  node.name = "n";
  for (const auto& [key, value] : c.attrs) node.attrs.set(key, value);
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const In& in = c.inputs[i];
    ValueId v = kNone;
    if (in.constant) {
      auto t = Tensor::allocate(in.dtype, in.dims);
      fill(t->mutable_raw(), t->bytes(), in.dtype, static_cast<uint32_t>(i), Kind::random);
      if (!in.ints.empty()) std::memcpy(t->mutable_raw(), in.ints.data(), t->bytes());
      v = g.add_constant("c" + std::to_string(i), *t);
    } else if (in.dtype != DType::none) {
      v = g.add_value("x" + std::to_string(i), {in.dtype, Shape(in.dims)});
      g.inputs.push_back(v);
    }
    node.inputs.push_back(v);
  }
  for (size_t o = 0; o < c.outputs; ++o) {
    node.outputs.push_back(g.add_value("y" + std::to_string(o)));
    g.outputs.push_back(node.outputs.back());
    g.output_names.push_back("y" + std::to_string(o));
  }
  g.nodes.push_back(node);
  return g;
}

}  // namespace tern::test
