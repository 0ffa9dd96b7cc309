// Verifying, inferring, folding and evaluating what Loop and Scan have in common. See iteration.h.
#include "runtime/control/iteration.h"

#include <algorithm>

#include "kernels/gather/gather.h"
#include "kernels/movement/movement.h"
#include "runtime/evaluator.h"
#include "runtime/fold_constants.h"
#include "runtime/infer_shapes.h"

namespace tern {
namespace {

constexpr int kRounds = 4;  // of inference, before all dims of carried values are taken for unknown

// What it takes to keep one slice of a scan output, beside its elements.
constexpr int64_t kSliceBytes = 1024;

std::string position(const char* what, size_t k) { return std::string(what) + " " + std::to_string(k); }

// What a dim of the body is outside of it: what inference made up inside may differ from iteration to iteration.
Dim outside(Graph& graph, const Dim& d) { return made_up(d) ? graph.fresh_dim() : d; }

// The type of one slice.
Result<TypeInfo> slice_type(const TypeInfo& whole, const Iteration::Scanned& scanned) {
  TypeInfo slice{whole.dtype, {}, ValueKind::tensor};
  if (whole.kind != ValueKind::tensor) return invalid("it is no tensor");
  if (!whole.shape.ranked()) return slice;
  const auto axis = normalize_axis(scanned.axis, whole.shape.rank());
  if (!axis) return invalid("axis " + std::to_string(scanned.axis) + " is not one of its " + std::to_string(whole.shape.rank()));
  std::vector<Dim> dims = whole.shape.dims();
  dims.erase(dims.begin() + *axis);
  slice.shape = Shape(std::move(dims));
  return slice;
}

// The carried values while their types are sought: those that the body gets, and which of their dims change.
class Fixpoint {
 public:
  Fixpoint(Graph& graph, const Node& node, const Iteration& it) : graph_(graph), node_(node), it_(it), changes_(it.carried) {}

  Status run() {
    Graph& body = graph_.subgraph(node_);
    for (size_t c = 0; c < it_.carried; ++c) {
      Value& in = body.value(body.inputs[it_.counters + c]);
      in.type = graph_.value(node_.inputs[it_.counters + c]).type;
      in.ints.reset();
      changes_[c].assign(in.type.shape.dims().size(), false);
    }
    // Each inference is paid for: bodies in bodies would else be inferred as often as rounds multiply.
    const int64_t size = 1 + node_count(body);
    if (!pay(size)) widen(true);
    for (int round = 0;; ++round) {
      if (Status s = infer_subgraph(graph_, body); !s) return s;
      if (Status s = check(); !s) return s;
      if (!widen(false)) return {};
      if (round == kRounds || !pay(size)) widen(true);
    }
  }

  bool changes(size_t c, int d) const { return changes_[c][static_cast<size_t>(d)]; }

 private:
  bool pay(int64_t size) {
    if (size > graph_.symbol_room) return false;
    graph_.symbol_room -= size;
    return true;
  }

  const TypeInfo& before(size_t c) const { return it_.body->value(it_.body->inputs[it_.counters + c]).type; }
  const TypeInfo& after(size_t c) const { return it_.body->value(it_.body->outputs[it_.conditions + c]).type; }

  Status check() const {
    for (size_t c = 0; c < it_.carried; ++c) {
      if (before(c).kind != after(c).kind) {
        return unsupported(position("carried value", c) + " changes its kind: it is " + before(c).text() + " and becomes " + after(c).text());
      }
      if (before(c).dtype != after(c).dtype) {
        return invalid(position("carried value", c) + " is " + name(before(c).dtype) + " and becomes " + name(after(c).dtype));
      }
      if (before(c).shape.ranked() && after(c).shape.ranked() && before(c).shape.rank() != after(c).shape.rank()) {
        return unsupported(position("carried value", c) + " changes its rank: it is " + before(c).shape.text() + " and becomes " +
                           after(c).shape.text());
      }
    }
    return {};
  }

  // Fresh dims for those that an iteration changes, or for all. True when there were any new ones.
  bool widen(bool all) {
    bool any = false;
    for (size_t c = 0; c < it_.carried; ++c) {
      Graph& body = graph_.subgraph(node_);
      Shape& shape = body.value(body.inputs[it_.counters + c]).type.shape;
      for (int d = 0; d < shape.rank(); ++d) {
        if (changes(c, d) || (!all && after(c).shape.ranked() && after(c).shape[d] == shape[d])) continue;
        shape[d] = graph_.fresh_dim();
        changes_[c][static_cast<size_t>(d)] = any = true;
      }
    }
    return any;
  }

  Graph& graph_;
  const Node& node_;
  const Iteration& it_;
  std::vector<std::vector<bool>> changes_;
};

void set_type(Graph& graph, ValueId v, TypeInfo type) {
  if (v == kNone) return;
  graph.value(v).type = std::move(type);
  graph.value(v).ints.reset();
}

}  // namespace

Status verify_iteration(const Node& node, const Iteration& it) {
  if (it.body->inputs.size() != node.inputs.size()) {
    return invalid("its body has " + std::to_string(it.body->inputs.size()) + " inputs, the node " + std::to_string(node.inputs.size()) +
                   ", what the body captures included");
  }
  if (it.body->outputs.size() != it.conditions + it.carried + it.out.size() || node.outputs.size() != it.carried + it.out.size()) {
    return invalid("its body has " + std::to_string(it.body->outputs.size()) + " outputs, which does not fit " + std::to_string(it.carried) +
                   " carried values and " + std::to_string(node.outputs.size()) + " outputs of the node");
  }
  return {};
}

Status infer_iteration(Graph& graph, Node& node, const Iteration& it, const std::optional<Dim>& trips) {
  Graph& body = graph.subgraph(node);
  if (it.counters > 0) {
    body.value(body.inputs[0]).type = {DType::i64, Shape(std::vector<Dim>())};
    body.value(body.inputs[1]).type = {DType::boolean, Shape(std::vector<Dim>())};
  }
  for (size_t c = 0; c < it.carried; ++c) {
    if (graph.value(node.inputs[it.counters + c]).type.dtype == DType::none)
      return unsupported("the dtype of " + position("carried value", c) + " is not known");
  }
  for (size_t k = 0; k < it.in.size(); ++k) {
    auto type = slice_type(graph.value(node.inputs[it.first_scanned() + k]).type, it.in[k]);
    if (!type) return type.error().within(position("scan input", k));
    Value& slice = body.value(body.inputs[it.first_scanned() + k]);
    slice.type = std::move(*type);
    slice.ints.reset();
  }
  for (size_t k = it.first_captured(); k < node.inputs.size(); ++k) pass_type(graph, node.inputs[k], body, body.inputs[k]);

  Fixpoint types(graph, node, it);
  const bool never = trips && trips->is(0);
  if (Status s = types.run(); !s && !never) return s;  // a body that never runs need not fit

  for (size_t c = 0; c < it.carried; ++c) {
    TypeInfo type = graph.value(node.inputs[it.counters + c]).type;
    const Shape& after = body.value(body.outputs[it.conditions + c]).type.shape;
    for (int d = 0; !never && d < type.shape.rank(); ++d) {
      if (!types.changes(c, d)) continue;
      const bool runs = trips && trips->known() && after.ranked();
      type.shape[d] = runs ? outside(graph, after[d]) : graph.fresh_dim();
    }
    set_type(graph, node.outputs[c], std::move(type));
  }
  for (size_t k = 0; k < it.out.size(); ++k) {
    const TypeInfo& slice = body.value(body.outputs[it.conditions + it.carried + k]).type;
    if (slice.kind != ValueKind::tensor) return invalid(position("scan output", k) + " is no tensor");
    TypeInfo type{slice.dtype, {}, ValueKind::tensor};
    if (slice.shape.ranked()) {
      const auto axis = normalize_axis(it.out[k].axis, slice.shape.rank() + 1);
      if (!axis)
        return invalid(position("scan output", k) + ": axis " + std::to_string(it.out[k].axis) + " is not one of its " +
                       std::to_string(slice.shape.rank() + 1));
      std::vector<Dim> dims;
      for (const Dim& d : slice.shape.dims()) dims.push_back(outside(graph, d));
      dims.insert(dims.begin() + *axis, trips ? *trips : graph.fresh_dim());
      if (dims.size() > static_cast<size_t>(kMaxRank))
        return unsupported(position("scan output", k) + " has more than " + std::to_string(kMaxRank) + " dimensions");
      type.shape = Shape(std::move(dims));
    }
    set_type(graph, node.outputs[it.carried + k], std::move(type));
  }
  return {};
}

bool changes_shapes(const Graph& graph, const Node& node, const Iteration& it) {
  for (size_t k = it.counters; k < it.first_scanned(); ++k) {
    const Shape &before = graph.value(node.inputs[k]).type.shape, &inside = it.body->value(it.body->inputs[k]).type.shape;
    const Shape& after = it.body->value(it.body->outputs[k - it.counters + it.conditions]).type.shape;
    if (graph.value(node.inputs[k]).type.kind != ValueKind::tensor) return true;
    if (!(before == inside) || !(inside == after)) return true;
  }
  return false;
}

void capture_invariants(Folding& folding, Node& node, Iteration& it) {
  Graph& body = folding.graph.subgraph(node);
  for (size_t c = it.carried; c-- > 0;) {
    const auto in = static_cast<std::ptrdiff_t>(it.counters + c), out = static_cast<std::ptrdiff_t>(it.conditions + c);
    if (body.outputs[it.conditions + c] != body.inputs[it.counters + c]) continue;
    auto to_end = [&](std::vector<ValueId>& list) { std::rotate(list.begin() + in, list.begin() + in + 1, list.end()); };
    to_end(node.inputs);
    to_end(body.inputs);
    if (node.outputs[c] != kNone) folding.forward[node.outputs[c]] = node.inputs.back();
    node.outputs.erase(node.outputs.begin() + static_cast<std::ptrdiff_t>(c));
    body.outputs.erase(body.outputs.begin() + out);
    if (static_cast<size_t>(out) < body.output_names.size()) body.output_names.erase(body.output_names.begin() + out);
    if (static_cast<size_t>(out) < body.output_dim_names.size()) body.output_dim_names.erase(body.output_dim_names.begin() + out);
    ++node.captured;
    --it.carried;
  }
}

bool fold_no_iteration(Folding& folding, const Node& node, const Iteration& it) {
  Graph& graph = folding.graph;
  for (size_t k = it.carried; k < node.outputs.size(); ++k) {
    if (node.outputs[k] == kNone) continue;
    const TypeInfo& type = graph.value(node.outputs[k]).type;
    if (type.dtype == DType::none || !type.shape.known()) return false;
  }
  for (size_t c = 0; c < it.carried; ++c) {
    if (node.outputs[c] != kNone) folding.forward[node.outputs[c]] = node.inputs[it.counters + c];
  }
  for (size_t k = it.carried; k < node.outputs.size(); ++k) {
    if (node.outputs[k] == kNone) continue;
    Value& value = graph.value(node.outputs[k]);
    auto empty = Tensor::allocate(value.type.dtype, value.type.shape.concrete());
    if (!empty) return false;
    value.constant = std::move(*empty);
    value.ints.reset();
  }
  return true;
}

namespace {

Result<Datum> slice_of(const Tensor& whole, const Iteration::Scanned& scanned, int64_t i, EvaluateOptions& left) {
  const int axis = *normalize_axis(scanned.axis, whole.dims().rank);
  Attributes attrs;
  attrs.set("axis", static_cast<int64_t>(axis));
  const Tensor in[] = {whole, Tensor::scalar<int64_t>(scanned.reverse ? whole.dims()[axis] - 1 - i : i)};
  auto out = evaluate_op(kGather, attrs, in, left);
  if (!out) return out.error();
  return std::move((*out)[0]);
}

// The slices of all iterations as one tensor.
Result<Datum> join(std::vector<Tensor> slices, const Iteration::Scanned& scanned, EvaluateOptions& left) {
  const auto axis = normalize_axis(scanned.axis, slices[0].dims().rank + 1);
  if (!axis || slices[0].dims().rank == kMaxRank)
    return invalid("axis " + std::to_string(scanned.axis) + " cannot join slices of shape " + to_string(slices[0].dims()));
  for (Tensor& slice : slices) {
    Dims dims;
    for (int d = 0; d <= slice.dims().rank; ++d) {
      if (d == *axis) dims.push_back(1);
      if (d < slice.dims().rank) dims.push_back(slice.dims()[d]);
    }
    slice = slice.reshaped(dims);
  }
  if (scanned.reverse) std::reverse(slices.begin(), slices.end());
  Attributes attrs;
  attrs.set("axis", static_cast<int64_t>(*axis));
  auto out = evaluate_op(kConcat, attrs, slices, left);
  if (!out) return out.error();
  return std::move((*out)[0]);
}

// Of no iteration: what is known of its shape, and zero where nothing is.
Result<Datum> empty_of(const TypeInfo& type, const Iteration::Scanned& scanned) {
  if (type.dtype == DType::none) return unsupported("its dtype is not known");
  Dims dims;
  const int rank = std::max(1, type.shape.rank());
  for (int d = 0; d < rank; ++d) dims.push_back(d < type.shape.rank() && type.shape[d].known() ? type.shape[d].value() : 0);
  if (auto axis = normalize_axis(scanned.axis, rank)) dims[*axis] = 0;
  auto empty = Tensor::allocate(type.dtype, dims);
  if (!empty) return empty.error();
  return Datum(std::move(*empty));
}

Error over_budget() {
  return unsupported("its iterations take more operations than the budget: bind smaller dimensions or raise SessionOptions::work");
}

// One run of a node in the evaluator.
class Run {
 public:
  Run(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left, const Iteration& it)
      : graph_(graph),
        node_(node),
        inputs_(inputs),
        left_(left),
        it_(it),
        carried_(inputs.begin() + static_cast<std::ptrdiff_t>(it.counters), inputs.begin() + static_cast<std::ptrdiff_t>(it.first_scanned())),
        slices_(it.out.size()) {}

  Result<std::vector<Datum>> run(int64_t trips, bool condition) {
    const int64_t budget = left_.budget;
    Status done = iterate(trips, condition);
    std::vector<Datum> outputs;
    for (size_t k = 0; done && k < it_.out.size(); ++k) {
      if (node_.outputs[it_.carried + k] == kNone) {
        outputs.emplace_back();
        continue;
      }
      auto joined = slices_[k].empty() ? empty_of(graph_.value(node_.outputs[it_.carried + k]).type, it_.out[k])
                                       : join(std::move(slices_[k]), it_.out[k], left_);
      if (!joined) return joined.error().within(position("scan output", k));
      outputs.push_back(std::move(*joined));
    }
    left_.budget = budget;
    if (!done) return done.error();
    outputs.insert(outputs.begin(), carried_.begin(), carried_.end());
    return outputs;
  }

 private:
  Status iterate(int64_t trips, bool condition) {
    const int64_t cost = iteration_work(*it_.body);
    for (int64_t i = 0; i < trips && condition; ++i) {
      if (left_.work < cost) return over_budget();
      left_.work -= cost;
      auto out = one(i);
      if (!out) return out.error();
      if (it_.conditions > 0) {
        const Tensor& next = (*out)[0].tensor;
        if (next.dtype() != DType::boolean || next.count() != 1) return invalid("the condition that its body gives is not one bool");
        condition = is_true(next);
      }
      if (Status s = take_over(*out); !s) return s;
    }
    return {};
  }

  Result<std::vector<Datum>> one(int64_t i) {
    std::vector<Datum> in;
    if (it_.counters > 0) in = {Datum(Tensor::scalar(i)), Datum(Tensor::scalar(true))};
    in.insert(in.end(), carried_.begin(), carried_.end());
    for (size_t k = 0; k < it_.in.size(); ++k) {
      auto slice = slice_of(inputs_[it_.first_scanned() + k].tensor, it_.in[k], i, left_);
      if (!slice) return slice.error();
      in.push_back(std::move(*slice));
    }
    in.insert(in.end(), inputs_.begin() + static_cast<std::ptrdiff_t>(it_.first_captured()), inputs_.end());
    return evaluate_graph(*it_.body, in, left_, &kept_);
  }

  Status take_over(std::vector<Datum>& out) {
    int64_t sum = 0;
    for (size_t c = 0; c < it_.carried; ++c) {
      const Tensor &was = carried_[c].tensor, &is = out[it_.conditions + c].tensor;
      if ((carried_[c].elements == nullptr) != (out[it_.conditions + c].elements == nullptr) || was.dtype() != is.dtype() ||
          was.dims().rank != is.dims().rank) {
        return unsupported(position("carried value", c) + " changes its dtype or rank: it is " + name(was.dtype()) + to_string(was.dims()) +
                           " and becomes " + name(is.dtype()) + to_string(is.dims()));
      }
      sum += out[it_.conditions + c].bytes();
      carried_[c] = std::move(out[it_.conditions + c]);
    }
    left_.budget += held_ - sum;
    held_ = sum;
    for (size_t k = 0; k < it_.out.size(); ++k) {
      if (node_.outputs[it_.carried + k] == kNone) continue;
      Tensor& slice = out[it_.conditions + it_.carried + k].tensor;
      if (!slice.present()) return invalid(position("scan output", k) + " is no tensor");
      left_.budget -= static_cast<int64_t>(slice.bytes()) + kSliceBytes;
      slices_[k].push_back(std::move(slice));
    }
    if (left_.budget < 0) return unsupported("its values need more memory than the budget: raise SessionOptions::budget");
    return {};
  }

  const Graph& graph_;
  const Node& node_;
  const std::span<const Datum> inputs_;
  EvaluateOptions& left_;
  const Iteration& it_;
  std::vector<Datum> carried_;
  int64_t held_ = 0;  // bytes of carried values that iterations made
  std::vector<std::vector<Tensor>> slices_;
  KeptNodes kept_;  // what it takes of the budget run() puts back
};

}  // namespace

Result<std::vector<Datum>> evaluate_iteration(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left,
                                              const Iteration& it, int64_t trips, bool condition) {
  return Run(graph, node, inputs, left, it).run(trips, condition);
}

}  // namespace tern
