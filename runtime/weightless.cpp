// See weightless.h.
#include "runtime/weightless.h"

#include "runtime/base/mapping.h"

namespace tern {

void drop_weights(Graph& graph) {
  for (Value& v : graph.values) {
    const Tensor& t = v.constant;
    if (!t.present() || t.dtype() == DType::string || t.bytes() < kWorthMapping) continue;
    v.type = {t.dtype(), Shape(t.dims())};
    v.constant = Tensor();
  }
  for (Graph& g : graph.subgraphs) drop_weights(g);
}

std::vector<bool> constants_and_dropped(const Graph& graph) {
  std::vector<bool> constant(graph.values.size(), true);
  for (ValueId v : graph.inputs) constant[static_cast<size_t>(v)] = false;
  for (const Node& node : graph.nodes) {
    for (ValueId v : node.outputs) {
      if (v != kNone) constant[static_cast<size_t>(v)] = false;
    }
  }
  return constant;
}

}  // namespace tern
