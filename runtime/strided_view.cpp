// See strided_view.h. The operators are walked up as far as they go, and then down again: what one of them cannot express begins anew behind it.
#include "runtime/strided_view.h"

#include <algorithm>

namespace tern {
namespace {

constexpr size_t kLongestChain = 16;

std::optional<std::vector<int64_t>> constant_ints(const Graph& g, const Node& n, size_t i) {
  if (i >= n.inputs.size() || !g.is_constant(n.inputs[i])) return std::nullopt;
  return as_ints(g.value(n.inputs[i]).constant.view());
}

// The same elements in the same order under other extents, where each axis still has one stride.
bool through_reshape(StridedView& v, const Dims& to) {
  std::vector<int64_t> dims, strides;  // without axes of one element
  for (size_t i = 0; i < v.dims.size(); ++i) {
    if (v.dims[i] == 1) continue;
    dims.push_back(v.dims[i]);
    strides.push_back(v.strides[i]);
  }
  std::vector<int64_t> result(static_cast<size_t>(to.rank), 0);
  size_t from = 0;
  for (int i = 0; i < to.rank;) {
    if (to[i] == 1) {
      ++i;
      continue;
    }
    if (from == dims.size()) return false;
    // the fewest axes before and behind that hold the same elements
    size_t from_end = from + 1;
    int end = i + 1;
    for (int64_t before = dims[from], behind = to[i]; before != behind;) {
      if (before < behind && from_end < dims.size()) before *= dims[from_end++];
      else if (behind < before && end < to.rank) behind *= to[end++];
      else return false;
    }
    for (size_t k = from; k + 1 < from_end; ++k) {
      if (strides[k] != dims[k + 1] * strides[k + 1]) return false;
    }
    int64_t stride = strides[from_end - 1];
    for (int k = end - 1; k >= i; --k) {
      result[static_cast<size_t>(k)] = stride;
      stride *= to[k];
    }
    from = from_end;
    i = end;
  }
  v.dims.assign(to.span().begin(), to.span().end());
  v.strides = std::move(result);
  return from == dims.size();
}

void cut(StridedView& v, size_t axis, int64_t first, int64_t count, int64_t step) {
  v.offset += first * v.strides[axis];
  v.dims[axis] = count;
  v.strides[axis] *= step;
}

bool through_slice(const Graph& g, const Node& n, StridedView& v) {
  const auto starts = constant_ints(g, n, 1);
  if (!starts) return false;
  std::vector<int64_t> axes, steps(starts->size(), 1);
  for (size_t i = 0; i < starts->size(); ++i) axes.push_back(static_cast<int64_t>(i));
  if (n.inputs.size() > 3 && n.inputs[3] != kNone) {
    const auto given = constant_ints(g, n, 3);
    if (!given || given->size() != starts->size()) return false;
    axes = *given;
  }
  if (n.inputs.size() > 4 && n.inputs[4] != kNone) {
    const auto given = constant_ints(g, n, 4);
    if (!given || given->size() != starts->size()) return false;
    steps = *given;
  }
  const Dims out = g.value(n.outputs[0]).type.shape.concrete();
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = normalize_axis(axes[i], static_cast<int>(v.dims.size()));
    if (!axis || steps[i] < 1) return false;
    const auto at = static_cast<size_t>(*axis);
    const int64_t size = v.dims[at], start = (*starts)[i];
    cut(v, at, std::clamp<int64_t>(start < 0 ? start + size : start, 0, size), out[*axis], steps[i]);
  }
  return true;
}

bool through_split(const Graph& g, const Node& n, ValueId output, StridedView& v) {
  const auto axis = normalize_axis(n.read().i("axis"), static_cast<int>(v.dims.size()));
  if (!axis) return false;
  int64_t first = 0;
  for (ValueId o : n.outputs) {
    if (o == kNone) return false;  // of an output that is left out the size is not known here
    const int64_t size = g.value(o).type.shape.concrete()[*axis];
    if (o == output) {
      cut(v, static_cast<size_t>(*axis), first, size, 1);
      return true;
    }
    first += size;
  }
  return false;
}

bool through_gather(const Graph& g, const Node& n, StridedView& v) {
  const auto index = constant_ints(g, n, 1);
  const auto axis = normalize_axis(n.read().i("axis"), static_cast<int>(v.dims.size()));
  if (!index || index->size() != 1 || !axis) return false;
  const auto at = static_cast<size_t>(*axis);
  const int64_t size = v.dims[at], i = (*index)[0] < 0 ? (*index)[0] + size : (*index)[0];
  if (i < 0 || i >= size) return false;
  cut(v, at, i, 1, 1);
  return through_reshape(v, g.value(n.outputs[0]).type.shape.concrete());
}

// Expand, or a Tile of extents of 1: what is repeated has a stride of 0.
bool through_repeat(StridedView& v, const Dims& to) {
  const size_t added = static_cast<size_t>(to.rank) - v.dims.size();
  v.dims.insert(v.dims.begin(), added, 1);
  v.strides.insert(v.strides.begin(), added, 0);
  for (size_t i = 0; i < v.dims.size(); ++i) {
    if (v.dims[i] == to[static_cast<int>(i)]) continue;
    if (v.dims[i] != 1) return false;
    v.dims[i] = to[static_cast<int>(i)];
    v.strides[i] = 0;
  }
  return true;
}

// v, a view of the node's input 0, becomes one of its output.
bool follow(const Graph& g, const Node& n, ValueId output, StridedView& v) {
  const std::string_view op = n.op->name;
  if (op == "Slice") return through_slice(g, n, v);
  if (op == "Split") return through_split(g, n, output, v);
  if (op == "Gather") return through_gather(g, n, v);
  if (op == "Expand" || op == "Tile") return through_repeat(v, g.value(output).type.shape.concrete());
  if (op != "Transpose") return n.op->view && through_reshape(v, g.value(output).type.shape.concrete());
  const auto perm = n.read().ints("perm");
  StridedView moved = v;
  for (size_t i = 0; i < v.dims.size(); ++i) {
    const size_t from = perm.empty() ? v.dims.size() - 1 - i : static_cast<size_t>(perm[i]);
    moved.dims[i] = v.dims[from];
    moved.strides[i] = v.strides[from];
  }
  v = std::move(moved);
  return true;
}

bool followed(const Graph& g, const Node& n) {
  constexpr std::string_view kOps[] = {"Expand", "Gather", "Slice", "Split", "Tile", "Transpose"};
  if (!n.op->view && std::find(std::begin(kOps), std::end(kOps), n.op->name) == std::end(kOps)) return false;
  return n.inputs[0] != kNone && !g.is_constant(n.inputs[0]) && g.value(n.inputs[0]).type.shape.known() && !g.value(n.inputs[0]).layout.blocked;
}

}  // namespace

StridedView whole_view(const Graph& graph, ValueId v) {
  const Dims d = graph.value(v).type.shape.concrete();
  StridedView view{v, {d.span().begin(), d.span().end()}, std::vector<int64_t>(static_cast<size_t>(d.rank)), 0};
  int64_t stride = 1;
  for (size_t i = view.dims.size(); i-- > 0; stride *= view.dims[i]) view.strides[i] = stride;
  return view;
}

bool is_dense(const StridedView& v) {
  int64_t stride = 1;
  for (size_t i = v.dims.size(); i-- > 0; stride *= v.dims[i]) {
    if (v.dims[i] != 1 && v.strides[i] != stride) return false;
  }
  return v.offset == 0;
}

StridedView view_of(const Graph& graph, const std::vector<NodeId>& by, ValueId v) {
  std::vector<ValueId> chain = {v};  // each produced from the next
  while (chain.size() < kLongestChain) {
    const NodeId n = by[static_cast<size_t>(chain.back())];
    if (n == kNone || !followed(graph, graph.node(n))) break;
    chain.push_back(graph.node(n).inputs[0]);
  }
  StridedView view = whole_view(graph, chain.back());
  for (size_t i = chain.size() - 1; i-- > 0;) {
    if (!follow(graph, graph.node(by[static_cast<size_t>(chain[i])]), chain[i], view)) view = whole_view(graph, chain[i]);
  }
  return view;
}

}  // namespace tern
