// From the names and shapes of weights to a first draft of the architecture that had them: what `tern inspect --suggest-arch` prints.
// Next: parts.h (the tree of names), leaves.cpp (layers), suggest.cpp (text).
#pragma once
#include <string>

#include "loaders/torch/module/module.h"

namespace tern::torch {

// A module tree as print(model) shows it, with `?` where a state_dict cannot know (stride, heads, activations), a skeleton of a forward
// for every class that is no layer, and comments that say what each ? is for. `name` is the file's, for the first comment.
// Complete, it is what --arch reads. Errors: no weights; names that nest too deeply or too often (invalid).
Result<std::string> suggest_architecture(const StateDict& weights, const std::string& name);

// The same of a whole module: its tree is known, and forwards are the sources that a legacy file carries, or skeletons.
std::string suggest_architecture(const Module& root, const std::string& name);

}  // namespace tern::torch
