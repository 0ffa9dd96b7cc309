// What is done to each element of a product, a convolution or a map joins it as its epilogue, in the order of that: a sum with something of its shape,
// an activation, a norm of the channels. Which operators have one, of which parts, and which are activations, they say themselves (kernels/epilogue.h).
// See passes.h.
#include "kernels/epilogue.h"

#include "runtime/fuse/channel_affine.h"
#include "runtime/fuse/passes.h"
#include "runtime/layout_query.h"

namespace tern {
namespace {

bool given(const Node& node, int input) {
  return input >= 0 && static_cast<size_t>(input) < node.inputs.size() && node.inputs[static_cast<size_t>(input)] != kNone;
}

// What gives v to nobody but its reader, and may compute a part of an epilogue more; null when there is no such node. `first`: none is there yet.
const Node* open_producer(const Rewriter& r, ValueId v, bool first) {
  const Node* node = v == kNone || !r.read_once(v) ? nullptr : r.producer(v);
  if (node == nullptr || node->op->epilogue == nullptr || given(*node, node->op->epilogue->scale)) return nullptr;
  return first && (node->attrs.has("activation") || given(*node, node->op->epilogue->residual)) ? nullptr : node;
}

// Node n becomes what produced its input, with this epilogue. It stands where n stood, so that all that it reads is there.
bool extend(Rewriter& r, size_t n, Node fused) {
  fused.op = fused.op->epilogue->op;
  fused.outputs = r.graph.nodes[n].outputs;
  return r.replace(n, std::move(fused));
}
void set_input(Node& node, int i, ValueId v) {
  const auto at = static_cast<size_t>(i);
  if (node.inputs.size() <= at) node.inputs.resize(at + 1, kNone);
  node.inputs[at] = v;
}

void with_residual(Rewriter& r, size_t n) {
  const Node* add = r.at(n, "Add");
  if (add == nullptr) return;
  for (size_t i : {0u, 1u}) {
    const ValueId v = add->inputs[i], residual = add->inputs[1 - i];
    const Node* node = open_producer(r, v, true);
    if (node == nullptr || node->op->epilogue->residual < 0) continue;
    if (residual == v || !r.shape(v).ranked() || !(r.shape(residual) == r.shape(v))) continue;
    Node fused = *node;
    set_input(fused, node->op->epilogue->residual, residual);
    if (extend(r, n, std::move(fused))) return;
  }
}

void with_activation(Rewriter& r, size_t n) {
  const Node* node = r.at(n);
  if (node == nullptr || node->op->activation == nullptr) return;
  const Node* before = open_producer(r, node->inputs[0], false);
  if (before == nullptr || before->attrs.has("activation")) return;
  const LayoutQuery q = layout_query(r.graph, *node);
  const auto spec = node->op->activation(q);
  if (!spec || !before->op->epilogue->computes(spec->activation)) return;
  Node fused = *before;
  const Attributes attrs = as_attributes(q, *spec);
  for (const auto& [name, value] : attrs.all()) fused.attrs.set(name, value);
  extend(r, n, std::move(fused));
}

// One FMA. A norm with nothing before it goes into the weights (conv.cpp); or, where those are computed, stays with what is behind it.
void with_scale(Rewriter& r, size_t n) {
  const Node* norm = r.at(n, "BatchNormalization");
  const Node* node = norm ? open_producer(r, norm->inputs[0], false) : nullptr;
  if (node == nullptr || node->op->epilogue->scale < 0) return;
  if (!node->attrs.has("activation") && !given(*node, node->op->epilogue->residual)) return;
  const auto affine = batch_norm(r, *norm);
  const Shape& y = r.shape(norm->inputs[0]);
  if (!affine || !y.ranked() || y.rank() < 2 || !y[1].is(static_cast<int64_t>(affine->scale.size()))) return;
  Node fused = *node;
  const std::string name = r.graph.value(norm->outputs[0]).name;
  const EpilogueSlots& slots = *node->op->epilogue;
  set_input(fused, slots.scale, r.add_constant(name + ".scale", vector_of(affine->scale)));
  set_input(fused, slots.shift, r.add_constant(name + ".shift", vector_of(affine->shift)));
  extend(r, n, std::move(fused));
}

void everywhere(Graph& graph, void (*step)(Rewriter&, size_t)) {
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const Node& node = graph.nodes[n];
    if (!node.outputs.empty() && node.outputs[0] != kNone && r.dtype(node.outputs[0]) == DType::f32) step(r, n);
  }
}

}  // namespace

void fuse_epilogues(Graph& graph) {
  for (auto* step : {with_residual, with_activation, with_scale}) everywhere(graph, step);
}
void fuse_activations(Graph& graph) { everywhere(graph, with_activation); }

}  // namespace tern
