// See graph_builder.h.
#include "runtime/graph_builder.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "kernels/dtype_code.h"
#include "runtime/base/printable.h"
#include "runtime/infer_shapes.h"
#include "runtime/verify.h"

namespace tern {
namespace {

constexpr size_t kMostNodes = size_t(1) << 20;  // a real model has thousands
constexpr int64_t kMostCaptures = 1 << 16;

}  // namespace

ValueId GraphBuilder::fail(const Error& error) {
  if (status_.ok()) status_ = placed(scope_.empty() ? error : error.within(scope_));
  return kNone;
}

void GraphBuilder::enter(const std::string& name) {
  scopes_.push_back(scope_.size());
  if (!name.empty()) scope_ += (scope_.empty() ? "" : ".") + name;
}

void GraphBuilder::leave() {
  scope_.resize(scopes_.back());
  scopes_.pop_back();
}

GraphBuilder::Names GraphBuilder::names(const char* op) {
  const std::string base = (scope_.empty() ? "" : scope_ + ".") + (op == nullptr ? "constant" : op);
  const int64_t n = names_[base]++;
  const std::string name = n == 0 ? base : base + "_" + std::to_string(n);
  return {name, name};
}

// ---- values by name

Status GraphBuilder::define(const std::string& name, ValueId v) {
  if (!defined_.emplace(name, v).second) return invalid("value '" + printable(name, 80) + "' is defined twice");
  return {};
}

ValueId GraphBuilder::defined(const std::string& name) const {
  const auto at = defined_.find(name);
  return at == defined_.end() ? kNone : at->second;
}

// Chains of captures are as deep as subgraphs nest, which loaders bound.
Result<ValueId> GraphBuilder::find(const std::string& name) {
  if (const ValueId v = defined(name); v != kNone || around_ == nullptr) return v;
  auto outer = around_->find(name);
  if (!outer || *outer == kNone) return outer;
  const ValueId v = capture(name, *outer);
  if (Status s = captures_fit(); !s) return s.error();
  return v;
}

ValueId GraphBuilder::capture(const std::string& name, ValueId outer) {
  ++captured();
  const Tensor* constant = around_->contents(outer);
  const ValueId v = constant != nullptr ? graph.add_constant(name, *constant) : graph.add_value(name, around_->type(outer));
  if (constant == nullptr) {
    graph.inputs.push_back(v);
    captures_.push_back({name, outer});
  }
  defined_.emplace(name, v);
  return v;
}

int64_t& GraphBuilder::captured() { return around_ == nullptr ? captured_ : around_->captured(); }

// A subgraph inside of subgraphs takes each captured value through all of them: values could be as many as the file is long, times its depth.
Status GraphBuilder::captures_fit() {
  if (captured() <= kMostCaptures) return {};
  return unsupported("subgraphs capture values more than " + std::to_string(kMostCaptures) + " times");
}

Result<std::vector<ValueId>> GraphBuilder::close(std::span<GraphBuilder* const> subgraphs) {
  std::vector<Capture> all;
  std::unordered_set<std::string_view> have;
  size_t captures = 0;
  for (const GraphBuilder* body : subgraphs) {
    captures += body->captures_.size();
    for (const Capture& c : body->captures_) {
      if (have.insert(c.name).second) all.push_back(c);
    }
  }
  captured() += static_cast<int64_t>(subgraphs.size() * all.size() - captures);
  if (Status s = captures_fit(); !s) return s.error();
  std::vector<ValueId> outer;
  for (const Capture& c : all) outer.push_back(c.outer);
  for (GraphBuilder* body : subgraphs) {
    std::vector<ValueId>& inputs = body->graph.inputs;  // its own, then what it captures
    std::unordered_map<std::string, ValueId> mine;
    const size_t own = inputs.size() - body->captures_.size();
    for (size_t i = 0; i < body->captures_.size(); ++i) mine.emplace(body->captures_[i].name, inputs[own + i]);
    inputs.resize(own);
    for (const Capture& c : all) {
      auto it = mine.find(c.name);
      inputs.push_back(it != mine.end() ? it->second : body->graph.add_value(c.name, type(c.outer)));
    }
  }
  return outer;
}

ValueId GraphBuilder::input(const std::string& name, TypeInfo type) {
  if (!ok()) return kNone;
  const ValueId v = graph.add_value(name, std::move(type));
  graph.inputs.insert(graph.inputs.end() - static_cast<std::ptrdiff_t>(captures_.size()), v);  // what is captured stays behind
  note_symbols(v);
  return v;
}

void GraphBuilder::note_symbols(ValueId input) {
  const Shape& s = shape(input);
  for (int axis = 0; s.ranked() && axis < s.rank(); ++axis) {
    if (s[axis].terms().size() == 1) symbols_.emplace(s[axis].terms()[0].first, Origin{input, axis});
  }
}

ValueId GraphBuilder::constant(Tensor tensor, const std::string& name) {
  if (!ok()) return kNone;
  return graph.add_constant(name.empty() ? names(nullptr).value : name, std::move(tensor));
}

ValueId GraphBuilder::ints(const std::vector<int64_t>& values) { return constant(Tensor::ints(values)); }

ValueId GraphBuilder::scalar(DType dtype, double value) {
  if (!ok()) return kNone;
  // Through f64 and our own Cast, so that every dtype rounds as Cast does; i64 keeps its digits.
  if (dtype == DType::i64) {
    if (!(std::fabs(value) < 9.2e18)) return fail(invalid("a number does not fit i64"));
    return constant(Tensor::scalar(static_cast<int64_t>(value)));
  }
  if (dtype == DType::f32) return constant(Tensor::scalar(static_cast<float>(value)));
  if (dtype == DType::boolean) return constant(Tensor::scalar(value != 0));
  const ValueId wide = constant(Tensor::scalar(value));
  return dtype == DType::f64 ? wide : cast(wide, dtype);
}

ValueId GraphBuilder::cast(ValueId v, DType to) {
  if (!ok() || dtype(v) == to) return v;
  Attributes attrs;
  attrs.set("to", int64_t(code_of(to)));
  return emit("Cast", {v}, std::move(attrs));
}

ValueId GraphBuilder::emit(const char* op, std::vector<ValueId> inputs, Attributes attrs) {
  return emit(op, std::move(inputs), std::move(attrs), 1)[0];
}

std::vector<ValueId> GraphBuilder::emit(const char* op, std::vector<ValueId> inputs, Attributes attrs, size_t outputs) {
  const std::vector<ValueId> nothing(outputs, kNone);
  if (!ok()) return nothing;
  const OpDef* def = find_op(op);
  if (def == nullptr) return fail(unsupported(std::string("operator ") + op + " is not in this build")), nothing;
  for (ValueId v : inputs) {
    if (!readable(v)) return nothing;
  }
  if (graph.nodes.size() >= kMostNodes) return fail(unsupported("more than " + std::to_string(kMostNodes) + " nodes")), nothing;
  while (!inputs.empty() && inputs.back() == kNone && static_cast<int>(inputs.size()) > def->inputs.min) inputs.pop_back();
  auto [name, value] = names(op);
  std::vector<ValueId> made;
  for (size_t o = 0; o < outputs; ++o) made.push_back(graph.add_value(o == 0 ? value : value + ":" + std::to_string(o)));
  Node& node = add_node({def, std::move(name), std::move(attrs), std::move(inputs), std::move(made), {}});
  if (Status s = settle(node); !s) return fail(s.error().within("(" + std::string(op) + ")")), nothing;
  return node.outputs;
}

Node& GraphBuilder::add_node(Node node) {
  producers_.resize(graph.values.size(), kNone);
  for (ValueId v : node.outputs) {
    if (v != kNone) producers_[static_cast<size_t>(v)] = static_cast<NodeId>(graph.nodes.size());
  }
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back();
}

Status GraphBuilder::settle(Node& node) {
  if (Status s = verify_node(node); !s) return s;
  return infer_shapes(graph, node);
}

const Shape& GraphBuilder::shape(ValueId v) const {
  static const Shape kUnranked;
  return v == kNone ? kUnranked : graph.value(v).type.shape;
}

int GraphBuilder::rank(ValueId v) {
  if (!ok() || v == kNone || !readable(v)) return 0;
  if (shape(v).ranked()) return shape(v).rank();
  fail(unsupported("the number of dimensions of " + graph.value(v).name + " is not known"));
  return 0;
}

const Node* GraphBuilder::producer(ValueId v) const {
  const auto i = static_cast<size_t>(v);
  return v == kNone || i >= producers_.size() || producers_[i] == kNone ? nullptr : &graph.node(producers_[i]);
}

// ---- sizes: known numbers stay numbers, symbols of the inputs' shapes linear expressions; what is neither is computed by nodes on i64
// scalars

bool GraphBuilder::resolvable(const Dim& dim) const {
  return std::all_of(dim.terms().begin(), dim.terms().end(), [&](const auto& term) { return symbols_.contains(term.first); });
}

Int GraphBuilder::size(ValueId v, int axis) {
  if (!ok() || axis < 0 || axis >= rank(v)) return 0;
  const Dim& d = shape(v)[axis];
  if (resolvable(d)) return d;
  Attributes attrs;
  attrs.set("start", int64_t(axis));
  attrs.set("end", int64_t(axis + 1));
  return Int::computed(emit("Squeeze", {emit("Shape", {v}, std::move(attrs)), ints({0})}));
}

std::vector<Int> GraphBuilder::elements(ValueId v) {
  const int r = rank(v);
  if (!ok()) return {};
  if (r > 1 || !is_int(dtype(v)) || (r == 1 && (!shape(v)[0].known() || shape(v)[0].value() > kMaxInts))) {
    fail(unsupported("a list of sizes must be integers and have a length that is known when the model is loaded"));
    return {};
  }
  std::optional<SymbolicInts> known = graph.value(v).ints;
  if (const Tensor* t = contents(v); t != nullptr && !known) {
    const std::vector<int64_t> numbers = *as_ints(t->view());
    known = SymbolicInts(numbers.begin(), numbers.end());
  }
  std::vector<Int> out;
  for (int64_t i = 0; i < (r == 0 ? 1 : shape(v)[0].value()) && ok(); ++i) {
    const auto at = static_cast<size_t>(i);
    if (known && resolvable((*known)[at])) out.emplace_back((*known)[at]);
    else out.push_back(Int::computed(cast(r == 0 ? v : emit("Gather", {v, constant(Tensor::scalar(i))}), DType::i64)));
  }
  return out;
}

// An input's dimension may be coefficient * symbol + constant.
ValueId GraphBuilder::symbol(const std::string& name) {
  if (auto known = symbol_values_.find(name); known != symbol_values_.end()) return known->second;
  const Origin origin = symbols_.find(name)->second;
  const Dim dim = shape(origin.input)[origin.axis];
  Attributes attrs;
  attrs.set("start", int64_t(origin.axis));
  attrs.set("end", int64_t(origin.axis + 1));
  ValueId v = emit("Shape", {origin.input}, std::move(attrs));
  if (dim.constant() != 0) v = emit("Sub", {v, ints({dim.constant()})});
  if (dim.terms()[0].second != 1) v = emit("Div", {v, ints({dim.terms()[0].second})});
  symbol_values_.emplace(name, v);
  return v;
}

ValueId GraphBuilder::vector(const Int& value) {
  if (value.node != kNone) return emit("Unsqueeze", {value.node, ints({0})});
  if (value.known()) return ints({value.value()});
  ValueId sum = kNone;
  for (const auto& [name, coefficient] : value.dim.terms()) {
    ValueId term = symbol(name);
    if (coefficient != 1) term = emit("Mul", {term, ints({coefficient})});
    sum = sum == kNone ? term : emit("Add", {sum, term});
  }
  return value.dim.constant() == 0 ? sum : emit("Add", {sum, ints({value.dim.constant()})});
}

ValueId GraphBuilder::scalar(const Int& value) {
  if (value.node != kNone) return value.node;
  if (value.known()) return constant(Tensor::scalar(value.value()));
  return emit("Squeeze", {vector(value), ints({0})});
}

ValueId GraphBuilder::ints(const std::vector<Int>& values) {
  if (!ok()) return kNone;
  std::vector<ValueId> pieces;
  std::vector<int64_t> run;  // known ones side by side are one constant
  for (const Int& value : values) {
    if (value.known()) {
      run.push_back(value.value());
      continue;
    }
    if (!run.empty()) pieces.push_back(ints(run));
    run.clear();
    pieces.push_back(vector(value));
  }
  if (!run.empty() || pieces.empty()) pieces.push_back(ints(run));
  if (pieces.size() == 1) return pieces[0];
  Attributes attrs;
  attrs.set("axis", int64_t(0));
  return emit("Concat", std::move(pieces), std::move(attrs));
}

Int GraphBuilder::binary(const char* op, const Int& a, const Int& b) {
  const ValueId v = emit(op, {scalar(a), scalar(b)});
  if (v == kNone) return 0;
  const auto& known = graph.value(v).ints;  // inference may know better
  if (known && known->size() == 1 && resolvable((*known)[0])) return (*known)[0];
  return Int::computed(v);
}

Int GraphBuilder::add(const Int& a, const Int& b) {
  if (a.node == kNone && b.node == kNone) {
    if (auto d = tern::add(a.dim, b.dim)) return *d;
  }
  return binary("Add", a, b);
}

Int GraphBuilder::sub(const Int& a, const Int& b) {
  if (a.node == kNone && b.node == kNone) {
    if (auto d = tern::sub(a.dim, b.dim)) return *d;
  }
  return binary("Sub", a, b);
}

Int GraphBuilder::mul(const Int& a, const Int& b) {
  if (a.node == kNone && b.node == kNone) {
    if (auto d = tern::mul(a.dim, b.dim)) return *d;
  }
  return binary("Mul", a, b);
}

Int GraphBuilder::floor_div(const Int& a, const Int& b) {
  if (b.known() && b.value() == 0) {
    fail(invalid("an integer is divided by zero"));
    return 0;
  }
  if (a.node == kNone && b.node == kNone) {
    if (auto d = tern::div(a.dim, b.dim)) return *d;
  }
  // Div truncates; what is left after taking the remainder off divides evenly.
  return binary("Div", sub(a, mod(a, b)), b);
}

Int GraphBuilder::mod(const Int& a, const Int& b) {
  if (b.known() && b.value() == 0) {
    fail(invalid("an integer is divided by zero"));
    return 0;
  }
  if (a.known() && b.known() && b.value() != -1) {
    const int64_t r = a.value() % b.value();
    return r != 0 && (r < 0) != (b.value() < 0) ? r + b.value() : r;
  }
  if (b.known() && (b.value() == 1 || b.value() == -1)) return 0;
  return binary("Mod", a, b);
}

// A shape with one open dimension is a constant with -1, when the elements say that -1 is just that: such a reshape needs no nodes to
// compute its shape.
ValueId GraphBuilder::reshape(ValueId v, const std::vector<Int>& sizes) {
  if (!ok()) return kNone;
  size_t open = 0, missing = 0;
  bool zero = false;
  for (const Int& s : sizes) {
    open += !s.known();
    missing += s.known() && s.value() == -1;
    zero |= s.known() && s.value() == 0;
  }
  Attributes attrs;
  if (zero) attrs.set("allowzero", int64_t(1));
  if (open == 1 && missing == 0 && !zero) {
    std::vector<Dim> from = shape(v).dims();
    std::optional<Dim> rest = Dim(1), want;
    for (const Int& s : sizes) {
      if (s.known()) {
        rest = tern::mul(*rest, s.dim);
        if (!rest) break;
      } else if (s.node == kNone) {
        want = s.dim;
      }
    }
    std::optional<Dim> whole = Dim(1);
    for (const Dim& d : from) whole = whole ? tern::mul(*whole, d) : whole;
    auto made = rest && want ? tern::mul(*rest, *want) : std::nullopt;
    if (whole && made && *whole == *made) {
      std::vector<int64_t> known;
      for (const Int& s : sizes) known.push_back(s.known() ? s.value() : -1);
      return emit("Reshape", {v, ints(known)}, std::move(attrs));
    }
  }
  if (open > 0 && missing == 0) attrs.set("allowzero", int64_t(1));  // any of them may turn out to be 0
  return emit("Reshape", {v, ints(sizes)}, std::move(attrs));
}

Result<Graph> GraphBuilder::finish(const std::vector<std::pair<std::string, ValueId>>& outputs) {
  for (ValueId v : graph.inputs) readable(v);
  if (!ok()) return status_.error();
  if (outputs.empty()) return invalid("the model has no outputs");
  for (const auto& [name, v] : outputs) {
    if (v == kNone) return invalid("output " + name + " is no tensor");
    graph.outputs.push_back(v);
    graph.output_names.push_back(name);
  }
  compact(graph);
  graph.nodes.shrink_to_fit();
  return std::move(graph);
}

}  // namespace tern
