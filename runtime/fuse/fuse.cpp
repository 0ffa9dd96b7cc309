// The list of fusions, in order. See fuse.h.
#include "runtime/fuse/fuse.h"

#include "runtime/fuse/passes.h"
#include "runtime/infer_shapes.h"
#include "runtime/verify.h"

namespace tern {
namespace {

// Every fusion leaves a legal graph, and all of them values that have the types that they had: to infer them takes longer than a fusion.
Status check([[maybe_unused]] const Graph& graph, [[maybe_unused]] Status (*verify)(const Graph&)) {
#ifndef NDEBUG
  return verify(graph);
#else
  return {};
#endif
}

}  // namespace

void fuse_integers(Graph& graph) {
  for (Graph& g : graph.subgraphs) fuse_integers(g);
  fuse_integer_products(graph);
}

Status fuse(Graph& graph) {
  for (Graph& g : graph.subgraphs) {
    if (Status s = fuse(g); !s) return s;
  }
  // Activations first: the others take them as their epilogues.
  for (auto* fusion : {fuse_gelu, fuse_gates, fuse_layer_norm, fuse_attention, fuse_flat_products, fuse_linear, fuse_conv, fuse_epilogues}) {
    fusion(graph);
    if (Status s = check(graph, verify); !s) return s;
  }
  return check(graph, verify_types);
}

}  // namespace tern
