// See builder.h. Next: sizes.cpp, the arithmetic of sizes.
#include "loaders/torch/graph/builder.h"

#include <algorithm>
#include <cmath>

#include "kernels/dtype_code.h"
#include "loaders/torch/module/source_text.h"
#include "runtime/infer_shapes.h"
#include "runtime/verify.h"

namespace tern::torch {
namespace {

constexpr size_t kMostNodes = size_t(1) << 20;  // a real model has thousands

}  // namespace

Builder::Builder(std::string format) { graph_.format = std::move(format); }

ValueId Builder::fail(const Error& error) {
  if (!status_.ok()) return kNone;
  status_ = scope_.empty() ? error : error.within(scope_);
  if (position_.source != nullptr) {
    const std::string line = position_.source->line(position_.place.line);
    status_ = Error(error.code(), position_.source->at(position_.place) + ": " + status_.error().message() + (line.empty() ? "" : " [" + line + "]"));
  }
  return kNone;
}

const Shape& Builder::shape(ValueId v) const {
  static const Shape kUnranked;
  return v == kNone ? kUnranked : graph_.value(v).type.shape;
}

int Builder::rank(ValueId v) {
  if (!ok() || v == kNone || !readable(v)) return 0;
  if (shape(v).ranked()) return shape(v).rank();
  fail(unsupported("the number of dimensions of " + graph_.value(v).name + " is not known"));
  return 0;
}

int Builder::axis_of(int64_t axis, int rank) {
  if (!ok()) return 0;
  const int span = std::max(rank, 1);  // torch lets a scalar have axis 0 and -1
  if (axis < -span || axis >= span) {
    fail(invalid("dim " + std::to_string(axis) + " is out of range for " + std::to_string(rank) + " dimensions"));
    return 0;
  }
  return static_cast<int>(axis < 0 ? axis + span : axis);
}

std::string Builder::fresh_name(const char* op) {
  const std::string base = scope_.empty() ? op : scope_ + "." + op;
  const int64_t n = names_[base]++;
  return n == 0 ? base : base + "_" + std::to_string(n);
}

ValueId Builder::input(const std::string& name, TypeInfo type) {
  if (!ok()) return kNone;
  const ValueId v = graph_.add_value(name);
  graph_.inputs.push_back(v);
  tell_type(v, std::move(type));
  return v;
}

bool Builder::untyped(ValueId v) const {
  if (v == kNone || !std::count(graph_.inputs.begin(), graph_.inputs.end(), v)) return false;
  return dtype(v) == DType::none || !shape(v).ranked();
}

void Builder::tell_type(ValueId input, TypeInfo type) {
  TypeInfo& known = graph_.value(input).type;
  if (known.dtype == DType::none) known.dtype = type.dtype;
  if (known.shape.ranked() || !type.shape.ranked()) return;
  known.shape = std::move(type.shape);
  for (int axis = 0; axis < known.shape.rank(); ++axis) {
    if (known.shape[axis].terms().size() == 1) symbols_.emplace(known.shape[axis].terms()[0].first, Origin{input, axis});
  }
}

bool Builder::readable(ValueId v) {
  if (!untyped(v)) return true;
  const std::string& name = graph_.value(v).name;
  if (!shape(v).ranked()) {
    fail(invalid("the shape of input " + name + " is not known: write it in forward as " + name + ": f32[N, 3, 32, 32], or give it in LoadOptions::inputs"));
    return false;
  }
  tell_type(v, {DType::f32, {}});
  return true;
}

ValueId Builder::emit(const char* op, std::vector<ValueId> inputs, Attributes attrs) {
  return emit(op, std::move(inputs), std::move(attrs), 1)[0];
}

std::vector<ValueId> Builder::emit(const char* op, std::vector<ValueId> inputs, Attributes attrs, size_t outputs) {
  const std::vector<ValueId> nothing(outputs, kNone);
  if (!ok()) return nothing;
  const OpDef* def = find_op(op);
  if (def == nullptr) return fail(unsupported(std::string("operator ") + op + " is not in this build")), nothing;
  for (ValueId v : inputs) {
    if (!readable(v)) return nothing;
  }
  if (graph_.nodes.size() >= kMostNodes) return fail(unsupported("more than " + std::to_string(kMostNodes) + " nodes")), nothing;
  while (!inputs.empty() && inputs.back() == kNone && static_cast<int>(inputs.size()) > def->inputs.min) inputs.pop_back();
  Node node{def, fresh_name(op), std::move(attrs), std::move(inputs), {}, {}};
  for (size_t o = 0; o < outputs; ++o) node.outputs.push_back(graph_.add_value(o == 0 ? node.name : node.name + ":" + std::to_string(o)));
  Status s = verify_node(node);
  if (s) s = infer_shapes(graph_, node);
  if (!s) return fail(s.error().within("(" + std::string(op) + ")")), nothing;
  producers_.resize(graph_.values.size(), kNone);
  for (ValueId v : node.outputs) producers_[static_cast<size_t>(v)] = static_cast<NodeId>(graph_.nodes.size());
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back().outputs;
}

const Node* Builder::producer(ValueId v) const {
  const auto i = static_cast<size_t>(v);
  return v == kNone || i >= producers_.size() || producers_[i] == kNone ? nullptr : &graph_.node(producers_[i]);
}

ValueId Builder::constant(tern::Tensor tensor, const std::string& name) {
  if (!ok()) return kNone;
  return graph_.add_constant(name.empty() ? fresh_name("constant") : name, std::move(tensor));
}

ValueId Builder::ints(const std::vector<int64_t>& values) { return constant(tern::Tensor::ints(values)); }

ValueId Builder::scalar(DType dtype, double value) {
  if (!ok()) return kNone;
  // Through f64 and our own Cast, so that every dtype rounds as Cast does; i64 keeps its digits.
  if (dtype == DType::i64) {
    if (!(std::fabs(value) < 9.2e18)) return fail(invalid("a number does not fit i64"));
    return constant(tern::Tensor::scalar(static_cast<int64_t>(value)));
  }
  if (dtype == DType::f32) return constant(tern::Tensor::scalar(static_cast<float>(value)));
  if (dtype == DType::boolean) return constant(tern::Tensor::scalar(value != 0));
  const ValueId wide = constant(tern::Tensor::scalar(value));
  return dtype == DType::f64 ? wide : cast(wide, dtype);
}

ValueId Builder::cast(ValueId v, DType to) {
  if (!ok() || dtype(v) == to) return v;
  Attributes attrs;
  attrs.set("to", int64_t(code_of(to)));
  return emit("Cast", {v}, std::move(attrs));
}

void Builder::enter(const std::string& name) {
  scopes_.push_back(scope_.size());
  if (!name.empty()) scope_ += (scope_.empty() ? "" : ".") + name;
}

void Builder::leave() {
  scope_.resize(scopes_.back());
  scopes_.pop_back();
}

Result<Graph> Builder::finish(const std::vector<std::pair<std::string, ValueId>>& outputs) {
  for (ValueId v : graph_.inputs) readable(v);
  if (!ok()) return status_.error();
  if (outputs.empty()) return invalid("the model has no outputs");
  for (const auto& [name, v] : outputs) {
    if (v == kNone) return invalid("output " + name + " is no tensor");
    graph_.outputs.push_back(v);
    graph_.output_names.push_back(name);
  }
  compact(graph_);
  return std::move(graph_);
}

}  // namespace tern::torch
