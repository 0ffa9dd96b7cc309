// Branches of TensorFlow 1. A Switch sends its input to one of its outputs, and a Merge takes what comes: where the condition is known one side is dead,
// else both are computed and the Merge selects. See special.h. Next: loop.cpp.
#include <map>
#include <set>

#include "loaders/tensorflow/run/special.h"

namespace tern::tensorflow {
namespace {

Values switch_(Call& c, const Site&) {
  const ValueId condition = c.tensor(1);
  if (const auto known = known_ints(c.b, condition); known && known->size() == 1) {
    const Value dead = Value::Dead(), &data = c.value(0);
    return (*known)[0] != 0 ? Values{dead, data} : Values{data, dead};
  }
  return {c.value(0), c.value(0)};
}

// For every condition of a Switch that an edge depends on in any way: of which of its sides. Bit 1: the false one, bit 2: the true one.
std::map<Edge, int> sides_of(Builder& b, const Site& site, Edge from) {
  std::map<Edge, int> sides;
  std::set<Edge> seen{from};
  std::vector<Edge> open{from};
  while (!open.empty()) {
    const Edge e = open.back();
    open.pop_back();
    if (e.node < 0 || !site.runner.spend(b, 1)) continue;
    const auto& inputs = site.graph.inputs(e.node);
    const std::string& op = site.graph.node(e.node).op();
    if ((op == "Switch" || op == "RefSwitch") && inputs.size() > 1 && (e.output == 0 || e.output == 1)) sides[inputs[1]] |= 1 << e.output;
    for (const Edge& input : inputs) {
      if (seen.insert(input).second) open.push_back(input);
    }
  }
  return sides;
}

Values merge(Call& c, const Site& site) {
  std::vector<size_t> alive;
  for (size_t i = 0; i < c.count(); ++i) {
    if (c.value(i).get<Value::Dead>() == nullptr) alive.push_back(i);
  }
  if (alive.empty()) return {Value::Dead(), Value::Dead()};
  if (alive.size() == 1) return {c.value(alive[0]), c.b.constant(Tensor::scalar(static_cast<int32_t>(alive[0])))};
  if (c.count() != 2) return c.fail(unsupported("it merges more than two branches"));
  const auto& inputs = site.graph.inputs(site.node);
  const std::map<Edge, int> first = sides_of(c.b, site, inputs[0]), second = sides_of(c.b, site, inputs[1]);
  for (const auto& [condition, side] : first) {
    const auto other = second.find(condition);
    if (other == second.end() || (side | other->second) != 3 || (side & other->second) != 0) continue;
    const Value chosen = site.runner.run(c.b, site.graph, site.scope, std::span(&condition, 1))[0];
    const size_t yes = side == 2 ? 0 : 1;
    if (!c.b.ok()) return {};
    const ValueId when = c.b.emit("Where", {chosen.id(), c.tensor(yes), c.tensor(1 - yes)});
    const auto number = [&](size_t n) { return c.b.constant(Tensor::scalar(static_cast<int32_t>(n))); };
    return {when, site.used.back() > 0 ? c.b.emit("Where", {chosen.id(), number(yes), number(1 - yes)}) : kNone};
  }
  return c.fail(unsupported("which of its inputs comes is not known"));
}

Values loop(Call& c, const Site&) {
  return c.fail(
      unsupported("loops of TensorFlow 1 are not supported; export the model with TensorFlow 2, or with tf.compat.v1.enable_control_flow_v2()"));
}

constexpr Special kOperators[] = {
    {"Switch RefSwitch", switch_}, {"Merge RefMerge", merge}, {"Enter RefEnter Exit RefExit NextIteration RefNextIteration LoopCond", loop}};

}  // namespace

std::span<const Special> switch_operators() { return kOperators; }

}  // namespace tern::tensorflow
