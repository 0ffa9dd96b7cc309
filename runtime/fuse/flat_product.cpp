// Reshape to a matrix, MatMul with weights, Reshape back: as TensorFlow's tensordot (Keras' Dense on more than two axes) is written. One MatMul, whose
// bits are the same, and which its bias and activation can join. See fuse.h.
#include <algorithm>

#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"

namespace tern {
namespace {

// Is y what x is but for the last axis?
bool same_rows(const Shape& x, const Shape& y) {
  if (!x.ranked() || !y.ranked() || x.rank() != y.rank() || x.rank() < 2) return false;
  return std::equal(x.dims().begin(), x.dims().end() - 1, y.dims().begin());
}

}  // namespace

void fuse_flat_products(Graph& graph) {
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const Node* back = r.at(n, "Reshape");
    const Node* product = back ? r.producer(back->inputs[0], "MatMul") : nullptr;
    const Node* flat = product && r.read_once(back->inputs[0]) ? r.producer(product->inputs[0], "Reshape") : nullptr;
    if (flat == nullptr || !r.graph.is_constant(product->inputs[1])) continue;
    const Shape &x = r.shape(flat->inputs[0]), &rows = r.shape(flat->outputs[0]), &w = r.shape(product->inputs[1]), &y = r.shape(back->outputs[0]);
    if (!same_rows(x, y) || rows.rank() != 2 || w.rank() != 2 || !(x[x.rank() - 1] == w[0]) || !(y[y.rank() - 1] == w[1])) continue;
    r.replace(n, Node{product->op, product->name, {}, {flat->inputs[0], product->inputs[1]}, back->outputs, {}});
  }
}

}  // namespace tern
