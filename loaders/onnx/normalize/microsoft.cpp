// The operators of com.microsoft that onnxruntime's quantiser writes, in terms of the standard ones: 8-bit data are scaled to f32, the
// operator computes there, and its result is scaled back; products stay products of integers. See normalize.h.
#include <limits>

#include "kernels/dtype_code.h"
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {
namespace {

Status need(const OnnxNode& node, std::initializer_list<size_t> inputs) {
  for (size_t i : inputs) {
    if (node.input(i) == kNone) return invalid("input " + std::to_string(i) + " is required");
  }
  return {};
}

constexpr int64_t kF32 = code_of(DType::f32), kI8 = code_of(DType::i8);

ValueId to_f32(Emitter& to, ValueId x) {
  Attributes f32;
  f32.set("to", kF32);
  return to.emit("Cast", {x}, f32);
}

// (input first) scaled to f32: data, scale, zero point.
ValueId real(const OnnxNode& node, Emitter& to, size_t first) {
  return to.emit("DequantizeLinear", {node.input(first), node.input(first + 1), node.input(first + 2)});
}

// The node becomes the quantisation of y: scale and zero point are inputs `scale` and scale + 1, the dtype that of input `like`.
void quantized(OnnxNode& node, Emitter& to, ValueId y, size_t scale, size_t like) {
  Attributes attrs;
  if (node.input(scale + 1) == kNone && to.type(node.input(like)).dtype == DType::i8) attrs.set("output_dtype", kI8);
  node.inputs = {y, node.input(scale), node.input(scale + 1)};
  node.op = "QuantizeLinear";
  node.attrs = attrs;
}

// ---- f(x): data, scale, zero point, scale and zero point of y ----

Status unary(OnnxNode& node, Emitter& to, const char* op, Attributes attrs) {
  if (Status s = need(node, {0, 1, 3}); !s) return s;
  quantized(node, to, to.emit(op, {real(node, to, 0)}, std::move(attrs)), 3, 0);
  return {};
}
Status sigmoid(OnnxNode& node, Emitter& to) { return unary(node, to, "Sigmoid", {}); }
Status leaky_relu(OnnxNode& node, Emitter& to) { return unary(node, to, "LeakyRelu", node.attrs); }

// The attribute opset tells which Softmax it was.
Status softmax(OnnxNode& node, Emitter& to) {
  if (Status s = need(node, {0, 1, 3}); !s) return s;
  const int64_t opset = node.old<int64_t>("opset", 13);
  Attributes axis;
  axis.set("axis", node.old<int64_t>("axis", opset < 13 ? 1 : -1));
  OnnxNode inner{"Softmax", node.name, opset, {real(node, to, 0)}, node.outputs, axis};
  if (Status s = normalize(inner, to); !s) return s;
  quantized(node, to, to.emit(inner.op.c_str(), inner.inputs, inner.attrs), 3, 0);
  return {};
}

// channels_last: [N,...,C].
Status pool(OnnxNode& node, Emitter& to, const char* op) {
  if (Status s = need(node, {0, 1, 3}); !s) return s;
  Attributes attrs = node.attrs;
  const bool last = node.old<int64_t>("channels_last") != 0;
  attrs.erase("channels_last");
  if (!last) return unary(node, to, op, attrs);
  const Shape shape = to.type(node.input(0)).shape;
  if (!shape.ranked() || shape.rank() < 3) return unsupported("channels_last needs a known rank of at least 3");
  std::vector<int64_t> inward{0, shape.rank() - 1}, outward{0};
  for (int64_t i = 1; i + 1 < shape.rank(); ++i) inward.push_back(i);
  for (int64_t i = 2; i < shape.rank(); ++i) outward.push_back(i);
  outward.push_back(1);
  Attributes in, out;
  in.set("perm", inward);
  out.set("perm", outward);
  const ValueId y = to.emit(op, {to.emit("Transpose", {real(node, to, 0)}, in)}, attrs);
  quantized(node, to, to.emit("Transpose", {y}, out), 3, 0);
  return {};
}
Status average_pool(OnnxNode& node, Emitter& to) { return pool(node, to, "AveragePool"); }
Status global_average_pool(OnnxNode& node, Emitter& to) { return pool(node, to, "GlobalAveragePool"); }

// ---- several data ----

Status binary(OnnxNode& node, Emitter& to, const char* op) {
  if (Status s = need(node, {0, 1, 3, 4, 6}); !s) return s;
  quantized(node, to, to.emit(op, {real(node, to, 0), real(node, to, 3)}), 6, 0);
  return {};
}
Status add(OnnxNode& node, Emitter& to) { return binary(node, to, "Add"); }
Status mul(OnnxNode& node, Emitter& to) { return binary(node, to, "Mul"); }

Status where(OnnxNode& node, Emitter& to) {
  if (Status s = need(node, {0, 1, 2, 4, 5, 7}); !s) return s;
  quantized(node, to, to.emit("Where", {node.input(0), real(node, to, 1), real(node, to, 4)}), 7, 1);
  return {};
}

// Scale and zero point of y, then data, scale and zero point of each.
Status concat(OnnxNode& node, Emitter& to) {
  if (node.inputs.size() < 5 || node.inputs.size() % 3 != 2)
    return invalid("has " + std::to_string(node.inputs.size()) + " inputs, expected 2 and 3 for each piece");
  std::vector<ValueId> pieces;
  for (size_t i = 2; i < node.inputs.size(); i += 3) {
    if (Status s = need(node, {i, i + 1}); !s) return s;
    pieces.push_back(real(node, to, i));
  }
  if (Status s = need(node, {0}); !s) return s;
  quantized(node, to, to.emit("Concat", std::move(pieces), node.attrs), 0, 2);
  return {};
}

// ---- products ----

struct Product {
  ValueId a, a_scale, a_zero, b, b_scale, b_zero;
};
// (a - a_zero)(b - b_zero), plus c when there is one, in i32; then times a_scale b_scale in f32.
ValueId product(Emitter& to, const Product& p, ValueId c = kNone) {
  ValueId sum = to.emit("MatMulInteger", {p.a, p.b, p.a_zero, p.b_zero});
  if (c != kNone) sum = to.emit("Add", {sum, c});
  return to.emit("Mul", {to_f32(to, sum), to.emit("Mul", {p.a_scale, p.b_scale})});
}
// The node becomes y, plus a bias when there is one.
void plus(OnnxNode& node, ValueId y, ValueId bias) {
  node.op = bias == kNone ? "Identity" : "Add";
  node.inputs = {y};
  if (bias != kNone) node.inputs.push_back(bias);
  node.attrs = {};
}

Status dynamic_matmul(OnnxNode& node, Emitter& to) {
  if (Status s = need(node, {0, 1, 2}); !s) return s;
  const ValueId a = to.value("a"), scale = to.value("scale"), zero = to.value("zero");
  to.emit_to("DynamicQuantizeLinear", {node.input(0)}, {}, {a, scale, zero});
  plus(node, product(to, {a, scale, zero, node.input(1), node.input(2), node.input(3)}), node.input(4));
  return {};
}

Status matmul_to_float(OnnxNode& node, Emitter& to) {
  if (Status s = need(node, {0, 1, 2, 3}); !s) return s;
  plus(node, product(to, {node.input(0), node.input(2), node.input(4), node.input(1), node.input(3), node.input(5)}), node.input(6));
  return {};
}

// y = A B + c scaled back to 8 bits, all but A constant: as QDQ says it, which becomes one product of bytes (runtime/fuse/integer_products.cpp).
bool is_plain_linear(const OnnxNode& node, const Emitter& to) {
  if (node.old<int64_t>("transA") != 0 || node.old<float>("alpha", 1) != 1) return false;
  for (size_t i : {1, 2, 3, 4, 5, 7, 8}) {
    if (!to.graph.is_constant(node.input(i))) return false;
  }
  auto tensor = [&](size_t i) -> const Tensor& { return to.graph.value(node.input(i)).constant; };
  if (tensor(4).dims().rank != tensor(5).dims().rank || tensor(4).count() != tensor(5).count()) return false;
  return node.input(6) == kNone || (to.graph.is_constant(node.input(6)) && tensor(6).dims().rank == 1);
}
Status linear(OnnxNode& node, Emitter& to) {
  const int64_t transposed = node.old<int64_t>("transB");
  Attributes columns, gemm;
  columns.set("axis", int64_t(transposed != 0 ? 0 : 1));
  gemm.set("transB", transposed);
  std::vector<ValueId> inputs = {real(node, to, 0), to.emit("DequantizeLinear", {node.input(3), node.input(4), node.input(5)}, columns)};
  if (node.input(6) != kNone) {
    Attributes first;
    first.set("axis", int64_t(0));
    inputs.push_back(to.emit("DequantizeLinear", {node.input(6), to.emit("Mul", {node.input(1), node.input(4)})}, first));
  }
  quantized(node, to, to.emit("Gemm", inputs, gemm), 7, 0);
  return {};
}
Status gemm(OnnxNode& node, Emitter& to) {
  if (Status s = need(node, {0, 1, 2, 3, 4, 5}); !s) return s;
  if (is_plain_linear(node, to)) return linear(node, to);
  Attributes turn;
  turn.set("perm", std::vector<int64_t>{1, 0});
  Product p{node.input(0), node.input(1), node.input(2), node.input(3), node.input(4), node.input(5)};
  if (node.old<int64_t>("transA") != 0) p.a = to.emit("Transpose", {p.a}, turn);
  if (node.old<int64_t>("transB") != 0) p.b = to.emit("Transpose", {p.b}, turn);
  const float alpha = node.old<float>("alpha", 1);
  if (alpha != 1) p.a_scale = to.emit("Mul", {p.a_scale, to.constant(Tensor::scalar(alpha))});
  const ValueId y = product(to, p, node.input(6));
  if (node.input(7) == kNone) plus(node, y, kNone);
  else quantized(node, to, y, 7, 0);
  return {};
}

// ---- the same as the standard ones ----

Status quantize(OnnxNode& node, Emitter&) {
  node.op = "QuantizeLinear";
  return {};
}
Status dequantize(OnnxNode& node, Emitter&) {
  node.op = "DequantizeLinear";
  return {};
}

// Weights lie as [D, I, 4H], their scales as [D] or [D, 4H]. Where they are no multiples() they are scaled here, once, and the states stay f32 where
// onnxruntime rounds x and h to 8 bits before every product.
ValueId scaled_weights(const OnnxNode& node, Emitter& to, size_t weights, size_t scale) {
  const Shape s = to.type(node.input(scale)).shape;
  const std::vector<int64_t> axes = s.ranked() && s.rank() == 2 ? std::vector<int64_t>{1} : std::vector<int64_t>{1, 2};
  auto spread = [&](ValueId v) { return to.emit("Unsqueeze", {v, to.ints(axes)}); };
  ValueId w = to_f32(to, node.input(weights));
  if (node.input(scale + 1) != kNone) w = to.emit("Sub", {w, spread(to_f32(to, node.input(scale + 1)))});
  Attributes turn;
  turn.set("perm", std::vector<int64_t>{0, 2, 1});
  return to.emit("Transpose", {to.emit("Mul", {w, spread(node.input(scale))})}, turn);
}
// The same as i8, [D, 4H, I], with the scale of each column, [D, 4H]: of constants that are multiples of their scales by [-127, 127].
struct Multiples {
  Tensor weights, scales;
};
std::optional<Multiples> multiples(const OnnxNode& node, const Emitter& to, size_t weights, size_t scale) {
  for (size_t i : {weights, scale, scale + 1}) {
    if (node.input(i) != kNone && !to.graph.is_constant(node.input(i))) return std::nullopt;
  }
  const Tensor &w = to.graph.value(node.input(weights)).constant, &s = to.graph.value(node.input(scale)).constant;
  const Tensor none, &z = node.input(scale + 1) == kNone ? none : to.graph.value(node.input(scale + 1)).constant;
  const Dims& dims = w.dims();
  if (dims.rank != 3 || (w.dtype() != DType::i8 && w.dtype() != DType::u8) || s.dtype() != DType::f32) return std::nullopt;
  const int64_t D = dims[0], k = dims[1], n = dims[2];
  if ((s.count() != D && s.count() != D * n) || (z.present() && (z.dtype() != w.dtype() || z.count() != s.count()))) return std::nullopt;
  auto bytes = Tensor::allocate(DType::i8, {D, n, k});
  auto scales = Tensor::allocate(DType::f32, {D, n});
  if (!bytes || !scales) return std::nullopt;
  const auto number = [](const Tensor& t, int64_t i) { return t.dtype() == DType::i8 ? int(t.data<int8_t>()[i]) : int(t.data<uint8_t>()[i]); };
  for (int64_t c = 0; c < D * n; ++c) {
    const int64_t at = s.count() == D * n ? c : c / n;
    const float step = s.data<float>()[at];
    const int zero = z.present() ? number(z, at) : 0;
    if (!(step > 0 && step <= std::numeric_limits<float>::max())) return std::nullopt;
    scales->mutable_data<float>()[c] = step;
    for (int64_t i = 0; i < k; ++i) {
      const int v = number(w, (c / n * k + i) * n + c % n) - zero;
      if (v < -127 || v > 127) return std::nullopt;
      bytes->mutable_data<int8_t>()[c * k + i] = static_cast<int8_t>(v);
    }
  }
  return Multiples{std::move(*bytes), std::move(*scales)};
}
Status lstm(OnnxNode& node, Emitter& to) {
  if (Status s = need(node, {0, 1, 2, 8, 10}); !s) return s;
  const auto w = multiples(node, to, 1, 8), r = multiples(node, to, 2, 10);
  if (w && r) {
    node.inputs = {node.input(0), to.constant(w->weights), to.constant(r->weights), node.input(3),          node.input(4),
                   node.input(5), node.input(6),           node.input(7),           to.constant(w->scales), to.constant(r->scales)};
    node.own = true;
    return {};
  }
  node.inputs[1] = scaled_weights(node, to, 1, 8);
  node.inputs[2] = scaled_weights(node, to, 2, 10);
  node.inputs.resize(8);
  node.op = "LSTM";
  return {};
}

struct MicrosoftOperator {
  const char* op;
  Rule rule;
};
constexpr MicrosoftOperator kMicrosoftOperators[] = {
    {"DequantizeLinear", dequantize},
    {"DynamicQuantizeLSTM", lstm},
    {"DynamicQuantizeMatMul", dynamic_matmul},
    {"MatMulIntegerToFloat", matmul_to_float},
    {"QGemm", gemm},
    {"QLinearAdd", add},
    {"QLinearAveragePool", average_pool},
    {"QLinearConcat", concat},
    {"QLinearGlobalAveragePool", global_average_pool},
    {"QLinearLeakyRelu", leaky_relu},
    {"QLinearMul", mul},
    {"QLinearSigmoid", sigmoid},
    {"QLinearSoftmax", softmax},
    {"QLinearWhere", where},
    {"QuantizeLinear", quantize},
};

}  // namespace

Rule microsoft_rule(const std::string& op) {
  for (const MicrosoftOperator& e : kMicrosoftOperators) {
    if (op == e.op) return e.rule;
  }
  return nullptr;
}

}  // namespace tern::onnx
