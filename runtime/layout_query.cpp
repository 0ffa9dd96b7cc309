// See layout_query.h.
#include "runtime/layout_query.h"

namespace tern {

LayoutQuery layout_query(const Graph& g, const Node& node) {
  LayoutQuery q{*node.op, node.read(), node.attrs, {}, {}};
  q.inputs.reserve(node.inputs.size());
  for (ValueId v : node.inputs) {
    LayoutQuery::Input& x = q.inputs.emplace_back();
    if (v == kNone) continue;
    x.type = &g.value(v).type;
    if (g.is_constant(v)) x.value = &g.value(v).constant;
  }
  for (ValueId v : node.outputs) q.outputs.push_back(v == kNone ? nullptr : &g.value(v).type);
  return q;
}

}  // namespace tern
