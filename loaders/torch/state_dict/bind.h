// Weights and the tree that wants them: torch's load_state_dict. Next: bind.cpp, then nn/assemble.h.
#pragma once
#include <vector>

#include "loaders/torch/nn/layers.h"
#include "loaders/weights/tensors.h"

namespace tern::torch {

struct Bound {
  StateDict weights;               // named as the tree names them
  std::vector<std::string> notes;  // what was done for the match: "the prefix module. was taken off 34 names"
};

// Strict as torch is: missing and unexpected keys and size mismatches are all listed, in torch's wording and order. A prefix (module.,
// _orig_mod., model., or any one common to all names) is stripped or added when that makes the match exact. `strict` false lets missing
// and unexpected ones pass (a layer that then lacks a weight fails when the graph is made); mismatched sizes always fail.
// Parametrised weights (weight_g and weight_v, parametrizations.weight.original0 …) stay as they are where the tree expects the weight; the
// old names of weight_norm become the new ones where the tree has the parametrization, as torch's hook has it (there is none the other way).
// Errors: `Error(s) in loading state_dict for Net: …` (invalid), one line.
// What is bound is copied as load_state_dict copies: into the dtype of the module's tensor, whatever the file has (StoredTensor::copied_to).
// `module`: the module's floating dtype.
Result<Bound> bind_weights(const StateDict& file, const Module& root, const std::vector<Expected>& expected, bool strict, DType module = DType::f32);

}  // namespace tern::torch
