// MatMul + Add, or Gemm, become Linear (product + bias). See fuse.h.
#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"

namespace tern {
namespace {

bool is_bias(const Rewriter& r, ValueId v, const Shape& y) { return lies_along(r.constant(v), y, y.rank() - 1); }

bool is_matrix(const Tensor* t) { return t != nullptr && t->dims().rank == 2; }

// x W + bias, W and bias constant.
void with_linear_bias(Rewriter& r, size_t n) {
  if (const Node* gemm = r.at(n, "Gemm")) {
    const Tensor* w = r.constant(gemm->inputs[1]);
    const bool transposed = gemm->read().i("transB") != 0;
    if (!is_matrix(w) || gemm->read().i("transA") != 0 || gemm->read().f("alpha") != 1 || gemm->read().f("beta") != 1) return;
    const bool biased = gemm->inputs.size() > 2 && gemm->inputs[2] != kNone;
    if (biased && !is_bias(r, gemm->inputs[2], r.shape(gemm->outputs[0]))) return;
    Node fused{find_op("Linear"), "", {}, {gemm->inputs[0], gemm->inputs[1]}, gemm->outputs, {}};
    if (biased) fused.inputs.push_back(r.as_vector(r.graph.nodes[n].inputs[2]));
    if (transposed) fused.attrs.set("transB", int64_t(1));
    r.replace(n, std::move(fused));
    return;
  }
  const Node* add = r.at(n, "Add");
  if (add == nullptr) return;
  for (size_t i : {0u, 1u}) {
    const Node* product = r.producer(add->inputs[i], "MatMul");
    const Tensor* w = product ? r.constant(product->inputs[1]) : nullptr;
    if (!is_matrix(w) || !r.read_once(add->inputs[i]) || !is_bias(r, add->inputs[1 - i], r.shape(add->inputs[i]))) continue;
    const auto outputs = add->outputs;
    const std::vector<ValueId> inputs = {product->inputs[0], product->inputs[1], r.as_vector(add->inputs[1 - i])};
    if (r.replace(n, Node{find_op("Linear"), "", {}, inputs, outputs, {}})) return;
  }
}

}  // namespace

void fuse_linear(Graph& graph) {
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const Node& node = graph.nodes[n];
    if (!node.outputs.empty() && node.outputs[0] != kNone && r.dtype(node.outputs[0]) == DType::f32) with_linear_bias(r, n);
  }
}

}  // namespace tern
