// What quantises its input as it runs (DynamicQuantizeLinear, MatMulInteger, Cast, Mul by both scales, Add of a bias, of what a block began with, Relu)
// becomes one product that gives f32: MatMulIntegerToFloat; of ConvInteger, with its bias and a Relu or Clip, ConvIntegerToFloat. One quantisation may
// feed several products. The bits are those of the chain, as the kernel takes the same steps in the same order. See passes.h.
#include <string_view>

#include "runtime/fuse/passes.h"
#include "runtime/fuse/quantized.h"

namespace tern {
namespace {

bool is_one(const Shape& s) { return s.ranked() && (s.rank() == 0 || (s.rank() == 1 && s[0].is(1))); }
bool is_row(const Shape& s, const Shape& y) { return s.ranked() && y.ranked() && y.rank() > 0 && s.rank() == 1 && s[0] == y[y.rank() - 1]; }

ValueId input(const Node& node, size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNone; }

// The two scales of a product of shape y: factors of one value, of which the first is one number; or the value itself and 1.
struct Scales {
  ValueId x, w;
};
std::optional<Scales> scales_of(Rewriter& r, ValueId v, const Shape& y) {
  if (r.dtype(v) != DType::f32) return std::nullopt;
  auto fits = [&](ValueId w) { return is_one(r.shape(w)) || is_row(r.shape(w), y); };
  if (const Node* both = r.producer(v, "Mul")) {
    for (size_t i : {0u, 1u}) {
      const Scales s{both->inputs[i], both->inputs[1 - i]};
      if (is_one(r.shape(s.x)) && fits(s.w)) return s;
    }
  }
  if (!fits(v)) return std::nullopt;
  return Scales{r.add_constant("one", Tensor::scalar(1.0f)), v};
}

// The constant v, which has an element for each channel of y, [C,1,1] or [1,C,1,1]; kNone when it is none.
ValueId of_channels(Rewriter& r, ValueId v, const Shape& y) { return y.rank() >= 3 && lies_along(r.constant(v), y, 1) ? r.as_vector(v) : kNone; }
// The two scales of a convolution: one number each, or a constant of the channels.
std::optional<Scales> scales_of_conv(Rewriter& r, ValueId v, const Shape& y) {
  if (r.dtype(v) != DType::f32) return std::nullopt;
  if (const Node* both = r.producer(v, "Mul")) {
    for (size_t i : {0u, 1u}) {
      Scales s{both->inputs[i], both->inputs[1 - i]};
      if (!is_one(r.shape(s.x))) continue;
      if (!is_one(r.shape(s.w))) s.w = of_channels(r, s.w, y);
      if (s.w != kNone) return s;
    }
  }
  if (!is_one(r.shape(v))) return std::nullopt;
  return Scales{r.add_constant("one", Tensor::scalar(1.0f)), v};
}

// Mul of Cast of `op`, which becomes `fused`.
bool scaled_product(Rewriter& r, size_t n, const char* op, const char* fused) {
  const Node* mul = r.at(n, "Mul");
  if (mul == nullptr) return false;
  const bool conv = std::string_view(op) == "ConvInteger";
  for (size_t i : {0u, 1u}) {
    const Node* cast = r.read_once(mul->inputs[i]) ? r.producer(mul->inputs[i], "Cast") : nullptr;
    const Node* product = cast != nullptr && r.read_once(cast->inputs[0]) ? r.producer(cast->inputs[0], op) : nullptr;
    if (product == nullptr || !r.graph.is_constant(product->inputs[1])) continue;
    const auto s = conv ? scales_of_conv(r, mul->inputs[1 - i], r.shape(mul->inputs[i])) : scales_of(r, mul->inputs[1 - i], r.shape(mul->inputs[i]));
    if (!s) continue;
    const ValueId x = product->inputs[0], w = product->inputs[1];
    const ValueId x_zero = zero_or_none(r, input(*product, 2), r.dtype(x)), w_zero = zero_or_none(r, input(*product, 3), r.dtype(w));
    const std::vector<ValueId> inputs = {x, s->x, x_zero, w, s->w, w_zero};
    if (r.replace(n, Node{find_op(fused), product->name, product->attrs, inputs, mul->outputs, {}})) return true;
  }
  return false;
}
bool scaled(Rewriter& r, size_t n) {
  return scaled_product(r, n, "MatMulInteger", "MatMulIntegerToFloat") || scaled_product(r, n, "ConvInteger", "ConvIntegerToFloat");
}

bool is_bias_vector(const Rewriter& r, ValueId v, const Shape& y) {
  const Tensor* t = r.constant(v);
  return t != nullptr && t->dims().rank == 1 && lies_along(t, y, y.rank() - 1);
}

void with_product_bias(Rewriter& r, size_t n) {
  const Node* add = r.at(n, "Add");
  if (add == nullptr) return;
  for (size_t i : {0u, 1u}) {
    const ValueId v = add->inputs[i], bias = add->inputs[1 - i];
    const Node* product = r.read_once(v) ? r.producer(v, "MatMulIntegerToFloat") : nullptr;
    if (product == nullptr || bias == v || input(*product, 6) != kNone || !is_bias_vector(r, bias, r.shape(v))) continue;
    Node fused = *product;
    fused.inputs.resize(7, kNone);
    fused.inputs.back() = bias;
    fused.outputs = add->outputs;
    if (r.replace(n, std::move(fused))) return;
  }
}
void with_channel_bias(Rewriter& r, size_t n) {
  const Node* add = r.at(n, "Add");
  for (size_t i : {0u, 1u}) {
    const Node* conv = add != nullptr && r.read_once(add->inputs[i]) ? r.producer(add->inputs[i], "ConvIntegerToFloat") : nullptr;
    if (conv == nullptr || conv->inputs.size() > 6 || conv->attrs.has("activation")) continue;
    const ValueId bias = of_channels(r, add->inputs[1 - i], r.shape(add->inputs[i]));
    if (bias == kNone) continue;
    Node fused = *conv;
    fused.inputs.push_back(bias);
    fused.outputs = add->outputs;
    if (r.replace(n, std::move(fused))) return;
  }
}

}  // namespace

void fuse_dynamic_products(Graph& graph) {
  bool any = false;
  {
    Rewriter r(graph);
    for (size_t n = 0; n < r.size(); ++n) any = scaled(r, n) || any;
  }
  if (!any) return;
  {
    Rewriter r(graph);
    for (size_t n = 0; n < r.size(); ++n) with_product_bias(r, n), with_channel_bias(r, n);
  }
  fuse_epilogues(graph);
}

}  // namespace tern
