// From a model's JSON to nodes: layers are called one after the other, whatever order the file lists them in. Next: build.cpp, then
// ../layers/layer.h.
#pragma once
#include "loaders/keras/model/spec.h"
#include "tern/tern.h"

namespace tern::keras {

// The graph of the outermost model, an object {class_name, config, …}: inputs called after its InputLayers, outputs after the layers that make
// them, or by the keys of a dictionary. The first size of an input is the symbol "batch" unless the file has a number.
// told: what the caller knows of the input of a Sequential model that was saved before it was built.
// Errors: no graph in it (a subclassed model), what is not supported, damaged.
Result<Graph> build_graph(Net& net, Json::Id root, std::span<const Port> told);

}  // namespace tern::keras
