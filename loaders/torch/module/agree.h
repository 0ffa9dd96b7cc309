// Does the tree of an architecture file say the same as the tree of a whole module? Next: torch.cpp.
#pragma once
#include "loaders/torch/module/module.h"

namespace tern::torch {

// The file's tree is the one that counts; a written one must have the same classes and children, and no argument that differs. Errors:
// where they differ (invalid).
Status check_agreement(const Module& file, const Module& written);

}  // namespace tern::torch
