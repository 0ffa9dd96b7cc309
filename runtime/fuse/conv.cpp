// Padding and bias join a Conv, then Conv + BatchNormalization, or a product with a number a channel: the scale goes into the weights. The same of
// ConvTranspose, but for the padding. See fuse.h.
#include "runtime/base/sealed.h"
#include "runtime/fuse/channel_affine.h"
#include "runtime/fuse/passes.h"
#include "runtime/layout_query.h"

namespace tern {
namespace {

bool is_transposed(const Node& conv) { return std::string_view(conv.op->name).ends_with("ConvTranspose"); }

// Conv or ConvTranspose that produces v; null when neither does.
const Node* plain_conv(const Rewriter& r, ValueId v) {
  const Node* conv = r.producer(v, "Conv");
  return conv != nullptr ? conv : r.producer(v, "ConvTranspose");
}

// The weights have a number for each channel of y, [OC, …] or transposed [C, OC / groups, …].
bool output_channels(const Node& conv, const Tensor* w, const ChannelAffine& a) {
  if (w == nullptr || w->dims().rank < 3) return false;
  const int64_t channels = is_transposed(conv) ? w->dims()[1] * conv.read().i("group") : w->dims()[0];
  return channels == static_cast<int64_t>(a.scale.size());
}

// Pad -> Conv: taps that fall on padding read zeros either way.
void with_padding(Rewriter& r, size_t n) {
  const Node* conv = r.at(n, "Conv");
  const Node* pad = conv && r.read_once(conv->inputs[0]) ? r.producer(conv->inputs[0], "Pad") : nullptr;
  auto pads = pad ? zero_padding(layout_query(r.graph, *pad)) : std::nullopt;
  const std::string automatic = conv ? conv->read().s("auto_pad") : "";
  if (!pads || (automatic != "NOTSET" && automatic != "VALID")) return;
  const std::vector<int64_t> own = conv->attrs.ints("pads");
  for (size_t i = 0; i < own.size() && i < pads->size() && automatic == "NOTSET"; ++i) (*pads)[i] += own[i];
  Node fused = *conv;
  fused.inputs[0] = pad->inputs[0];
  fused.attrs.erase("auto_pad");
  fused.attrs.set("pads", std::move(*pads));
  r.replace(n, std::move(fused));
}

Tensor sum_of(const Tensor& a, const Tensor& b) {
  Tensor sum = vector_of({a.span<float>().begin(), a.span<float>().end()});
  for (int64_t i = 0; i < sum.count(); ++i) sum.mutable_data<float>()[i] += b.data<float>()[i];
  return sum;
}

// Conv or ConvTranspose -> Add of a vector: how formats write that have convolutions without a bias, or norms of constants as products and sums.
void with_conv_bias(Rewriter& r, size_t n) {
  const Node* add = r.at(n, "Add");
  if (add == nullptr) return;
  for (size_t i : {0u, 1u}) {
    const ValueId v = add->inputs[i];
    const Node* conv = plain_conv(r, v);
    const Tensor* bias = r.constant(add->inputs[1 - i]);
    if (conv == nullptr || !r.read_once(v) || !lies_along(bias, r.shape(v), 1)) continue;
    const bool biased = conv->inputs.size() > 2 && conv->inputs[2] != kNone;
    const Tensor* before = biased ? r.constant(conv->inputs[2]) : nullptr;
    if (biased && (before == nullptr || before->count() != bias->count())) continue;
    Node fused = *conv;
    fused.outputs = add->outputs;
    fused.inputs.resize(3, kNone);
    fused.inputs[2] =
        before ? r.add_constant(r.graph.value(add->inputs[1 - i]).name + ".sum", sum_of(*bias, *before)) : r.as_vector(add->inputs[1 - i]);
    if (r.replace(n, std::move(fused))) return;
  }
}

// A product with a number a channel, or with one number.
std::optional<ChannelAffine> scale_of_product(const Rewriter& r, const Node& node, size_t constant) {
  const Tensor* t = std::string_view(node.op->name) == "Mul" ? r.constant(node.inputs[constant]) : nullptr;
  const Shape& y = r.shape(node.outputs[0]);
  if (t == nullptr || !y.ranked() || y.rank() < 3 || !y[1].known() || (t->count() != 1 && !lies_along(t, y, 1))) return std::nullopt;
  ChannelAffine a;
  for (int64_t c = 0; c < y[1].value(); ++c) a.scale.push_back(t->data<float>()[t->count() == 1 ? 0 : c]);
  return a;
}

// Over the weights, where nobody else has them: all of a model's would otherwise lie there beside the largest of them twice.
// transposed: [C, OC / groups, taps], else [OC, terms].
void scale_channels(Tensor& w, const std::vector<float>& scale, bool transposed, int64_t groups) {
  Tensor scaled = place_over(w);
  const auto* from = w.data<float>();
  auto* to = scaled.mutable_data<float>();
  const Dims& d = w.dims();
  const int64_t rows = transposed ? d[0] : 1, channels = transposed ? d[1] : d[0], inner = d.count(transposed ? 2 : 1, d.rank);
  for (int64_t row = 0; row < rows; ++row) {
    const float* of_group = scale.data() + row * (transposed ? groups : 1) / rows * channels;
    for (int64_t c = 0; c < channels; ++c, from += inner, to += inner) {
      for (int64_t i = 0; i < inner; ++i) to[i] = from[i] * of_group[c];
    }
  }
  w = sealed(std::move(scaled));
}

// Weights that others read, too, are copied for each: heads share them over the levels of a pyramid. Of more readers the copies would be memory that the
// file does not back.
constexpr int32_t kMostReaders = 8;

// Conv or ConvTranspose -> BatchNormalization or Mul, nothing between.
void fold_scale(Rewriter& r, size_t n) {
  const std::string_view op = r.graph.nodes[n].op->name;
  const Node* node = op == "BatchNormalization" || op == "Mul" ? r.at(n, op) : nullptr;
  if (node == nullptr) return;
  const Node* conv = nullptr;
  std::optional<ChannelAffine> affine;
  for (size_t i = 0; i < (op == "Mul" ? 2 : 1) && !affine; ++i) {
    conv = r.read_once(node->inputs[i]) ? plain_conv(r, node->inputs[i]) : nullptr;
    if (conv != nullptr) affine = op == "Mul" ? scale_of_product(r, *node, 1 - i) : batch_norm(r, *node);
  }
  const Tensor* w = conv ? r.constant(conv->inputs[1]) : nullptr;
  if (!affine || !output_channels(*conv, w, *affine) || r.uses(conv->inputs[1]) > kMostReaders) return;
  const bool biased = conv->inputs.size() > 2 && conv->inputs[2] != kNone;
  const Tensor* bias = biased ? r.constant(conv->inputs[2]) : nullptr;
  if (biased && bias == nullptr) return;

  std::vector<float> shift = affine->shift;
  if (biased) shift.resize(affine->scale.size());
  for (size_t oc = 0; bias != nullptr && oc < shift.size(); ++oc) shift[oc] += bias->data<float>()[oc] * affine->scale[oc];
  Node fused = *conv;
  fused.outputs = {node->outputs[0]};
  const ValueId unscaled = conv->inputs[1];
  const std::string name = r.graph.value(unscaled).name;
  const ValueId scaled = r.add_constant(name + ".scaled", *w);
  fused.inputs[1] = scaled;
  if (!shift.empty()) {
    fused.inputs.resize(3, kNone);
    fused.inputs[2] = r.add_constant(name + ".shift", vector_of(shift));
  }
  const bool read_elsewhere = !r.read_once(unscaled), transposed = is_transposed(fused);
  const int64_t groups = fused.read().i("group");
  if (!r.replace(n, std::move(fused))) return;
  if (!read_elsewhere) r.graph.value(unscaled).constant = Tensor();
  scale_channels(r.graph.value(scaled).constant, affine->scale, transposed, groups);
}

}  // namespace

void fuse_conv(Graph& graph) {
  for (auto* step : {with_padding, with_conv_bias, fold_scale, with_conv_bias}) {
    Rewriter r(graph);
    for (size_t n = 0; n < r.size(); ++n) {
      const Node& node = graph.nodes[n];
      if (!node.outputs.empty() && node.outputs[0] != kNone && r.dtype(node.outputs[0]) == DType::f32) step(r, n);
    }
  }
}

}  // namespace tern
