// From a module tree, its weights and (perhaps) forwards to a Graph: inputs are declared, the root is called, what it returns is named.
// Whole modules, weights with --arch, and tern::nn all come through here. Next: net.h.
#pragma once
#include "loaders/torch/graph/builder.h"
#include "loaders/torch/module/module.h"
#include "loaders/torch/nn/forwards.h"
#include "loaders/weights/tensors.h"
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern::torch {

// `weights`: every parameter and buffer by its path in the tree (after prefixes were stripped and strictness was checked). Inputs are named
// as forward's parameters (layers: torch's names, "input"). Their types come from options.inputs (by name, else by place), from the
// forward's annotations, else from the first layer that takes the input. Outputs are named "output", or "output_0", "output_1" … for a
// tuple or list (nested ones: "output_0_1"), or by the keys of a dict. Axis 0 of an input whose size is free is the symbol "batch".
// Errors: a class without a known forward (unsupported), naming it and its path, all such classes in one line; whatever operators refuse.
Result<Graph> assemble(const Module& root, const Forwards* forwards, const StateDict& weights, const LoadOptions& options, const std::string& format);

// The names of outputs as above, for a value that is called `name` ("output" for all of them). What is None is no output.
void name_outputs(Builder& b, const IValue& value, const std::string& name, std::vector<std::pair<std::string, ValueId>>& out);

}  // namespace tern::torch
