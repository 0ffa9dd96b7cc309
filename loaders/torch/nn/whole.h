// Whole modules: torch.save(model). The tree and its weights are the file's; forwards of custom classes come from an architecture file.
// Next: assemble.h.
#pragma once
#include "loaders/torch/nn/assemble.h"

namespace tern::torch {

// `forwards` may be null (only classes of torch.nn). Training mode is ignored: forwards are eval mode's.
// Errors: as assemble() gives them.
Result<Graph> load_whole(const Module& root, const Forwards* forwards, const LoadOptions& options, const std::string& format);

}  // namespace tern::torch
