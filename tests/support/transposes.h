// What Transposes cost a graph.
#pragma once
#include <string_view>

#include "runtime/graph.h"

namespace tern::test {

// Elements that Transposes move; symbols count as 32.
inline int64_t moved_elements(const Graph& g) {
  int64_t n = 0;
  for (const Node& node : g.nodes) {
    if (std::string_view(node.op->name) != "Transpose") continue;
    int64_t elements = 1;
    for (const Dim& d : g.value(node.outputs[0]).type.shape.dims()) elements *= d.known() ? d.value() : 32;
    n += elements;
  }
  return n;
}

}  // namespace tern::test
