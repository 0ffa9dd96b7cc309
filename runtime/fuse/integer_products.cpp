// DequantizeLinear → Conv, ConvTranspose, Gemm or MatMul → QuantizeLinear become one product of bytes, with a Relu or Clip between them behind it, on bytes too;
// what only moves elements, or takes their maximum, between equal scales works on the bytes. Done where integers are what the file says: the sum is
// exact where f32 rounds, so that a result differs from the plain graph's by one step where it lies at the edge of two (README.md).
// Runs before DequantizeLinear of weights is folded. See passes.h.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "runtime/fuse/passes.h"
#include "runtime/fuse/quantized.h"

namespace tern {
namespace {

// Sums of products stay below 2^30, and the bias too: i32 would wrap, where f32 does not.
constexpr double kMostBias = 0x1p30;
bool sums_fit(const Rewriter& r, const Quantized& x, const Quantized& w, int64_t k) {
  auto most = [&](const Quantized& q) {
    const Tensor* zero = r.constant(q.zero, r.dtype(q.data));
    const bool centred = r.dtype(q.data) == DType::i8 && (zero == nullptr || (zero->count() == 1 && zero_of(r, q.zero) == 0));
    return int64_t(centred ? 128 : 255);
  };
  return k < (int64_t(1) << 30) / (most(x) * most(w));
}

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

// The inputs that QLinearConv and FusedQLinearMatMul share; nothing when the bias does not fit.
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

ValueId input(const Node& node, size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNone; }

// The product whose only reader is what `within` says.
const Node* product_before(const Rewriter& r, const Limits& within, const char* op) {
  return r.read_once(within.input) ? r.producer(within.input, op) : nullptr;
}

void conv(Rewriter& r, size_t n, const Quantized& y, const Limits& within, DType dtype) {
  const Node* node = product_before(r, within, "Conv");
  const auto x = node ? dequantized(r, node->inputs[0]) : std::nullopt;
  const auto w = x ? dequantized_weights(r, node->inputs[1], 0) : std::nullopt;
  if (!w || r.dtype(w->data) == DType::i32) return;
  Node fused{find_op("QLinearConv"), node->name, node->attrs, {}, {}, {}};
  const ValueId bias = input(*node, 2);
  const Tensor& weights = r.graph.value(w->data).constant;
  const int64_t channels = weights.dims()[0];
  if (!sums_fit(r, *x, *w, weights.count() / std::max<int64_t>(channels, 1))) return;
  auto inputs = product_inputs(r, *x, *w, y, dtype, bias, channels);
  if (!inputs) return;
  fused.inputs = std::move(*inputs);
  put_within(r, n, std::move(fused), within, dtype);
}

// ---- ConvTranspose: a convolution that gives the s * s pixels of each pixel as channels, whose weights are spread over what any of them sees ----

constexpr int64_t kMostSpread = 5, kSpreadOver = 2;  // weights may become so many halves of what they were: products of integers are that much faster

// Along an axis: output s t + f is a sum over taps k = s j + f + begin, j in [last - taps + 1, last], of x[t - j].
struct PhaseAxis {
  int64_t stride, begin, taps, last, pad_end;
  int64_t tap_of(int64_t phase, int64_t i) const { return stride * (last - i) + phase + begin; }
};
std::optional<PhaseAxis> phases_of(int64_t kernel, int64_t stride, int64_t begin, int64_t end, int64_t extra) {
  const int64_t out = kernel - begin - end + extra;  // of one pixel
  if (begin < 0 || end < 0 || extra < 0 || begin >= kernel || end >= kernel || out < 1 || out % stride != 0) return std::nullopt;
  PhaseAxis a{stride, begin, 0, (kernel - 1 - begin) / stride, 0};
  a.taps = a.last + (stride - 1 + begin) / stride + 1;
  a.pad_end = out / stride - 1 - a.last + a.taps - 1;
  return a.pad_end < 0 ? std::nullopt : std::optional(a);
}
std::optional<std::array<PhaseAxis, 2>> phases_of(const Node& node, const Dims& weights) {
  const AttrReader attrs = node.read();
  auto at = [&](const char* list, size_t i, int64_t none) {
    const auto v = attrs.ints(list);
    return i < v.size() ? v[i] : none;
  };
  const int64_t stride = at("strides", 0, 1);
  if (weights.rank != 4 || attrs.i("group") != 1 || attrs.s("auto_pad") != "NOTSET" || !attrs.ints("output_shape").empty()) return std::nullopt;
  if (stride < 2 || stride > 8 || at("strides", 1, 1) != stride || at("dilations", 0, 1) != 1 || at("dilations", 1, 1) != 1) return std::nullopt;
  std::array<PhaseAxis, 2> axes;
  for (size_t i = 0; i < 2; ++i) {
    const int64_t kernel = weights[static_cast<int>(i) + 2];
    if (kernel > 64) return std::nullopt;
    const auto axis = phases_of(kernel, stride, at("pads", i, 0), at("pads", i + 2, 0), at("output_padding", i, 0));
    if (!axis) return std::nullopt;
    axes[i] = *axis;
  }
  const int64_t spread = axes[0].taps * axes[1].taps * stride * stride, own = weights[2] * weights[3];
  return spread * kSpreadOver <= own * kMostSpread ? std::optional(axes) : std::nullopt;
}

// Weights [C, OC, KH, KW] as [s * s * OC, C, taps, taps]; what is no tap is the zero point.
Tensor spread(const Tensor& w, const std::array<PhaseAxis, 2>& axes, const Tensor* zero) {
  const Dims& d = w.dims();
  const int64_t C = d[0], OC = d[1], s = axes[0].stride;
  Tensor y = *Tensor::allocate(w.dtype(), {s * s * OC, C, axes[0].taps, axes[1].taps});
  const std::byte* from = w.raw();
  std::byte* to = y.mutable_raw();
  for (int64_t q = 0; q < s * s * OC; ++q) {
    const int64_t oc = q % OC, fh = q / OC / s, fw = q / OC % s;
    const std::byte none = zero == nullptr ? std::byte(0) : zero->raw()[zero->count() == 1 ? 0 : oc];
    for (int64_t c = 0; c < C; ++c) {
      for (int64_t i = 0; i < axes[0].taps; ++i) {
        for (int64_t j = 0; j < axes[1].taps; ++j, ++to) {
          const int64_t h = axes[0].tap_of(fh, i), v = axes[1].tap_of(fw, j);
          *to = h >= 0 && h < d[2] && v >= 0 && v < d[3] ? from[((c * OC + oc) * d[2] + h) * d[3] + v] : none;
        }
      }
    }
  }
  return y;
}
// A vector of the channels `times` over; a scale or zero point for all stays one.
ValueId repeated(Rewriter& r, ValueId v, int64_t times, bool one_for_all) {
  const Tensor& of = r.graph.value(v).constant;
  if (of.count() == 1 && one_for_all) return v;
  const size_t bytes = static_cast<size_t>(of.count()) * size_of(of.dtype());
  Tensor y = *Tensor::allocate(of.dtype(), {of.count() * times});
  for (int64_t i = 0; i < times; ++i) std::memcpy(y.mutable_raw() + static_cast<size_t>(i) * bytes, of.raw(), bytes);
  return r.add_constant(r.graph.value(v).name + ".phases", std::move(y));
}

void conv_transpose(Rewriter& r, size_t n, const Quantized& y, const Limits& within, DType dtype) {
  const Node* node = product_before(r, within, "ConvTranspose");
  const auto x = node ? dequantized(r, node->inputs[0]) : std::nullopt;
  const auto w = x ? dequantized_weights(r, node->inputs[1], 1) : std::nullopt;
  if (!w || r.dtype(w->data) == DType::i32) return;
  // What others read, too, would be spread for each: many nodes of one large tensor would become more than the file can back.
  if (!r.read_once(node->inputs[1]) || !r.read_once(w->data)) return;
  const Tensor& own = r.graph.value(w->data).constant;
  const Dims dims = own.dims();
  const auto axes = phases_of(*node, dims);
  if (!axes || own.count() == 0 || !sums_fit(r, *x, *w, own.count() / dims[1])) return;
  const std::string name = node->name;
  const ValueId bias = input(*node, 2);
  auto inputs = product_inputs(r, *x, *w, y, dtype, bias, dims[1]);
  if (!inputs) return;
  const int64_t stride = (*axes)[0].stride, phases = stride * stride;
  Tensor weights = spread(r.graph.value(w->data).constant, *axes, r.constant(w->zero, r.dtype(w->data)));
  (*inputs)[3] = r.add_constant(r.graph.value(w->data).name + ".phases", std::move(weights));
  for (size_t i : {4u, 5u}) (*inputs)[i] = repeated(r, (*inputs)[i], phases, true);
  if (inputs->size() > 8) (*inputs)[8] = repeated(r, (*inputs)[8], phases, false);
  Attributes conv, blocks;
  conv.set("pads", std::vector<int64_t>{(*axes)[0].last, (*axes)[1].last, (*axes)[0].pad_end, (*axes)[1].pad_end});
  blocks.set("blocksize", stride);
  const ValueId deep = r.insert_before(n, *find_op("QLinearConv"), conv, *inputs, name + ".phases");
  if (deep != kNone) put_within(r, n, Node{find_op("DepthToSpace"), name, blocks, {deep}, {}, {}}, within, dtype);
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
  const ValueId bias = input(*node, 2);
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
      for (auto* product : {conv, conv_transpose, gemm, matmul}) {
        if (quantizes(r, n)) product(r, n, *y, *within, dtype);
      }
    }
    if (quantizes(r, n)) moved(r, n, *y);
  }
}

}  // namespace tern
