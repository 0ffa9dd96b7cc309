// See read_in_place.h.
#include "runtime/read_in_place.h"

#include <algorithm>

#include "kernels/attention/attention.h"
#include "runtime/simplify.h"
#include "runtime/strided_view.h"

namespace tern {
namespace {

bool is_dense(const StridedView& v) {
  int64_t stride = 1;
  for (size_t i = v.dims.size(); i-- > 0; stride *= v.dims[i]) {
    if (v.dims[i] != 1 && v.strides[i] != stride) return false;
  }
  return v.offset == 0;
}

class InPlace {
 public:
  explicit InPlace(Graph& graph) : g_(graph), by_(producers(graph)), uses_(use_counts(graph)) {}

  void run() {
    std::vector<NodeId> reader(g_.values.size(), kNone);
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      for (ValueId v : g_.nodes[n].inputs) {
        if (v != kNone) reader[static_cast<size_t>(v)] = static_cast<NodeId>(n);
      }
    }
    std::vector<bool> dead(g_.nodes.size(), false);
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      Node& node = g_.nodes[n];
      if (node.op != &kFusedAttention || !known(node)) continue;
      constexpr const char* kViews[] = {"q_view", "k_view", "v_view"};
      for (size_t i = 0; i < 3; ++i) read(node, i, kViews[i]);
      write(node, reader, dead);
      by_[static_cast<size_t>(node.outputs[0])] = static_cast<NodeId>(n);
    }
    size_t n = 0;
    std::erase_if(g_.nodes, [&](const Node&) { return dead[n++]; });
    for (Graph& sub : g_.subgraphs) InPlace(sub).run();
  }

 private:
  const Shape& shape(ValueId v) const { return g_.value(v).type.shape; }
  // Everything that is needed, and nothing is empty.
  bool known(const Node& node) const {
    const auto has_elements = [&](ValueId v) { return shape(v).known() && shape(v).rank() == 4 && shape(v).concrete().count() > 0; };
    return std::all_of(node.inputs.begin(), node.inputs.begin() + 3, has_elements) && has_elements(node.outputs[0]);
  }

  void read(Node& node, size_t i, const char* attribute) const {
    const StridedView v = view_of(g_, by_, node.inputs[i]);
    if (is_dense(v) || (v.dims[3] != 1 && v.strides[3] != 1)) return;
    node.attrs.set(attribute, std::vector<int64_t>{v.dims[0], v.dims[1], v.dims[2], v.dims[3], v.offset, v.strides[0], v.strides[1], v.strides[2]});
    node.inputs[i] = v.base;
  }

  // The Transpose that alone reads y, perhaps through axes of one element, becomes where y is written. Its result has the same elements elsewhere: the
  // axis of it that walks along an axis of y, found by its stride in y, says how far apart they are.
  void write(Node& node, const std::vector<NodeId>& reader, std::vector<bool>& dead) {
    const StridedView y = whole_view(g_, node.outputs[0]);
    ValueId v = node.outputs[0];
    std::vector<NodeId> chain;
    bool moved = false;
    while (!moved && uses_[static_cast<size_t>(v)] == 1 && reader[static_cast<size_t>(v)] != kNone) {
      const NodeId n = reader[static_cast<size_t>(v)];
      const Node& next = g_.node(n);
      moved = std::string_view(next.op->name) == "Transpose";
      if ((!moved && !next.op->view) || next.inputs[0] != v || !shape(next.outputs[0]).known()) return;
      chain.push_back(n);
      v = next.outputs[0];
    }
    if (!moved) return;
    const StridedView seen = view_of(g_, by_, v), there = whole_view(g_, v);
    if (seen.base != node.outputs[0]) return;
    std::vector<int64_t> strides(4, 0);
    for (size_t axis = 0; axis < seen.dims.size(); ++axis) {
      if (seen.dims[axis] == 1) continue;
      size_t k = 0;
      while (k < 4 && (y.dims[k] != seen.dims[axis] || y.strides[k] != seen.strides[axis])) ++k;
      if (k == 4) return;
      strides[k] = there.strides[axis];
    }
    if (y.dims[3] != 1 && strides[3] != 1) return;
    node.attrs.set("y_shape", there.dims);
    node.attrs.set("y_strides", std::vector<int64_t>(strides.begin(), strides.begin() + 3));
    node.outputs[0] = v;
    for (NodeId n : chain) dead[static_cast<size_t>(n)] = true;
  }

  Graph& g_;
  std::vector<NodeId> by_;
  const std::vector<int32_t> uses_;
};

}  // namespace

void read_in_place(Graph& graph) {
  InPlace(graph).run();
  remove_dead_nodes(graph);
}

}  // namespace tern
