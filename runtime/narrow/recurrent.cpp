// LSTM, GRU and RNN of which the last step is read: that is the state that they end with. See rules.h.
#include "kernels/movement/movement.h"
#include "runtime/narrow/rules.h"

namespace tern::narrowing {
namespace {

struct Axes {
  int steps, directions;
};
Axes axes_of(const Node& n) { return n.read().i("layout") == 0 ? Axes{0, 1} : Axes{1, 2}; }

// Rows that are shorter end before the last step, and two directions end at either end.
bool recurrent_reads(const Graph& g, const Node& n, Wanted& w) {
  if (!w.out[0]) return false;
  const Axes axes = axes_of(n);
  const auto steps = extent(g, n.outputs[0], axes.steps);
  const std::string direction = n.read().s("direction");
  if (!steps || given(n, 4) || direction == "bidirectional") return false;
  const Range last = range(direction == "reverse" ? 0 : *steps - 1, 1, 1, *steps);
  if (last.all() || at(*w.out[0], axes.steps) != last) return false;
  for (auto& region : w.out) {
    if (region) std::fill(region->begin(), region->end(), Range());
  }
  at(*w.out[0], axes.steps) = last;
  return true;
}

void recurrent_rewrite(Edit& e) {
  if (!e.wanted.out[0] || whole(*e.wanted.out[0])) return e.finish();
  const ValueId y = e.now.outputs[0];
  if (e.now.outputs.size() < 2) e.now.outputs.resize(2, kNone);
  if (e.now.outputs[1] == kNone) e.now.outputs[1] = e.graph.add_value(e.name("last"));
  e.now.outputs[0] = kNone;
  const ValueId state = e.now.outputs[1];
  e.finish();
  e.out.push_back({&kUnsqueeze, "", {}, {state, e.ints("steps", {axes_of(e.was).steps})}, {y}, {}});
}

}  // namespace

constinit const Rule kRecurrentRule = {recurrent_reads, recurrent_rewrite};

}  // namespace tern::narrowing
