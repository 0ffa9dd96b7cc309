// Whole modules: torch.save(model). The tree and its weights are the file's; forwards of custom classes come from an architecture file.
// Next: assemble.h.
#pragma once
#include "loaders/torch/arch/parse.h"
#include "loaders/torch/nn/assemble.h"

namespace tern::torch {

// `arch` may be null (only classes of torch.nn); its tree, if it has one, is not used. Training mode is ignored: forwards are eval mode's.
// Errors: as assemble() gives them.
Result<Graph> load_whole(std::shared_ptr<Module> root, const Architecture* arch, const LoadOptions& options, const std::string& format);

}  // namespace tern::torch
