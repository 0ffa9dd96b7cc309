// The module tree as `print(model)` shows it, or as constructor calls. Grammar: arch/README.md. Next: tree.cpp.
#pragma once
#include <memory>

#include "loaders/torch/module/source_text.h"

namespace tern::torch {

// Reads the tree that begins at `offset`, and moves it past the closing bracket. Arguments that are no literals stay as names, text and
// all. Memory and the size of the tree (repeats unfolded) are bounded. Errors: invalid, with line and column.
Result<std::shared_ptr<Module>> read_tree(const SourceText& source, size_t& offset);

}  // namespace tern::torch
