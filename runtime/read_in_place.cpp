// See read_in_place.h.
#include "runtime/read_in_place.h"

#include <algorithm>

#include "kernels/attention/attention.h"
#include "runtime/simplify.h"
#include "runtime/strided_view.h"

namespace tern {
namespace {

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
      limit(node);
      read(node, 0, view_of(g_, by_, node.inputs[0]));
      const auto k = heads_once(node.inputs[1]), v = heads_once(node.inputs[2]);
      const bool shared = k && v && k->dims[1] == v->dims[1] && readable(*k) && readable(*v);
      read(node, 1, shared ? *k : view_of(g_, by_, node.inputs[1]));
      read(node, 2, shared ? *v : view_of(g_, by_, node.inputs[2]));
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

  // A constant mask that shows nothing behind a diagonal, as a causal one does, says so: what lies there need not be computed.
  void limit(Node& node) const {
    if (node.inputs.size() < 4 || node.inputs[3] == kNone || !g_.is_constant(node.inputs[3])) return;
    const Tensor& mask = g_.value(node.inputs[3]).constant;
    if (mask.dims().rank < 2) return;
    const int64_t columns = mask.dims()[mask.dims().rank - 1], rows = mask.dims()[mask.dims().rank - 2];
    if (columns != shape(node.inputs[1])[2].value()) return;  // one column stands for all keys
    int64_t after = 0;
    for (int64_t row = 0; row < mask.count() / columns; ++row) {
      const int64_t last = mask.dtype() == DType::boolean ? last_seen(mask.data<uint8_t>() + row * columns, columns)
                                                          : last_seen(mask.data<float>() + row * columns, columns);
      after = std::max(after, last - (rows == 1 ? 0 : row % rows));  // one row may stand for all of them, of which the first sees farthest
    }
    node.attrs.set("after", after);
  }
  static int64_t last_seen(const uint8_t* row, int64_t columns) {
    int64_t last = columns - 1;
    while (last > 0 && row[last] == 0) --last;
    return last;
  }
  // What lies so far below the largest of its row has a weight of 0, whatever the scores are.
  static int64_t last_seen(const float* row, int64_t columns) {
    const float top = *std::max_element(row, row + columns);
    int64_t last = columns - 1;
    while (last > 0 && row[last] - top <= -1e30f) --last;
    return last;
  }

  static bool readable(const StridedView& v) { return v.dims[3] == 1 || v.strides[3] == 1; }
  void read(Node& node, size_t i, const StridedView& v) const {
    constexpr const char* kViews[] = {"q_view", "k_view", "v_view"};
    if ((is_dense(v) && v.dims == whole_view(g_, node.inputs[i]).dims) || !readable(v)) return;
    node.attrs.set(kViews[i], std::vector<int64_t>{v.dims[0], v.dims[1], v.dims[2], v.dims[3], v.offset, v.strides[0], v.strides[1], v.strides[2]});
    node.inputs[i] = v.base;
  }

  // The view of keys or values, [B,H,S,D], with those heads once that are repeated beside each other; nothing where none are. What repeats them is an
  // axis of stride 0, alone or joined with the one before it by a Reshape, which perhaps a Transpose follows.
  std::optional<StridedView> heads_once(ValueId value) const {
    StridedView v = view_of(g_, by_, value);
    if (v.dims[1] > 1 && v.strides[1] == 0) {
      v.dims[1] = 1;
      return v;
    }
    const NodeId n = by_[static_cast<size_t>(v.base)];
    if (n == kNone || !g_.node(n).op->view || v.offset != 0 || !shape(g_.node(n).inputs[0]).known()) return std::nullopt;
    const StridedView joined = whole_view(g_, v.base), apart = view_of(g_, by_, g_.node(n).inputs[0]);
    size_t at = 0;  // the axis of `joined` that is two of `apart`
    if (apart.dims.size() != joined.dims.size() + 1) return std::nullopt;
    while (at < joined.dims.size() && apart.dims[at] == joined.dims[at]) ++at;
    if (at == joined.dims.size() || apart.dims[at + 1] < 2 || apart.strides[at + 1] != 0) return std::nullopt;
    if (!std::equal(joined.dims.begin() + static_cast<int64_t>(at) + 1, joined.dims.end(), apart.dims.begin() + static_cast<int64_t>(at) + 2)) {
      return std::nullopt;
    }
    StridedView once{apart.base, v.dims, {0, 0, 0, 0}, apart.offset};
    for (size_t i = 0; i < 4; ++i) {
      if (v.dims[i] == 1) continue;
      size_t k = 0;
      while (k < joined.dims.size() && (joined.dims[k] != v.dims[i] || joined.strides[k] != v.strides[i])) ++k;
      if (k == joined.dims.size() || (k == at) != (i == 1)) return std::nullopt;
      once.strides[i] = apart.strides[k > at ? k + 1 : k];
    }
    if (v.dims[1] == 1) return std::nullopt;
    once.dims[1] = apart.dims[at];
    return once;
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
