// See builder.h.
#include "loaders/tensorflow/graph/builder.h"

#include <map>
#include <set>

#include "runtime/base/printable.h"
#include "runtime/evaluator.h"

namespace tern::tensorflow {

Error Builder::placed(const Error& error) const {
  if (place_.name == nullptr) return error;
  return error.within(printable(*place_.name, 200) + " (" + printable(*place_.op, 80) + ")");
}

// The first node that an operator adds has its name, others are called after what they do.
GraphBuilder::Names Builder::names(const char* op) {
  if (place_.name == nullptr) return GraphBuilder::names(op);
  const std::hash<std::string> hash;
  std::string name = *place_.name;
  if (used_.contains(hash(name))) name += std::string("/") + (op == nullptr ? "constant" : op);
  const int64_t n = used_[hash(name)]++;
  if (n > 0) name += "_" + std::to_string(n);
  return {name, name};
}

ValueId Builder::variable(int32_t index) {
  if (!ok()) return kNone;
  if (const auto known = variables_.find(index); known != variables_.end()) return known->second;
  if (program.variables == nullptr) return fail(invalid("the file has no variables"));
  auto tensor = program.variables->read(index);
  if (!tensor) return fail(tensor.error());
  const ValueId v = constant(std::move(*tensor));
  variables_.emplace(index, v);
  return v;
}

ValueId Builder::capture(ValueId outer) {
  if (!ok() || outer == kNone) return kNone;
  auto [at, fresh] = around_->captured_as_.try_emplace(outer);
  if (fresh) {
    at->second = "%" + std::to_string(program.captures++);
    if (Status s = around_->define(at->second, outer); !s) return fail(s.error());
  }
  const bool here = defined(at->second) != kNone;
  auto v = find(at->second);
  if (!v) return fail(v.error());
  if (!here && !graph.is_constant(*v)) note_symbols(*v);
  return *v;
}

bool Builder::resolvable(const Dim& dim) const {
  return std::all_of(dim.terms().begin(), dim.terms().end(), [&](const Dim::Term& term) {
    return std::any_of(graph.inputs.begin(), graph.inputs.end(), [&](ValueId v) {
      const auto& dims = shape(v).dims();
      return std::any_of(dims.begin(), dims.end(), [&](const Dim& d) { return d.terms().size() == 1 && d.terms()[0].first == term.first; });
    });
  });
}

Value Builder::capture(const Value& outer) {
  if (const auto* plain = outer.get<Value::Plain>()) {
    return Value::complex(capture(plain->id), plain->imaginary == kNone ? kNone : capture(plain->imaginary));
  }
  if (outer.get<Value::Chance>() != nullptr) return Value::uncomputed("random numbers");
  const auto* held = outer.get<Value::List>();
  if (held == nullptr) return outer;
  TensorList list = *held->list;
  if (list.use != nullptr) list.use->read = true;
  list.elements = capture(list.elements);
  list.sequence = capture(list.sequence);
  if (list.length.node != kNone) list.length.node = capture(list.length.node);
  if (list.elements == kNone && list.length.node == kNone && !resolvable(list.length.dim)) {
    list.length = Int::computed(capture(around_->scalar(list.length)));
  }
  list.use = nullptr;
  list.item = list.index = kNone;
  return Value::list(std::move(list));
}

Result<Tensor> Builder::evaluated(ValueId v) const {
  constexpr size_t kMostSteps = 64;
  if (const Tensor* known = contents(v); known != nullptr) return *known;
  std::set<const Node*> steps;  // they lie in one vector, in order
  for (std::vector<ValueId> left = {v}; !left.empty();) {
    const ValueId at = left.back();
    left.pop_back();
    if (at == kNone || contents(at) != nullptr) continue;
    const Node* step = producer(at);
    if (step == nullptr || !step->subgraphs.empty() || steps.size() == kMostSteps) return unsupported("is computed, which is not supported");
    if (steps.insert(step).second) left.insert(left.end(), step->inputs.begin(), step->inputs.end());
  }
  Graph g;
  std::map<ValueId, ValueId> as = {{kNone, kNone}};
  for (const Node* step : steps) {
    Node node = *step;
    for (ValueId& in : node.inputs) {
      if (!as.contains(in)) as[in] = g.add_constant(name(in), *contents(in));
      in = as[in];
    }
    for (ValueId& out : node.outputs) {
      if (out != kNone) out = as[out] = g.add_value(name(out), type(out));
    }
    g.nodes.push_back(std::move(node));
  }
  g.outputs = {as[v]};
  auto made = evaluate_graph(g, std::span<const Tensor>(), {.isa = best_isa(), .budget = program.contents.budget, .work = int64_t(1) << 28});
  return made ? Result<Tensor>(made->front()) : made.error();
}

std::vector<ValueId> Builder::emit_control(const char* op, std::vector<ValueId> inputs, std::span<Builder* const> bodies, size_t outputs) {
  const std::vector<ValueId> nothing(outputs, kNone);
  for (const Builder* body : bodies) {
    if (!body->ok()) fail(body->status().error());
  }
  if (!ok()) return nothing;
  std::vector<GraphBuilder*> closed(bodies.begin(), bodies.end());
  auto captured = close(closed);
  if (!captured) return fail(captured.error()), nothing;
  std::vector<int32_t> subgraphs;
  for (Builder* body : bodies) {
    for (const Node& node : body->graph.nodes) {  // inference begins anew
      for (ValueId v : node.outputs) {
        if (v != kNone) body->graph.value(v).type = {};
      }
    }
    graph.next_symbol = std::max(graph.next_symbol, body->graph.next_symbol);
    subgraphs.push_back(static_cast<int32_t>(graph.subgraphs.size()));
    graph.subgraphs.push_back(std::move(body->graph));
  }
  inputs.insert(inputs.end(), captured->begin(), captured->end());
  auto [name, value] = names(op);
  std::vector<ValueId> made;
  for (size_t o = 0; o < outputs; ++o) made.push_back(graph.add_value(o == 0 ? value : value + ":" + std::to_string(o)));
  Node& node = add_node({find_op(op), std::move(name), {}, std::move(inputs), made, std::move(subgraphs), static_cast<int32_t>(captured->size())});
  if (Status s = settle(node); !s) return fail(s.error()), nothing;
  return made;
}

}  // namespace tern::tensorflow
