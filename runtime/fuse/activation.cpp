// See activation.h.
#include "runtime/fuse/activation.h"

#include "runtime/layout_query.h"

namespace tern {

std::optional<Attributes> epilogue(const Rewriter& r, const Node& node) {
  const bool activation = node.op->layouts == activation_layouts && r.read_once(node.inputs[0]);
  return activation ? activation_attributes(layout_query(r.graph, node)) : std::nullopt;
}

void set_epilogue(Attributes& attrs, const Attributes& epilogue) {
  for (const auto& [name, value] : epilogue.all()) attrs.set(name, value);
}

}  // namespace tern
