// Lowering: nodes to work in order, values to buffers that live from first write to last read. See lowering.h. Next: select_kernels.cpp.
#include <algorithm>

#include "kernels/conv/conv.h"
#include "runtime/plan/lowering.h"

namespace tern {
namespace {

constexpr int32_t kForever = INT32_MAX;

}  // namespace

Status Lowering::run() {
  const Graph& graph = p_.graph;
  p_.scopes.push_back({&graph, {}, {}, {}});
  p_.work.reserve(static_cast<size_t>(node_count(graph)));  // growing would hold it twice
  p_.buffers.reserve(graph.values.size());
  place_constants(0);
  for (ValueId v : graph.inputs) {
    auto buffer = new_buffer(graph, v);
    if (!buffer) return buffer.error();
    p_.inputs.push_back(*buffer);
    place(0, v).buffer = *buffer;
    pin(*buffer, true);
    if (graph.value(v).type.dtype != DType::boolean) continue;
    auto settled = new_buffer(graph, v);
    if (!settled) return settled.error();
    const size_t copy = add_copy(0, v, place(0, v), Place{*settled, nullptr}, false);
    p_.work[copy].bools = true;
    p_.top.push_back(copy);
    place(0, v).buffer = *settled;
  }
  if (Status s = lower_nodes(0, p_.top, false); !s) return s;
  for (ValueId v : graph.outputs) {
    Place p = place(0, v);
    if (p.none()) return invalid("output " + graph.value(v).name + " is never computed");
    if (p.constant != nullptr || is_input_[static_cast<size_t>(p.buffer)]) {
      auto to = new_buffer(graph, v);
      if (!to) return to.error();
      pin(*to, false);
      p_.top.push_back(add_copy(0, v, p, Place{*to, nullptr}, false));
      p = Place{*to, nullptr};
    }
    pin(p.buffer, is_input_[static_cast<size_t>(p.buffer)]);
    p_.outputs.push_back(p.buffer);
  }
  return {};
}

size_t Lowering::open_scope(const Graph& subgraph, size_t around, const Node& node) {
  p_.scopes.push_back({&subgraph, {}, {}, p_.scopes[around].where + describe(graph(around), node) + ": "});
  place_constants(p_.scopes.size() - 1);
  return p_.scopes.size() - 1;
}

void Lowering::place_constants(size_t s) {
  Scope& scope = p_.scopes[s];
  const Graph& g = *scope.graph;
  scope.places.resize(g.values.size());
  scope.uses = use_counts(g);
  for (size_t v = 0; v < g.values.size(); ++v) {
    if (g.values[v].constant.present()) scope.places[v].constant = &g.values[v].constant;
  }
}

Result<int32_t> Lowering::new_buffer(const Graph& g, ValueId v) {
  const Value& value = g.value(v);
  if (value.type.dtype == DType::string) return unsupported("value " + value.name + " holds strings: only evaluate() runs them");
  if (!value.type.shape.known()) {
    return unsupported("the shape of " + value.name + " is " + value.type.shape.text() + ": it is not known before the run");
  }
  if (value.type.shape.rank() > kMaxRank) return unsupported("value " + value.name + " has more than 8 dimensions");
  auto bytes = storage_bytes(value.type.dtype, value.type.shape.concrete(), value.layout);
  if (!bytes || *bytes > p_.options.budget) {
    return unsupported("value " + value.name + " of shape " + value.type.shape.text() + " needs more memory than the budget of " +
                       std::to_string(p_.options.budget) + " bytes: raise SessionOptions::budget");
  }
  is_input_.push_back(false);
  pinned_.push_back(false);
  inside_.push_back(false);
  shared_.push_back(false);
  readers_.push_back(0);
  return p_.add_buffer(*bytes);
}

// Inputs keep their contents from run to run, outputs until the next run.
void Lowering::pin(int32_t buffer, bool input) {
  p_.touch(buffer, kForever);
  pinned_[static_cast<size_t>(buffer)] = true;
  if (input) {
    p_.touch(buffer, 0);
    is_input_[static_cast<size_t>(buffer)] = true;
  }
}

Status Lowering::lower_nodes(size_t scope, std::vector<size_t>& list, bool nested) {
  const Graph& g = *p_.scopes[scope].graph;
  for (ValueId v : g.inputs) add_readers(scope, v);
  for (const Node& node : g.nodes) {
    const ControlDef* control = find_control(node.op);
    Status s = control == nullptr          ? lower_node(scope, node, list, nested)
               : control->lower == nullptr ? unsupported("only evaluate() runs it")
                                           : control->lower(*this, scope, node, list, nested);
    if (!s) return s.error().within(describe(g, node));
  }
  return {};
}

void Lowering::add_readers(size_t scope, ValueId v) {
  const Place& p = place(scope, v);
  if (p.buffer != kNone) readers_[static_cast<size_t>(p.buffer)] += p_.scopes[scope].uses[static_cast<size_t>(v)];
}

void Lowering::read_inputs(size_t scope, const Node& node, int32_t position) {
  for (ValueId v : node.inputs) {
    if (v == kNone) continue;
    const Place& p = place(scope, v);
    if (p.buffer == kNone) continue;
    p_.touch(p.buffer, position);
    --readers_[static_cast<size_t>(p.buffer)];
  }
}

void Lowering::release(const Place& place) {
  if (place.buffer != kNone) --readers_[static_cast<size_t>(place.buffer)];
}

void Lowering::hold(const Place& place) {
  if (place.buffer != kNone) ++readers_[static_cast<size_t>(place.buffer)];
}

bool Lowering::read_for_the_last_time(const Place& place) const {
  return place.buffer != kNone && readers_[static_cast<size_t>(place.buffer)] == 1 && !is_kept(place.buffer);
}

void Lowering::touch(const Place& place, int32_t position) {
  if (place.buffer != kNone) p_.touch(place.buffer, position);
}

int32_t Lowering::add_swap(Program::Swap swap) {
  p_.swaps.push_back(std::move(swap));
  return static_cast<int32_t>(p_.swaps.size()) - 1;
}

void Lowering::hold_inputs(size_t scope, const Node& node, int32_t position) {
  for (ValueId v : node.inputs) {
    if (v != kNone) touch(place(scope, v), position);
  }
}

Status Lowering::place_outputs(size_t scope, const Node& node, int32_t position) {
  for (ValueId v : node.outputs) {
    if (v == kNone) continue;
    if (place(scope, v).none()) {  // a loop may have said where
      auto buffer = new_buffer(graph(scope), v);
      if (!buffer) return buffer.error();
      place(scope, v).buffer = *buffer;
    }
    touch(place(scope, v), position);
    add_readers(scope, v);
  }
  return {};
}

// The outputs of a node may lie on an input when nobody reads that any more.
bool Lowering::may_take_over(size_t scope, const Node& node, size_t i, bool view) {
  const Graph& g = *p_.scopes[scope].graph;
  if (i >= node.inputs.size() || node.inputs[i] == kNone || node.outputs[0] == kNone) return false;
  const Value& in = g.value(node.inputs[i]);
  const Value& out = g.value(node.outputs[0]);
  const Place& p = place(scope, node.inputs[i]);
  if (p.buffer == kNone || in.layout != out.layout || size_of(in.type.dtype) != size_of(out.type.dtype) || !out.type.shape.known()) return false;
  if (view) return true;  // both are the same memory, and stay so: later readers are counted together
  if (in.type.shape.concrete() != out.type.shape.concrete()) return false;
  int readings = 0;  // a kernel that writes its output while it still reads the same buffer as another input would read its own results
  for (ValueId v : node.inputs) readings += v != kNone && place(scope, v).buffer == p.buffer;
  if (readings != 1) return false;
  return readers_[static_cast<size_t>(p.buffer)] == 0 && !is_kept(p.buffer);
}

Status Lowering::lower_node(size_t scope, const Node& node, std::vector<size_t>& list, bool nested) {
  const Graph& g = *p_.scopes[scope].graph;
  if (node.op->compute != nullptr) return unsupported("works on text: only evaluate() runs it");
  if (node.op->bind == nullptr) return unsupported("has no kernel");
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.op->value_inputs.has(i) && node.inputs[i] != kNone && !g.is_constant(node.inputs[i])) {
      return unsupported("input " + std::to_string(i) + " (" + g.value(node.inputs[i]).name + ") must be known before the run");
    }
  }
  const int32_t position = position_++;
  read_inputs(scope, node, position);
  const bool view = node.op->view && node.outputs.size() == 1 && may_take_over(scope, node, 0, true);
  if (view) {
    place(scope, node.outputs[0]) = place(scope, node.inputs[0]);
    add_readers(scope, node.outputs[0]);
    return {};
  }
  if (node.op == &kConcatBlocks) {
    auto all = join_in_place(scope, node, position);
    if (!all) return all.error();
    if (*all) return {};
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    const ValueId v = node.outputs[o];
    if (v == kNone) continue;
    int32_t taken = place(scope, v).buffer;  // a loop may have said where
    for (size_t i = 0; o == 0 && i < node.inputs.size() && i < 32 && taken == kNone; ++i) {
      if ((node.op->inplace_inputs >> i & 1) && may_take_over(scope, node, i, false)) taken = place(scope, node.inputs[i]).buffer;
    }
    if (taken == kNone) {
      auto buffer = new_buffer(g, v);
      if (!buffer) return buffer.error();
      taken = *buffer;
    }
    place(scope, v).buffer = taken;
    p_.touch(taken, position);
    add_readers(scope, v);
  }
  Work w;
  w.scope = scope;
  w.node = &node;
  w.position = position;
  w.nested = nested;
  list.push_back(add(std::move(w)));
  return {};
}

Work Lowering::control_work(size_t scope, const Node& node, bool nested) {
  Work w;
  w.scope = scope;
  w.node = &node;
  w.position = next_position();
  w.nested = nested;
  w.control = std::make_unique<ControlWork>();
  w.control->def = find_control(node.op);
  w.control->first_nested = p_.work.size();
  return w;
}

size_t Lowering::add_copy(size_t scope, ValueId v, Place from, Place to, bool nested) {
  Work w;
  w.scope = scope;
  w.position = position_++;
  w.nested = nested;
  w.from = from;
  w.to = to;
  const Value& value = p_.scopes[scope].graph->value(v);
  w.copy_size = *storage_bytes(value.type.dtype, value.type.shape.concrete(), value.layout);
  if (repeats_ > 1) w.cost = w.copy_size;
  touch(from, w.position);
  touch(to, w.position);
  return add(std::move(w));
}

size_t Lowering::add(Work w) {
  w.repeats = repeats_;
  w.swap = swap_;
  w.certain = certain_;
  p_.work.push_back(std::move(w));
  return p_.work.size() - 1;
}

Status lower(Program& program) { return Lowering(program).run(); }

}  // namespace tern
