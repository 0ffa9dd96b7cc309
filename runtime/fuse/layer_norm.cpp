// (x - mean(x)) / sqrt(mean((x - mean)^2) + eps) * scale + bias becomes LayerNormalization; and so does what TensorFlow and Keras make of it,
// x * m + (bias - mean * m) with m = scale / sqrt(…). x / sqrt(mean(x^2) + eps) * scale becomes RMSNormalization. See fuse.h.
#include <algorithm>

#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"

namespace tern {
namespace {

// A mean over the last axis that keeps it; gives what it is the mean of.
ValueId last_axis_mean(const Rewriter& r, ValueId v) {
  const Node* mean = r.producer(v, "ReduceMean");
  if (mean == nullptr || mean->read().i("keepdims") != 1 || mean->inputs.size() != 2) return kNone;
  const Tensor* axes = r.constant(mean->inputs[1], DType::i64);
  const Shape& x = r.shape(mean->inputs[0]);
  if (axes == nullptr || axes->count() != 1 || !x.ranked()) return kNone;
  const int64_t axis = *axes->data<int64_t>();
  return axis == -1 || axis == x.rank() - 1 ? mean->inputs[0] : kNone;
}

// v == x - mean(x): gives x.
ValueId centred(const Rewriter& r, ValueId v) {
  const Node* sub = r.producer(v, "Sub");
  return sub && last_axis_mean(r, sub->inputs[1]) == sub->inputs[0] ? sub->inputs[0] : kNone;
}

// v == d * d, in one of its spellings: gives d.
ValueId squared(const Rewriter& r, ValueId v) {
  if (const Node* pow = r.producer(v, "Pow"); pow && r.is_scalar(pow->inputs[1], 2.0f)) return pow->inputs[0];
  const Node* mul = r.producer(v, "Mul");
  return mul && mul->inputs[0] == mul->inputs[1] ? mul->inputs[0] : kNone;
}

struct Normalized {
  ValueId x = kNone, scale = kNone, bias = kNone;
  float epsilon = 0;
};

// v == sqrt(mean(x^2) + epsilon): gives x and epsilon.
std::optional<Normalized> root_mean_square(const Rewriter& r, ValueId v) {
  const Node* sqrt = r.producer(v, "Sqrt");
  const Node* add = sqrt ? r.producer(sqrt->inputs[0], "Add") : nullptr;
  const auto mean = add ? r.with_scalar(*add) : std::nullopt;
  const ValueId x = mean ? squared(r, last_axis_mean(r, mean->value)) : kNone;
  return x == kNone ? std::nullopt : std::optional(Normalized{.x = x, .epsilon = mean->factor});
}

// The same of x - mean(x): gives x.
std::optional<Normalized> deviation(const Rewriter& r, ValueId v) {
  auto found = root_mean_square(r, v);
  if (found) found->x = centred(r, found->x);
  return found && found->x != kNone ? found : std::nullopt;
}

// v == x / d: gives d.
ValueId divisor(const Rewriter& r, ValueId v, ValueId x) {
  if (const Node* div = r.producer(v, "Div")) return div->inputs[0] == x ? div->inputs[1] : kNone;
  const Node* mul = r.producer(v, "Mul");
  for (size_t i : {0u, 1u}) {
    if (mul == nullptr || mul->inputs[i] != x) continue;
    if (const Node* reciprocal = r.producer(mul->inputs[1 - i], "Reciprocal")) return reciprocal->inputs[0];
    const Node* one = r.producer(mul->inputs[1 - i], "Div");
    return one && r.is_scalar(one->inputs[0], 1.0f) ? one->inputs[1] : kNone;
  }
  return kNone;
}

// The constant operand of a node of two, and the other one.
std::optional<Rewriter::Scaled> with_constant(const Rewriter& r, const Node* n, ValueId& constant) {
  for (size_t i : {0u, 1u}) {
    if (n == nullptr || r.constant(n->inputs[1 - i]) == nullptr) continue;
    constant = n->inputs[1 - i];
    return Rewriter::Scaled{n->inputs[i]};
  }
  return std::nullopt;
}

// y = (x - mean) / deviation * scale + bias
std::optional<Normalized> as_written(const Rewriter& r, const Node& y) {
  ValueId scale = kNone, bias = kNone;
  const auto scaled = with_constant(r, &y, bias);
  const auto quotient = scaled && r.read_once(scaled->value) ? with_constant(r, r.producer(scaled->value, "Mul"), scale) : std::nullopt;
  const Node* div = quotient ? r.producer(quotient->value, "Div") : nullptr;
  auto found = div ? deviation(r, div->inputs[1]) : std::nullopt;
  if (!found || centred(r, div->inputs[0]) != found->x) return std::nullopt;
  return Normalized{found->x, scale, bias, found->epsilon};
}

// y = x / sqrt(mean(x^2) + epsilon) * scale
std::optional<Normalized> by_root_mean_square(const Rewriter& r, const Node& y) {
  ValueId scale = kNone;
  const auto scaled = with_constant(r, &y, scale);
  const NodeId quotient = scaled && r.read_once(scaled->value) ? r.producer_id(scaled->value) : kNone;
  for (size_t i = 0; quotient != kNone && i < r.graph.node(quotient).inputs.size(); ++i) {
    const ValueId x = r.graph.node(quotient).inputs[i];
    const auto found = root_mean_square(r, divisor(r, scaled->value, x));
    if (found && found->x == x) return Normalized{x, scale, kNone, found->epsilon};
  }
  return std::nullopt;
}

// v == mean(x) * m, or where `negative` -mean(x) * m: gives x.
ValueId mean_times(const Rewriter& r, ValueId v, ValueId m, bool negative) {
  const Node* mul = r.producer(v, "Mul");
  for (size_t i : {0u, 1u}) {
    if (mul == nullptr || mul->inputs[i] != m) continue;
    const Node* neg = negative ? r.producer(mul->inputs[1 - i], "Neg") : nullptr;
    return negative && neg == nullptr ? kNone : last_axis_mean(r, neg ? neg->inputs[0] : mul->inputs[1 - i]);
  }
  return kNone;
}

// y = x * m + (bias - mean * m), m = scale / deviation
std::optional<Normalized> as_multiplied_out(const Rewriter& r, const Node& y) {
  for (size_t i : {0u, 1u}) {
    const Node* product = r.producer(y.inputs[i], "Mul");
    for (size_t j : {0u, 1u}) {
      Normalized n;
      const ValueId x = product ? product->inputs[j] : kNone, m = product ? product->inputs[1 - j] : kNone;
      const auto inverse = with_constant(r, r.producer(m, "Mul"), n.scale);
      const Node* reciprocal = inverse ? r.producer(inverse->value, "Reciprocal") : nullptr;
      const auto found = reciprocal ? deviation(r, reciprocal->inputs[0]) : std::nullopt;
      if (!found || found->x != x) continue;
      n.x = x;
      n.epsilon = found->epsilon;
      const Node *sub = r.producer(y.inputs[1 - i], "Sub"), *add = r.producer(y.inputs[1 - i], "Add");
      const auto shift = with_constant(r, add, n.bias);
      if (shift && mean_times(r, shift->value, m, true) == x) return n;
      if (sub == nullptr || r.constant(sub->inputs[0]) == nullptr || mean_times(r, sub->inputs[1], m, false) != x) continue;
      n.bias = sub->inputs[0];
      return n;
    }
  }
  return std::nullopt;
}

// A constant with an element for each of the last axis of x, as a vector; kNone for another.
ValueId of_last_axis(Rewriter& r, ValueId v, const Shape& x) { return lies_along(r.constant(v), x, x.rank() - 1) ? r.as_vector(v) : kNone; }

void replace_by_norm(Rewriter& r, size_t n, const OpDef& op, const std::optional<Normalized>& found) {
  if (!found || !r.shape(found->x).ranked() || r.shape(found->x).rank() == 0 || r.dtype(found->x) != DType::f32) return;
  const Shape x = r.shape(found->x);
  std::vector<ValueId> inputs = {found->x, of_last_axis(r, found->scale, x)};
  if (found->bias != kNone) inputs.push_back(of_last_axis(r, found->bias, x));
  if (std::find(inputs.begin(), inputs.end(), kNone) != inputs.end()) return;
  Node fused{&op, "", {}, std::move(inputs), r.graph.nodes[n].outputs, {}};
  fused.attrs.set("axis", int64_t(-1));
  fused.attrs.set("epsilon", found->epsilon);
  r.replace(n, std::move(fused));
}

}  // namespace

void fuse_layer_norm(Graph& graph) {
  const OpDef *layer = find_op("LayerNormalization"), *rms = find_op("RMSNormalization");
  if (layer == nullptr || rms == nullptr) return;
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const Node* add = r.at(n, "Add");
    auto found = add ? as_written(r, *add) : std::nullopt;
    if (!found && add) found = as_multiplied_out(r, *add);
    replace_by_norm(r, n, *layer, found);
  }
  // A LayerNormalization has one of these within it, up to its bias.
  for (size_t n = 0; n < r.size(); ++n) {
    if (const Node* mul = r.at(n, "Mul")) replace_by_norm(r, n, *rms, by_root_mean_square(r, *mul));
  }
}

}  // namespace tern
