// DequantizeLinear → Conv, ConvTranspose, Gemm or MatMul → QuantizeLinear become one product of bytes, with a Relu or Clip between them behind it, on bytes too;
// what only moves elements, or takes their maximum, between equal scales works on the bytes. Done where integers are what the file says: the sum is
// exact where f32 rounds, so that a result differs from the plain graph's by one step where it lies at the edge of two (README.md).
// Runs before DequantizeLinear of weights is folded. See passes.h. Next: integer_conv_transpose.cpp.
#include "runtime/fuse/integer_products.h"

#include <algorithm>
#include <cmath>

#include "runtime/fuse/passes.h"

namespace tern {
namespace {

constexpr double kMostBias = 0x1p30;  // as sums_fit()

// The bias in steps of x_scale * w_scale, i32 [count]: as the file has it, or rounded to such steps. Nothing when it cannot be, or when rounding
// could cost more than half a step of y.
std::optional<ValueId> integer_bias(Rewriter& r, ValueId bias, float x_scale, const Tensor& w_scale, float y_scale, int64_t count) {
  const auto q = dequantized_weights(r, bias, 0);
  const Tensor *steps = q ? r.constant(q->data, DType::i32) : nullptr, *scale = q ? r.constant(q->scale) : nullptr;
  const Tensor* plain = r.constant(bias);
  if ((steps != nullptr ? steps->count() : plain != nullptr ? plain->count() : -1) != count) return std::nullopt;
  std::vector<int32_t> sums;
  bool as_it_is = steps != nullptr;
  for (int64_t i = 0; i < count; ++i) {
    const double step = static_cast<double>(x_scale * w_scale.data<float>()[w_scale.count() == 1 ? 0 : i]);
    double v = 0;
    if (steps != nullptr) {
      const auto own = static_cast<double>(scale->data<float>()[scale->count() == 1 ? 0 : i]);
      const Tensor* zero = r.constant(q->zero, DType::i32);
      if (zero != nullptr && zero->data<int32_t>()[zero->count() == 1 ? 0 : i] != 0) return std::nullopt;
      as_it_is = as_it_is && std::fabs(own - step) <= 1e-6 * std::fabs(step);
      v = steps->data<int32_t>()[i] * own;
    } else {
      v = static_cast<double>(plain->data<float>()[i]);
    }
    const double rounded = std::nearbyint(v / step);
    if (!(std::fabs(rounded) < kMostBias)) return std::nullopt;  // NaN, a step of 0
    if (std::fabs(rounded * step - v) > 0.5 * std::fabs(static_cast<double>(y_scale))) return std::nullopt;
    sums.push_back(static_cast<int32_t>(rounded));
  }
  if (as_it_is && steps->dims().rank == 1) return q->data;
  return r.add_constant(r.graph.value(bias).name + ".steps", Tensor::of<int32_t>({count}, sums));
}

}  // namespace

bool sums_fit(const Rewriter& r, const Quantized& x, const Quantized& w, int64_t k) {
  auto most = [&](const Quantized& q) {
    const Tensor* zero = r.constant(q.zero, r.dtype(q.data));
    const bool centred = r.dtype(q.data) == DType::i8 && (zero == nullptr || (zero->count() == 1 && zero_of(r, q.zero) == 0));
    return int64_t(centred ? 128 : 255);
  };
  return k < (int64_t(1) << 30) / (most(x) * most(w));
}

std::optional<std::vector<ValueId>> product_inputs(Rewriter& r, const Quantized& x, const Quantized& w, const Quantized& y, DType y_dtype,
                                                   ValueId bias, int64_t columns) {
  const DType x_dtype = r.dtype(x.data), w_dtype = r.dtype(w.data);
  std::optional<ValueId> sums;
  if (bias != kNone) {
    sums = integer_bias(r, bias, *r.scalar(x.scale), r.graph.value(w.scale).constant, *r.scalar(y.scale), columns);
    if (!sums) return std::nullopt;
  }
  ValueId w_zero = w.zero;
  if (const int64_t scales = r.graph.value(w.scale).constant.count(); w_zero == kNone && scales != 1) {
    const std::vector<uint8_t> none(static_cast<size_t>(scales), 0);
    const std::vector<int8_t> signed_none(static_cast<size_t>(scales), 0);
    w_zero = r.add_constant("no.zeros", w_dtype == DType::i8 ? Tensor::of<int8_t>({scales}, signed_none) : Tensor::of<uint8_t>({scales}, none));
  }
  std::vector<ValueId> inputs = {x.data,
                                 x.scale,
                                 zero_or_none(r, x.zero, x_dtype),
                                 w.data,
                                 w.scale,
                                 zero_or_none(r, w_zero, w_dtype),
                                 y.scale,
                                 zero_or_none(r, y.zero, y_dtype)};
  if (sums) inputs.push_back(*sums);
  return inputs;
}

ValueId optional_input(const Node& node, size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNone; }

const Node* product_before(const Rewriter& r, const Limits& within, const char* op) {
  return r.read_once(within.input) ? r.producer(within.input, op) : nullptr;
}

namespace {

void conv(Rewriter& r, size_t n, const Quantized& y, const Limits& within, DType dtype) {
  const Node* node = product_before(r, within, "Conv");
  const auto x = node ? dequantized(r, node->inputs[0]) : std::nullopt;
  const auto w = x ? dequantized_weights(r, node->inputs[1], 0) : std::nullopt;
  if (!w || r.dtype(w->data) == DType::i32) return;
  Node fused{find_op("QLinearConv"), node->name, node->attrs, {}, {}, {}};
  const ValueId bias = optional_input(*node, 2);
  const Tensor& weights = r.graph.value(w->data).constant;
  const int64_t channels = weights.dims()[0];
  if (!sums_fit(r, *x, *w, weights.count() / std::max<int64_t>(channels, 1))) return;
  auto inputs = product_inputs(r, *x, *w, y, dtype, bias, channels);
  if (!inputs) return;
  fused.inputs = std::move(*inputs);
  put_within(r, n, std::move(fused), within, dtype);
}

void gemm(Rewriter& r, size_t n, const Quantized& y, const Limits& within, DType dtype) {
  const Node* node = product_before(r, within, "Gemm");
  if (node == nullptr || node->read().i("transA") != 0 || node->read().f("alpha") != 1 || node->read().f("beta") != 1) return;
  const bool transposed = node->read().i("transB") != 0;
  const auto x = dequantized(r, node->inputs[0]);
  const auto w = x ? dequantized_weights(r, node->inputs[1], transposed ? 0 : 1) : std::nullopt;
  if (!w || r.dtype(w->data) == DType::i32) return;
  Node fused{find_op("FusedQLinearMatMul"), node->name, {}, {}, {}, {}};
  fused.attrs.set("transB", int64_t(transposed));
  const ValueId bias = optional_input(*node, 2);
  const Dims& dims = r.graph.value(w->data).constant.dims();
  if (!sums_fit(r, *x, *w, dims[transposed ? 1 : 0])) return;
  auto inputs = product_inputs(r, *x, *w, y, dtype, bias, dims[transposed ? 0 : 1]);
  if (!inputs) return;
  fused.inputs = std::move(*inputs);
  put_within(r, n, std::move(fused), within, dtype);
}

void matmul(Rewriter& r, size_t n, const Quantized& y, const Limits& within, DType dtype) {
  const Node* node = product_before(r, within, "MatMul");
  const auto x = node ? dequantized(r, node->inputs[0]) : std::nullopt;
  auto w = x ? dequantized(r, node->inputs[1]) : std::nullopt;
  if (x && !w && r.shape(node->inputs[1]).rank() == 2) w = dequantized_weights(r, node->inputs[1], 1);
  if (!w || r.dtype(w->data) == DType::i32) return;
  const Shape& left = r.shape(node->inputs[0]);
  if (!left.ranked() || left.rank() == 0 || !left[left.rank() - 1].known() || !sums_fit(r, *x, *w, left[left.rank() - 1].value())) return;
  Node fused{find_op("QLinearMatMul"), node->name, {}, {}, {}, {}};
  auto inputs = product_inputs(r, *x, *w, y, dtype, kNone, 0);
  if (!inputs) return;
  fused.inputs = std::move(*inputs);
  put_within(r, n, std::move(fused), within, dtype);
}

// Between equal scales: the operator on the bytes.
void moved(Rewriter& r, size_t n, const Quantized& y) {
  constexpr std::string_view kMoving[] = {"Concat", "Expand", "Flatten", "MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"};
  const NodeId p = r.producer_id(y.data);
  if (p == kNone || !r.read_once(y.data)) return;
  const Node* node = nullptr;
  for (std::string_view op : kMoving) node = node == nullptr ? r.producer(y.data, op) : node;
  if (node == nullptr || node->outputs.size() != 1 || !(*r.scalar(y.scale) > 0)) return;
  Node fused = *node;
  const size_t data = std::string_view(node->op->name) == "Concat" ? node->inputs.size() : 1;
  for (size_t i = 0; i < data; ++i) {
    const auto x = dequantized(r, node->inputs[i]);
    if (!x || !same_scale(r, *x, y) || r.dtype(x->data) != r.dtype(r.graph.nodes[n].outputs[0])) return;
    fused.inputs[i] = x->data;
  }
  fused.outputs = r.graph.nodes[n].outputs;
  r.replace(n, std::move(fused));
}

}  // namespace

void fuse_integer_products(Graph& graph) {
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const auto y = quantizes(r, n);
    if (!y) continue;
    const DType dtype = r.dtype(graph.nodes[n].outputs[0]);
    if (const auto within = limits(r, *y, dtype)) {
      for (auto* product : {conv, integer_conv_transpose, gemm, matmul}) {
        if (quantizes(r, n)) product(r, n, *y, *within, dtype);
      }
    }
    if (quantizes(r, n)) moved(r, n, *y);
  }
}

}  // namespace tern
