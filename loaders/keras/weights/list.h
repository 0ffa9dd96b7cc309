// The tensors of files that hold no model, as `tern inspect` lists them: weights of Keras, and any other HDF5 file. Next: list.cpp.
#pragma once
#include "loaders/content.h"
#include "loaders/weights/tensors.h"

namespace tern::keras {

struct WeightList {
  std::string format;  // "weights of Keras (HDF5)"
  StateDict tensors;   // by their paths in the file; metadata: the root's attributes that are texts
};
// Nothing when the file has a model in it, or is neither HDF5 nor an index of such files. Errors: damaged (invalid).
Result<std::optional<WeightList>> list_weights(const Content& content, const LoadOptions& options);

}  // namespace tern::keras
