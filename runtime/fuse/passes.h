// The single fusions, each in the file of its name. See fuse.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

void fuse_gelu(Graph& graph);
void fuse_gates(Graph& graph);
void fuse_layer_norm(Graph& graph);
void fuse_attention(Graph& graph);
void fuse_flat_products(Graph& graph);
void fuse_linear(Graph& graph);
void fuse_conv(Graph& graph);
void fuse_epilogues(Graph& graph);
void fuse_activations(Graph& graph);  // of epilogues the activations alone
void fuse_integer_products(Graph& graph);
// For a plan of the CPU alone, when every dimension is bound: a device has no kernel for what these make.
void fuse_dynamic_products(Graph& graph);
void fuse_quantized_maps(Graph& graph);
void fuse_gather_mean(Graph& graph);

}  // namespace tern
