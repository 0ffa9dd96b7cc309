// The list of fusions, in order. See fuse.h.
#include "runtime/fuse/fuse.h"

#include "runtime/fuse/passes.h"

namespace tern {

Status fuse(Graph& graph) {
  for (Graph& g : graph.subgraphs) {
    if (Status s = fuse(g); !s) return s;
  }
  fuse_gelu(graph);  // first: the others take a Gelu as their activation
  fuse_layer_norm(graph);
  fuse_attention(graph);
  fuse_linear(graph);
  fuse_conv(graph);
  return {};
}

}  // namespace tern
