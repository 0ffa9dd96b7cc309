// Sequences from tensors and back: SplitToSequence, ConcatFromSequence. With known sizes they become a Split and a Concat.
// See kernels/sequence/sequence.h, sequences.h.
#include <algorithm>
#include <cstring>

#include "kernels/movement/movement.h"
#include "kernels/sequence/sequence.h"
#include "runtime/base/checked.h"
#include "runtime/control/sequences.h"
#include "runtime/infer_shapes.h"

namespace tern {
namespace {

// ---- SplitToSequence ----

// The sizes of the parts of an axis of `extent`. `split`: of one size (rank 0), of these sizes; none: of one.
// Errors: sizes that cannot be (invalid), more parts than there may be (unsupported).
Result<std::vector<int64_t>> part_sizes(const Tensor& split, int64_t extent, int64_t most) {
  std::vector<int64_t> sizes{1};
  if (split.present()) {
    auto given = is_int(split.dtype()) ? as_ints(split.view()) : std::nullopt;
    if (!given || split.dims().rank > 1)
      return invalid("the split is " + std::string(name(split.dtype())) + to_string(split.dims()) + ", it must be i32 or i64, one or a list");
    sizes = std::move(*given);
  }
  if (split.present() && split.dims().rank == 1) {
    int64_t sum = 0;
    for (int64_t n : sizes) sum = n < 0 ? -1 : sum < 0 ? sum : checked_add(sum, n).value_or(-1);
    if (sum != extent) return invalid("the split sizes do not sum to " + std::to_string(extent) + ", the axis");
    if (static_cast<int64_t>(sizes.size()) > most)
      return unsupported("splits into " + std::to_string(sizes.size()) + " parts, more than the budget allows");
    return sizes;
  }
  const int64_t size = sizes[0];
  if (size <= 0) return invalid("the split size is " + std::to_string(size) + ", it must be positive");
  const int64_t count = extent / size + (extent % size != 0);
  if (count > most) return unsupported("splits into " + std::to_string(count) + " parts, more than the budget allows");
  sizes.assign(static_cast<size_t>(count), size);
  if (extent % size != 0) sizes.back() = extent % size;
  return sizes;
}

bool drops_axis(const Node& node) { return !has_input(node, 1) && node.read().i("keepdims") == 0; }

Result<int> split_axis(const Node& node, int rank) {
  const int64_t given = node.read().i("axis");
  const auto axis = normalize_axis(given, rank);
  if (!axis) return invalid("axis " + std::to_string(given) + " is not one of the " + std::to_string(rank) + " of its input");
  return *axis;
}

// The extent that all parts have; nothing when they differ, or are not known.
std::optional<int64_t> common_size(const Graph& graph, const Node& node, const Dim& extent) {
  if (!has_input(node, 1)) return 1;
  if (!graph.is_constant(node.inputs[1]) || !extent.known()) return std::nullopt;
  auto sizes = part_sizes(graph.value(node.inputs[1]).constant, extent.value(), kMostElements);
  if (!sizes || sizes->empty() || std::any_of(sizes->begin(), sizes->end(), [&](int64_t n) { return n != sizes->front(); })) return std::nullopt;
  return sizes->front();
}

Status infer_split(Graph& graph, Node& node) {
  auto type = input_type(graph, node, 0, ValueKind::tensor);
  if (!type) return type.error();
  if (has_input(node, 1)) {
    auto split = input_type(graph, node, 1, ValueKind::tensor);
    if (!split) return split.error();
    if ((split->dtype != DType::i32 && split->dtype != DType::i64) || split->shape.rank() > 1) {
      return invalid("the split is " + split->text() + ", it must be i32 or i64, one or a list");
    }
  }
  TypeInfo part = *type;
  if (part.shape.ranked()) {
    auto axis = split_axis(node, part.shape.rank());
    if (!axis) return axis.error();
    const auto size = common_size(graph, node, part.shape[*axis]);
    if (drops_axis(node)) part.shape.dims().erase(part.shape.dims().begin() + *axis);
    else part.shape[*axis] = size ? Dim(*size) : graph.fresh_dim();
  }
  set_output(graph, node, 0, sequence_of(std::move(part)));
  return {};
}

// Becomes a Split, whose parts are the elements.
Result<bool> fold_split(Folding& folding, Node& node) {
  Graph& graph = folding.graph;
  const TypeInfo type = graph.value(node.inputs[0]).type;
  if (has_input(node, 1) && !graph.is_constant(node.inputs[1])) return false;
  if (!type.shape.ranked()) return false;
  auto axis = split_axis(node, type.shape.rank());
  if (!axis) return axis.error().within(describe(graph, node));
  if (!type.shape[*axis].known()) return false;
  auto sizes = part_sizes(has_input(node, 1) ? graph.value(node.inputs[1]).constant : Tensor(), type.shape[*axis].value(), kMostElements);
  if (!sizes && sizes.error().code() == Code::kUnsupported) return false;
  if (!sizes) return sizes.error().within(describe(graph, node));
  const std::string name = graph.value(node.outputs[0]).name;
  if (!pay_for(folding, sizes->size(), static_cast<int64_t>(sizes->size() * (name.size() + node.name.size())))) return false;
  std::vector<ValueId> elements;
  for (size_t p = 0; p < sizes->size(); ++p) elements.push_back(graph.add_value(name + ":" + std::to_string(p)));
  if (!elements.empty()) {
    Node split;
    split.op = &kSplit;
    split.name = node.name;
    split.attrs.set("axis", static_cast<int64_t>(*axis));
    split.inputs = {node.inputs[0], graph.add_constant(name + ":sizes", Tensor::ints(*sizes))};
    split.outputs = elements;
    if (Status s = add_node(folding, std::move(split)); !s) return s.error();
  }
  if (drops_axis(node) && !elements.empty()) {
    const ValueId axes = graph.add_constant(name + ":axes", Tensor::ints(std::vector<int64_t>{*axis}));
    for (ValueId& v : elements) {
      Node squeeze;
      squeeze.op = &kSqueeze;
      squeeze.name = node.name;
      squeeze.inputs = {v, axes};
      squeeze.outputs = {graph.add_value(graph.value(v).name + ":squeezed")};
      v = squeeze.outputs[0];
      if (Status s = add_node(folding, std::move(squeeze)); !s) return s.error();
    }
  }
  if (Status s = construct(folding, node.name, std::move(elements), node.outputs[0]); !s) return s.error();
  return true;
}

// Not the kernel of Split, which takes no more than kMaxInts sizes.
Result<std::vector<Datum>> evaluate_split(const Graph&, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left) {
  const Tensor& x = inputs[0].tensor;
  auto axis = split_axis(node, x.dims().rank);
  if (!axis) return axis.error();
  auto sizes = part_sizes(inputs.size() > 1 ? inputs[1].tensor : Tensor(), x.dims()[*axis], left.budget / Datum::kElementBytes);
  if (!sizes) return sizes.error();
  if (Status s = spend(left, sizes->size(), x.count()); !s) return s.error();
  if (Status s = fits(left, static_cast<int64_t>(x.bytes()) + static_cast<int64_t>(sizes->size()) * Datum::kElementBytes); !s) return s.error();
  const int64_t outer = x.dims().count(0, *axis), inner = x.dims().count(*axis + 1, x.dims().rank) * static_cast<int64_t>(size_of(x.dtype()));
  const int64_t row = x.dims()[*axis] * inner;
  Datum::Elements list;
  int64_t at = 0;
  for (int64_t size : *sizes) {
    Dims dims = x.dims();
    dims[*axis] = size;
    auto part = Tensor::allocate(x.dtype(), dims);
    if (!part) return part.error();
    for (int64_t o = 0; o < outer && size * inner > 0; ++o) {
      std::memcpy(part->mutable_raw() + o * size * inner, x.raw() + o * row + at * inner, static_cast<size_t>(size * inner));
    }
    at += size;
    if (x.dtype() == DType::string) part->keep(x.pools());
    if (drops_axis(node)) {
      Dims rest;
      for (int d = 0; d < dims.rank; ++d) {
        if (d != *axis) rest.push_back(dims[d]);
      }
      *part = part->reshaped(rest);
    }
    list.push_back(std::move(*part));
  }
  return std::vector<Datum>{std::move(list)};
}

// ---- ConcatFromSequence ----

bool makes_axis(const Node& node) { return node.read().i("new_axis") != 0; }

// Of elements of that rank.
Result<int> concat_axis(const Node& node, int rank) {
  const int64_t given = node.read().i("axis");
  const int all = rank + (makes_axis(node) ? 1 : 0);
  const auto axis = normalize_axis(given, all);
  if (all > kMaxRank)
    return unsupported("its output has " + std::to_string(all) + " dimensions, at most " + std::to_string(kMaxRank) + " are supported");
  if (!axis) return invalid("axis " + std::to_string(given) + " is not one of " + std::to_string(all));
  return *axis;
}

Status infer_concat(Graph& graph, Node& node) {
  auto sequence = input_type(graph, node, 0, ValueKind::sequence);
  if (!sequence) return sequence.error();
  TypeInfo type = element_type(graph, *sequence);
  if (type.shape.ranked()) {
    auto axis = concat_axis(node, type.shape.rank());
    if (!axis) return axis.error();
    const Dim sum = graph.fresh_dim();
    if (makes_axis(node)) type.shape.dims().insert(type.shape.dims().begin() + *axis, sum);
    else type.shape[*axis] = sum;
  }
  set_output(graph, node, 0, std::move(type));
  return {};
}

Attributes axis_attribute(int axis) {
  Attributes attrs;
  attrs.set("axis", static_cast<int64_t>(axis));
  return attrs;
}

// Becomes a Concat, of elements that an Unsqueeze gives the new axis.
Result<bool> fold_concat(Folding& folding, Node& node) {
  const auto* known = known_elements(folding, node.inputs[0]);
  if (known == nullptr || known->empty()) return false;  // nothing to join: an error, but only when it runs
  Graph& graph = folding.graph;
  const size_t names = graph.value(node.outputs[0]).name.size() + node.name.size();
  if (!pay_for(folding, known->size(), static_cast<int64_t>(known->size() * names))) return false;
  const Shape& first = graph.value((*known)[0]).type.shape;
  if (!first.ranked()) return false;
  auto axis = concat_axis(node, first.rank());
  if (!axis) return axis.error().within(describe(graph, node));
  Node concat;
  concat.op = &kConcat;
  concat.name = node.name;
  concat.attrs = axis_attribute(*axis);
  concat.inputs = *known;
  concat.outputs = node.outputs;
  if (makes_axis(node)) {
    const std::string name = graph.value(node.outputs[0]).name;
    const ValueId axes = graph.add_constant(name + ":axes", Tensor::ints(std::vector<int64_t>{*axis}));
    for (ValueId& v : concat.inputs) {
      Node unsqueeze;
      unsqueeze.op = &kUnsqueeze;
      unsqueeze.name = node.name;
      unsqueeze.inputs = {v, axes};
      unsqueeze.outputs = {graph.add_value(name + ":unsqueezed")};
      v = unsqueeze.outputs[0];
      if (Status s = add_node(folding, std::move(unsqueeze)); !s) return s.error();
    }
  }
  if (Status s = add_node(folding, std::move(concat)); !s) return s.error().within(describe(graph, node));
  return true;
}

Result<std::vector<Datum>> evaluate_concat(const Graph&, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left) {
  auto list = elements_of(inputs, 0);
  if (!list) return list.error();
  if ((*list)->empty()) return invalid("the sequence is empty: there is nothing to join");
  if (Status s = spend(left, (*list)->size()); !s) return s.error();
  Datum::Elements parts = **list;
  auto axis = concat_axis(node, parts[0].dims().rank);
  if (!axis) return axis.error();
  for (Tensor& t : parts) {
    if (!makes_axis(node)) break;
    if (t.dims().rank != parts.back().dims().rank)
      return invalid("elements of shapes " + to_string(t.dims()) + " and " + to_string(parts.back().dims()) + " cannot be joined");
    Dims dims;
    for (int d = 0; d <= t.dims().rank; ++d) {
      if (d == *axis) dims.push_back(1);
      if (d < t.dims().rank) dims.push_back(t.dims()[d]);
    }
    t = t.reshaped(dims);
  }
  return evaluate_op(kConcat, axis_attribute(*axis), parts, left);
}

}  // namespace

constinit const ControlDef kSplitToSequenceControl = {.op = &kSplitToSequence, .infer = infer_split, .fold = fold_split, .evaluate = evaluate_split};
constinit const ControlDef kConcatFromSequenceControl = {
    .op = &kConcatFromSequence, .infer = infer_concat, .fold = fold_concat, .evaluate = evaluate_concat};

}  // namespace tern
