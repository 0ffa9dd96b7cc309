// The structures of a program's inputs and outputs: torch.export flattens tuples, lists and dictionaries, and writes how as a text of JSON:
//   [1, {"type": "builtins.dict", "context": "[\"a\"]", "children_spec": [{"type": null, "context": null, "children_spec": []}]}]
// Next: usage.h.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "loaders/torch/graph/value.h"

namespace tern::torch {

// The leaves in their structure: lists, tuples (also of classes that tern does not know), dictionaries. Errors: no such text, another
// number of leaves (invalid).
Result<IValue> unflatten(std::string_view spec, const IValues& leaves);

// Names for the inputs of a forward(*args, **kwargs) of that spec: "x", "pair_0", "options_scale". Without names of arguments "input",
// or "input_0", "input_1" … Empty when the spec is damaged.
std::vector<std::string> input_names(std::string_view spec, const std::vector<std::string>& arguments, size_t leaves);

}  // namespace tern::torch
