// Keras' files without Keras: .keras archives, .h5 models, and weights whose architecture is given (what model.to_json() writes). Nothing in
// them is executed: Lambda layers and custom classes are refused by name. Next: keras.cpp, then model/spec.h.
#pragma once
#include "loaders/content.h"
#include "loaders/keras/weights/weights.h"
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern::keras {

// The graph of what model.to_json() writes, with weights from wherever they come. version: of the Keras that wrote it, "3.15.1"; empty: as it says.
Result<Graph> graph_of_json(std::string_view json, const std::string& version, WeightSource& weights, const LoadOptions& options);

// A ZIP archive with config.json, metadata.json and weights.
bool looks_like_archive(const Content& content);

// Errors: damaged (invalid); a subclassed model, layers that tern does not have, weights without an architecture (unsupported).
Result<Graph> load_archive(const Content& content, const LoadOptions& options);
// HDF5: a whole model, or weights and LoadOptions::architecture.
Result<Graph> load_hdf5(const Content& content, const LoadOptions& options);

// The index of weights that lie in several HDF5 files beside it, with LoadOptions::architecture.
bool looks_like_index(const Content& content);
Result<Graph> load_index(const Content& content, const LoadOptions& options);

}  // namespace tern::keras
