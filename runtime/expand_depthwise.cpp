// See expand_depthwise.h.
#include "runtime/expand_depthwise.h"

#include "kernels/conv/conv_bind.h"
#include "kernels/conv/expand_depthwise.h"

namespace tern {
namespace {

bool is_conv(const Node& n) { return n.op == &kConv || n.op == &kFusedConv; }

class Joiner {
 public:
  Joiner(Graph& graph, int64_t least_bytes) : g_(graph), least_bytes_(least_bytes), by_(producers(graph)), uses_(use_counts(graph)) {}

  void run() {
    std::vector<bool> joined(g_.nodes.size(), false);
    for (Node& node : g_.nodes) {
      const NodeId by = is_conv(node) ? by_[static_cast<size_t>(node.inputs[0])] : kNone;
      if (by == kNone || !suits(g_.node(by), node)) continue;
      node = join(g_.node(by), node);
      joined[static_cast<size_t>(by)] = true;
    }
    size_t n = 0;
    std::erase_if(g_.nodes, [&](const Node&) { return joined[n++]; });
  }

 private:
  const Value& value(ValueId v) const { return g_.value(v); }
  // x, constant weights and perhaps a bias, on blocked values.
  bool is_simple(const Node& n) const {
    if (!is_conv(n) || !g_.is_constant(n.inputs[1]) || !value(n.inputs[0]).layout.blocked || !value(n.outputs[0]).layout.blocked) return false;
    for (size_t i = 3; i < n.inputs.size(); ++i) {
      if (n.inputs[i] != kNone) return false;
    }
    return true;
  }
  bool suits(const Node& expand, const Node& depthwise) const {
    if (!is_simple(expand) || !is_simple(depthwise)) return false;
    const Dims m = value(depthwise.inputs[0]).type.shape.concrete();
    if (m.count(1, m.rank) < least_bytes_ / static_cast<int64_t>(sizeof(float)) || uses_[static_cast<size_t>(depthwise.inputs[0])] != 1) return false;
    return suits_expand_depthwise(
        {expand.read(), value(expand.inputs[0]).type.shape.concrete(), value(expand.inputs[1]).type.shape.concrete()},
        {depthwise.read(), value(depthwise.inputs[0]).type.shape.concrete(), value(depthwise.inputs[1]).type.shape.concrete()});
  }
  static Node join(const Node& expand, const Node& depthwise) {
    auto bias = [](const Node& n) { return n.inputs.size() > 2 ? n.inputs[2] : kNone; };
    Node n{&kFusedExpandDepthwise, depthwise.name, depthwise.attrs, {}, depthwise.outputs, {}};
    n.inputs = {expand.inputs[0], expand.inputs[1], depthwise.inputs[1], bias(expand), bias(depthwise)};
    n.attrs.erase("channels_last");
    for (const char* name : {"activation", "alpha", "beta"}) {
      if (const auto* v = expand.attrs.find(name)) n.attrs.set(std::string("expand_") + name, *v);
    }
    return n;
  }

  Graph& g_;
  const int64_t least_bytes_;
  const std::vector<NodeId> by_;
  const std::vector<int32_t> uses_;
};

}  // namespace

void join_expand_depthwise(Graph& graph, int64_t least_bytes) { Joiner(graph, least_bytes).run(); }

}  // namespace tern
