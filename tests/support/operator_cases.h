// Cases of every operator of the catalog, as small as they can be: what the hot path contract is tested with, operator by operator, and
// every row of every operator. Next: operator_graphs.h, kernels/rows.cpp.
#pragma once
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/evaluate.h"
#include "runtime/base/half.h"

namespace tern::test {

struct In {
  Dims dims;
  DType dtype = DType::f32;
  bool constant = false;
  std::vector<int64_t> ints = {};  // contents of a constant of integers, or small indices
};
using CaseAttrs = std::vector<std::pair<const char*, Attributes::Value>>;
struct Case {
  const char* op;
  std::vector<In> inputs;
  CaseAttrs attrs = {};
  size_t outputs = 1;
};
using Ints = std::vector<int64_t>;

inline In x(Dims dims) { return {dims, DType::f32, false, {}}; }
inline In w(Dims dims) { return {dims, DType::f32, true, {}}; }
inline In b(Dims dims) { return {dims, DType::boolean, false, {}}; }
inline In i64(Dims dims) { return {dims, DType::i64, false, {}}; }
inline In ints(Ints values) { return {Dims{static_cast<int64_t>(values.size())}, DType::i64, true, values}; }
inline In positive(DType dtype) { return {{2, 2}, dtype, false, {4, 2, 2, 5}}; }  // definite
inline In none() { return {{}, DType::none, false, {}}; }

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
    } else if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) {
      std::vector<double> wide(bytes / sizeof(T));
      fill(reinterpret_cast<std::byte*>(wide.data()), wide.size() * sizeof(double), DType::f64, seed, kind);
      for (size_t i = 0; i < wide.size(); ++i) {
        if constexpr (std::is_same_v<T, f16>) reinterpret_cast<T*>(to)[i] = to_f16(wide[i]);
        else reinterpret_cast<T*>(to)[i] = to_bf16(wide[i]);
      }
    } else if constexpr (std::is_integral_v<T>) {
      auto* p = reinterpret_cast<T*>(to);
      for (size_t i = 0; i < bytes / sizeof(T); ++i) p[i] = static_cast<T>(random ? next() >> 31 : 0);
    }
  });
}

inline Attributes attributes_of(const Case& c) {
  Attributes a;
  for (const auto& [key, value] : c.attrs) a.set(key, value);
  return a;
}
// Input i with its contents: those of a list of integers, else random numbers.
inline Tensor tensor_of(const Case& c, size_t i) {
  const In& in = c.inputs[i];
  if (in.dtype == DType::none) return {};
  if (in.dtype == DType::string)
    return *Tensor::strings(in.dims, std::vector<std::string>(static_cast<size_t>(in.dims.count()), i % 2 ? "7" : "-1.5"));
  auto t = Tensor::allocate(in.dtype, in.dims);
  fill(t->mutable_raw(), t->bytes(), in.dtype, static_cast<uint32_t>(i + 1), Kind::random);
  visit(in.dtype, [&]<class T>() {
    for (size_t k = 0; k < in.ints.size(); ++k) {
      if constexpr (std::is_arithmetic_v<T>) t->mutable_data<T>()[k] = static_cast<T>(in.ints[k]);
      else if constexpr (std::is_same_v<T, f16>) t->mutable_data<T>()[k] = to_f16(static_cast<double>(in.ints[k]));
      else if constexpr (std::is_same_v<T, bf16>) t->mutable_data<T>()[k] = to_bf16(static_cast<double>(in.ints[k]));
    }
  });
  return *t;
}

// What an operator of one or two plain inputs takes without further word: floats, or else bools or integers. Nothing for others.
inline std::optional<Case> plain_case(const OpDef& op) {
  const auto n = static_cast<size_t>(op.inputs.min);
  for (size_t i = 0; i < n; ++i) {
    if (op.value_inputs.has(i)) return std::nullopt;
  }
  for (const AttrSpec& a : op.attrs) {
    if (a.required()) return std::nullopt;
  }
  if (n < 1 || n > 2 || op.bind == nullptr || op.data_dependent) return std::nullopt;
  for (DType t : {DType::f32, DType::boolean, DType::i64}) {
    const Case c{op.name, n == 1 ? std::vector<In>{{{2, 3, 5, 7}, t}} : std::vector<In>{{{3, 5, 7}, t}, {{5, 1}, t}}};
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < n; ++i) inputs.push_back(tensor_of(c, i));
    if (evaluate(op, {}, inputs, 1, {})) return c;
  }
  return std::nullopt;
}

// Of every operator that a plan can hold at least one: those below, and the plain case of those that are not below.
inline std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* op : {"Max", "Mean", "Min", "Sum"}) {
    all.push_back({op, {x({3, 5, 7}), x({5, 1})}});
    all.push_back({op, {x({3, 5, 7}), x({5, 1}), x({7})}});
  }
  all.push_back({"Mod", {x({3, 5}), x({5})}, {{"fmod", int64_t(1)}}});
  all.push_back({"BitShift", {{{4}, DType::u32, false, {}}, {{4}, DType::u32, false, {}}}, {{"direction", std::string("LEFT")}}});
  all.push_back({"Where", {b({3, 1}), x({3, 5}), x({5})}});
  all.push_back({"Cast", {x({3, 5})}, {{"to", int64_t(11)}}});
  all.push_back({"BitCast", {x({3, 5})}, {{"to", int64_t(6)}}});
  all.push_back({"CastLike", {x({3, 5}), {{1}, DType::f64, false, {}}}});
  all.push_back({"MatMul", {x({2, 5, 33}), x({2, 33, 19})}});
  all.push_back({"MatMul", {x({3, 64}), w({64, 33})}});
  all.push_back({"Einsum", {x({2, 5, 9}), x({9, 7})}, {{"equation", std::string("bij,jk->bik")}}});
  all.push_back({"RotaryEmbedding", {x({2, 3, 5, 8}), w({6, 4}), w({6, 4}), {{2, 5}, DType::i64, true, {0, 1, 2, 3, 4, 5, 4, 3, 2, 1}}}});
  all.push_back({"RotaryEmbedding",
                 {x({2, 5, 12}), w({2, 5, 1}), w({2, 5, 1})},
                 {{"num_heads", int64_t(3)}, {"rotary_embedding_dim", int64_t(2)}, {"interleaved", int64_t(1)}}});
  all.push_back({"Attention",
                 {x({2, 4, 3, 8}), x({2, 2, 5, 8}), x({2, 2, 5, 6}), b({3, 6}), x({2, 2, 1, 8}), x({2, 2, 1, 6})},
                 {{"is_causal", int64_t(1)}},
                 4});
  all.push_back({"Attention",
                 {x({2, 3, 16}), x({2, 5, 8}), x({2, 5, 8}), x({3, 5})},
                 {{"q_num_heads", int64_t(4)}, {"kv_num_heads", int64_t(2)}, {"softcap", 2.0f}}});
  all.push_back({"Attention", {x({1, 4, 50, 16}), x({1, 4, 50, 16}), x({1, 4, 50, 16})}});
  all.push_back({"Attention",
                 {x({1, 4, 1, 16}), x({1, 2, 17, 16}), x({1, 2, 17, 16}), none(), x({1, 2, 3, 16}), x({1, 2, 3, 16})},
                 {{"softmax_precision", int64_t(11)}},
                 3});
  all.push_back({"Gemm", {x({5, 40}), w({17, 40}), w({17})}, {{"transB", int64_t(1)}}});
  all.push_back({"Gemm", {x({5, 40}), x({40, 17})}});
  all.push_back({"Gemm", {x({5, 40}), x({40, 17}), x({17})}, {{"beta", 2.0f}}});
  all.push_back({"Cholesky", {positive(DType::f32)}});
  all.push_back({"Det", {x({2, 3, 3})}});
  all.push_back({"LogDeterminant", {x({2, 3, 3})}, {}, 2});
  all.push_back({"Qr", {x({2, 5, 3})}, {}, 2});
  all.push_back({"SelfAdjointEigen", {x({2, 4, 4})}, {}, 2});
  all.push_back({"Solve", {x({3, 3}), x({3, 2})}});
  all.push_back({"Special", {{{2, 5}, DType::f64, false, {}}, {{2, 5}, DType::f64, false, {}}}, {{"function", std::string("P")}}});
  all.push_back({"Svd", {x({2, 5, 3})}, {}, 3});
  all.push_back({"TriangularSolve", {x({3, 3}), x({3, 2})}});
  all.push_back({"Linear", {x({5, 40}), w({40, 17}), w({17})}});
  all.push_back({"Linear", {x({1, 40}), w({40, 33}), w({33})}});
  all.push_back({"MatMul", {x({1, 40}), w({40, 33})}});
  all.push_back({"Gemm", {x({1, 40}), w({40, 33}), w({33})}});
  all.push_back({"Conv", {x({1, 3, 9, 9}), w({20, 3, 3, 3}), w({20})}, {{"pads", Ints{1, 1, 1, 1}}}});
  all.push_back({"Conv", {x({1, 4, 9, 9}), w({4, 1, 3, 3})}, {{"group", int64_t(4)}}});
  all.push_back({"Conv", {x({2, 3, 20}), w({8, 3, 3})}, {{"dilations", Ints{2}}}});
  all.push_back({"ConvTranspose", {x({1, 3, 5, 5}), w({3, 4, 3, 3})}, {{"strides", Ints{2, 2}}}});
  all.push_back({"AveragePool", {x({1, 3, 9, 9})}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}});
  all.push_back({"MaxPool", {x({1, 3, 9, 9})}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}});
  all.push_back({"MaxPool", {x({1, 3, 9, 9})}, {{"kernel_shape", Ints{2, 2}}}, 2});
  all.push_back({"MaxPool", {x({1, 3, 9, 9})}, {{"kernel_shape", Ints{2, 2}}, {"storage_order", int64_t(1)}}, 2});
  all.push_back({"AveragePool", {x({1, 3, 9, 2})}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}});  // wider than x
  all.push_back({"LpPool", {x({1, 3, 9, 9})}, {{"kernel_shape", Ints{2, 2}}}});
  all.push_back({"Gather", {x({9, 5}), i64({2, 3})}});
  all.push_back({"GatherMean", {x({9, 70}), i64({2, 3})}});
  all.push_back({"GatherElements", {x({9, 5}), i64({2, 5})}});
  all.push_back({"GatherND", {x({9, 5}), i64({3, 1})}});
  all.push_back({"Lookup", {i64({5}), {{3}, DType::i64, true, {}}, x({3}), x({})}});
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
  all.push_back({"DynamicQuantizeLSTM",
                 {x({4, 2, 32}),
                  {{1, 256, 32}, DType::i8, true, {}},
                  {{1, 256, 64}, DType::i8, true, {}},
                  none(),
                  none(),
                  none(),
                  none(),
                  none(),
                  w({1, 256}),
                  w({1, 256})},
                 {{"hidden_size", int64_t(64)}},
                 3});
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
  const In bias{{20}, DType::i32, true, {}}, last{{1, 9, 9, 4}, DType::u8, false, {}};
  all.push_back({"QLinearConv", {image, scale, u8, taps, scale, i8, scale, u8, bias}});
  all.push_back({"ConvIntegerToFloat", {image, scale, u8, taps, scale, i8}, {{"activation", std::string("Relu")}}});
  all.push_back({"FusedQLinearConv", {last, scale, u8, taps, scale, i8, scale, u8, bias}, {{"channels_last", int64_t(3)}}});
  all.push_back({"FusedQLinearMatMul", {u8x, scale, u8, u8w, scale, u8, scale, u8, {{33}, DType::i32, true, {}}}});
  all.push_back({"MatMulIntegerToFloat", {u8x, scale, u8, u8w, scale, u8, w({33}), x({3, 33})}, {{"activation", std::string("Relu")}}});
  for (const char* op : {"QuantizedAdd", "QuantizedMul"}) all.push_back({op, {u8x, scale, u8, u8x, scale, u8, scale, u8}});
  for (int64_t l : {0, 1}) all.push_back({"QuantizedMean", {last, scale, u8, scale, u8}, {{"channels_last", l}}});
  for (int64_t l : {0, 3})
    all.push_back({"QuantizedAveragePool", {last, scale, u8, scale, u8}, {{"channels_last", l}, {"kernel_shape", Ints{2, 2}}}});
  all.push_back({"DepthToSpaceLast", {last}, {{"blocksize", int64_t(2)}}});
  all.push_back({"Lookup8", {u8x, {{256}, DType::i8, true, {}}}});
  all.push_back({"MaxPoolLast", {last}, {{"kernel_shape", Ints{2, 2}}}});
  std::set<std::string_view> have;
  for (const Case& c : all) have.insert(c.op);
  for (const OpDef* op : all_ops()) {
    auto plain = have.count(op->name) == 1 ? std::nullopt : plain_case(*op);
    if (plain) all.push_back(std::move(*plain));
  }
  return all;
}

// For rows that other attributes or dtypes lead to, and of operators that no plan holds.
inline std::vector<Case> more_cases() {
  auto of = [](DType dtype, Dims dims) { return In{dims, dtype, false, {}}; };
  auto number = [](DType dtype, int64_t value) { return In{{}, dtype, true, {value}}; };
  std::vector<Case> all;
  all.push_back({"BatchNormalization", {x({2, 3, 5}), w({3}), w({3}), of(DType::f64, {3}), of(DType::f64, {3})}});
  all.push_back({"BitShift", {of(DType::u32, {4}), of(DType::u32, {4})}, {{"direction", std::string("RIGHT")}}});
  for (const KernelRow* row : find_op("Cast")->kernels) all.push_back({"CastLike", {of(DType::string, {3}), of(row->dtype, {1})}});
  all.push_back({"Cholesky", {positive(DType::f64)}});
  all.push_back({"Compress", {x({9}), b({9})}});
  all.push_back({"FusedAttention", {x({1, 2, 7, 5}), x({1, 2, 9, 5}), x({1, 2, 9, 6})}});
  all.push_back({"FusedAttention", {x({1, 2, 7, 5}), x({1, 2, 0, 5}), x({1, 2, 0, 6})}});
  all.push_back({"Gelu", {x({2, 35})}, {{"approximate", std::string("tanh")}}});
  for (DType t : {DType::f64, DType::f16, DType::bf16}) {
    all.push_back({"GridSample", {x({1, 2, 4, 5}), of(t, {1, 3, 3, 2})}});
    all.push_back({"GridSample", {of(t, {1, 2, 4, 5}), x({1, 3, 3, 2})}});
  }
  all.push_back({"LRN", {x({2, 5, 3, 3})}, {{"size", int64_t(3)}, {"beta", 0.6f}}});
  all.push_back({"LayerNormalization", {x({2, 3, 9}), of(DType::f64, {9})}});
  all.push_back({"Mod", {x({3, 5}), x({5})}});
  all.push_back({"NonZero", {x({3, 5})}});
  all.push_back({"Pad", {x({3, 5}), ints({0, -1, 0, 6})}, {{"mode", std::string("wrap")}}});
  all.push_back({"Pow", {x({3, 5}), of(DType::f16, {5})}});
  all.push_back({"Pow", {of(DType::f16, {3, 5}), x({5})}});
  all.push_back({"Pow", {x({3, 5}), number(DType::i64, 3)}});
  all.push_back({"QuantizeLinear", {of(DType::i32, {3, 5}), w({})}});
  all.push_back({"RMSNormalization", {x({2, 3, 9}), of(DType::f64, {9})}});
  for (const KernelRow* row : find_op("Range")->kernels)
    all.push_back({"Range", {number(row->dtype, 1), number(row->dtype, 9), number(row->dtype, 2)}});
  all.push_back({"Resize", {x({1, 2, 4, 4}), none(), none(), ints({1, 2, 8, 8})}, {{"mode", std::string("linear")}}});
  return all;
}

// All of them, and each with its data in every other dtype that its operator has rows for; some of those are refused.
// What kernels/rows.cpp runs and bench/kernels times: a row that none of them reaches fails the former.
inline std::vector<Case> row_cases() {
  std::vector<Case> all, given_cases = cases();
  for (Case& c : more_cases()) given_cases.push_back(std::move(c));
  for (const Case& c : given_cases) {
    all.push_back(c);
    std::set<DType> given, rows;
    for (const In& in : c.inputs) {
      if (in.ints.empty()) given.insert(in.dtype);
    }
    for (const KernelRow* row : find_op(c.op)->kernels) rows.insert(row->dtype);
    for (DType from : given) {
      for (DType to : rows) {
        if (from == DType::none || to == DType::none || from == to) continue;
        Case other = c;
        for (In& in : other.inputs) {
          if (in.ints.empty() && in.dtype == from) in.dtype = to;
        }
        all.push_back(std::move(other));
      }
    }
  }
  return all;
}

}  // namespace tern::test
