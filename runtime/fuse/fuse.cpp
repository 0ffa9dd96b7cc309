// The list of fusions, in order. See fuse.h.
#include "runtime/fuse/fuse.h"

namespace tern {

Status fuse(Graph& graph) {
  for (Graph& g : graph.subgraphs) {
    if (Status s = fuse(g); !s) return s;
  }
  return {};
}

}  // namespace tern
