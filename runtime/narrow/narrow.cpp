// See narrow.h. Backwards: what is read of each value. Forwards: the nodes that compute that.
#include "runtime/narrow/narrow.h"

#include <algorithm>
#include <map>

#include "kernels/movement/movement.h"
#include "runtime/narrow/rules.h"

namespace tern {
namespace narrowing {

std::string Edit::name(const char* suffix) const {
  const ValueId first = *std::find_if(was.outputs.begin(), was.outputs.end(), [](ValueId v) { return v != kNone; });
  return graph.value(first).name + "." + suffix;
}

ValueId Edit::emit(const OpDef& op, std::vector<ValueId> inputs, Attributes attrs, const char* suffix) {
  const ValueId v = graph.add_value(name(suffix));
  out.push_back({&op, "", std::move(attrs), std::move(inputs), {v}, {}});
  return v;
}

ValueId Edit::ints(const char* suffix, const std::vector<int64_t>& values) { return graph.add_constant(name(suffix), Tensor::ints(values)); }

void Edit::finish(const OpDef& op, std::vector<ValueId> inputs, Attributes attrs) {
  now.op = &op;
  now.inputs = std::move(inputs);
  now.attrs = std::move(attrs);
  finish();
}

namespace {

class Narrow {
 public:
  explicit Narrow(Graph& graph) : g_(graph), read_(graph.values.size()), wanted_(graph.nodes.size()), given_(graph.values.size(), false) {}

  bool run() {
    for (ValueId v : g_.outputs) read_[static_cast<size_t>(v)] = all_of(v);
    for (size_t n = g_.nodes.size(); n-- > 0;) ask(n);
    if (!narrower_) return false;
    std::vector<Node> before = std::move(g_.nodes);
    g_.nodes = {};
    for (size_t n = 0; n < before.size(); ++n) write(before[n], wanted_[n]);
    return true;
  }

 private:
  Region all_of(ValueId v) const { return Region(static_cast<size_t>(shape(g_, v).rank())); }
  std::optional<Region>& read(ValueId v) { return read_[static_cast<size_t>(v)]; }

  // A tensor of some elements of which the rank is known. What computes a shape is small, and stays.
  bool suits(ValueId v) const {
    const Value& value = g_.value(v);
    return value.type.kind == ValueKind::tensor && value.type.shape.ranked() && !value.ints &&
           std::none_of(value.type.shape.dims().begin(), value.type.shape.dims().end(), [](const Dim& d) { return d.is(0); });
  }
  const Rule* rule_of(const Node& n) const {
    const Rule* rule = find_rule(*n.op);
    if (rule == nullptr || n.outputs.empty()) return nullptr;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      if (n.inputs[i] != kNone && !n.op->value_inputs.has(i) && !suits(n.inputs[i])) return nullptr;
    }
    const bool all = std::all_of(n.outputs.begin(), n.outputs.end(), [&](ValueId v) { return v == kNone || suits(v); });
    return all ? rule : nullptr;
  }

  // Of all outputs together: who computes nearly everything is better left alone, for each Slice that it needs then costs as much as a plain
  // operator saves.
  bool worth(const Node& n, const Wanted& w) const {
    double part = 1;
    for (size_t o = 0; o < n.outputs.size(); ++o) {
      if (!w.out[o]) continue;
      double here = 1;
      for (int a = 0; a < static_cast<int>(w.out[o]->size()); ++a) {
        const Range& r = at(*w.out[o], a);
        if (!r.all()) here *= static_cast<double>(r.count) / static_cast<double>(*extent(g_, n.outputs[o], a));
      }
      part = std::min(part, here);
    }
    return part <= (n.op->macs != nullptr ? 0.75 : 0.5);
  }

  void whole_outputs(const Node& n, Wanted& w) const {
    for (size_t o = 0; o < n.outputs.size(); ++o) {
      if (w.out[o]) w.out[o] = all_of(n.outputs[o]);
    }
  }
  void whole_inputs(const Node& n, Wanted& w) const {
    w.in.clear();
    for (ValueId v : n.inputs) w.in.push_back(v == kNone ? Region() : all_of(v));
  }
  static bool whole_outputs(const Wanted& w) {
    return std::all_of(w.out.begin(), w.out.end(), [](const auto& r) { return !r || whole(*r); });
  }

  void ask(size_t i) {
    const Node& n = g_.nodes[i];
    Wanted w;
    for (ValueId v : n.outputs) w.out.push_back(v == kNone ? std::nullopt : read(v));
    if (std::none_of(w.out.begin(), w.out.end(), [](const auto& r) { return r.has_value(); })) return;  // dead
    const Rule* rule = rule_of(n);
    auto reads = [&] {
      whole_inputs(n, w);
      return rule != nullptr && rule->reads(g_, n, w);
    };
    bool known = reads();
    if (!known || (!whole_outputs(w) && !worth(n, w))) {
      whole_outputs(n, w);
      known = reads();
    }
    if (!known) whole_outputs(n, w), whole_inputs(n, w);
    narrower_ = narrower_ || !whole_outputs(w);
    for (size_t o = 0; o < n.outputs.size(); ++o) {
      if (w.out[o]) read(n.outputs[o]) = w.out[o];
    }
    for (size_t k = 0; k < n.inputs.size(); ++k) {
      if (n.inputs[k] != kNone && w.in[k]) also_read(n.inputs[k], *w.in[k]);
    }
    wanted_[i] = std::move(w);
  }

  void also_read(ValueId v, const Region& region) {
    std::optional<Region>& all = read(v);
    if (!all) {
      all = region;
      return;
    }
    for (int a = 0; a < static_cast<int>(region.size()); ++a) {
      if (at(*all, a).all() || at(region, a).all()) at(*all, a) = {};
      else at(*all, a) = cover(at(*all, a), at(region, a), *extent(g_, v, a));
    }
  }

  // Inputs of the graph and constants are there as a whole; nodes give what is read.
  void write(const Node& was, const std::optional<Wanted>& w) {
    if (!w) return;
    Edit e{g_, was, was, *w, {}, g_.nodes};
    bool less = !whole_outputs(*w);
    for (ValueId v : was.inputs) {
      e.have.push_back(v == kNone ? Region() : given_[static_cast<size_t>(v)] ? *read(v) : all_of(v));
      less = less || !whole(e.have.back());
    }
    for (size_t o = 0; o < was.outputs.size(); ++o) {
      if (w->out[o]) given_[static_cast<size_t>(was.outputs[o])] = true;
    }
    if (!less) return e.finish();
    const Rule& rule = *find_rule(*was.op);
    for (size_t i = 0; i < was.inputs.size(); ++i) {
      if (was.inputs[i] == kNone || !w->in[i] || e.have[i] == *w->in[i]) continue;
      if (rule.takes != nullptr && rule.takes(g_, was, *w, i, e.have[i])) continue;
      e.now.inputs[i] = part(e, i);
      e.have[i] = *w->in[i];
    }
    if (rule.rewrite != nullptr) rule.rewrite(e);
    else e.finish();
  }

  // What the node reads of input i, cut out once for all who read the same.
  ValueId part(Edit& e, size_t i) {
    auto& cut = parts_[e.was.inputs[i]];
    for (const auto& [region, v] : cut) {
      if (region == *e.wanted.in[i]) return v;
    }
    const ValueId from = e.was.inputs[i];
    const ValueId v = g_.add_value(g_.value(from).name + ".part");
    std::vector<ValueId> inputs = slice_inputs(e, from, picks(*e.wanted.in[i], e.have[i]));
    g_.nodes.push_back({&kSlice, "", {}, std::move(inputs), {v}, {}});
    cut.emplace_back(*e.wanted.in[i], v);
    return v;
  }

  Graph& g_;
  std::vector<std::optional<Region>> read_;    // of each value; nothing: nobody reads it
  std::vector<std::optional<Wanted>> wanted_;  // of each node; nothing: dead
  std::vector<bool> given_;                    // values that nodes give
  std::map<ValueId, std::vector<std::pair<Region, ValueId>>> parts_;
  bool narrower_ = false;
};

}  // namespace
}  // namespace narrowing

bool narrow(Graph& graph) {
  bool changed = false;
  for (Graph& g : graph.subgraphs) changed = narrow(g) || changed;
  return narrowing::Narrow(graph).run() || changed;
}

}  // namespace tern
