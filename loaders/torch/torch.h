// PyTorch's files: .pt2 programs, whole modules, and weights with an architecture. Next: weights_file.h, nn/net.h, export/export.h.
#pragma once
#include "loaders/content.h"
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern::torch {

// Whole modules, and weights with an architecture: what WeightsFile recognises.
// Errors: damaged (invalid); several sets of weights and no key (usage); weights without an architecture, operators and classes that tern
// does not know (unsupported).
Result<Graph> load_torch(const Content& content, const LoadOptions& options);

}  // namespace tern::torch
