// A program of torch.export, from its JSON to a graph. Next: program.cpp, then run.h (its nodes).
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "loaders/weights/tensors.h"
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern::torch {

// `tensors`: parameters, buffers and constants by their names in the module.
Result<Graph> build_program(std::string_view json, const std::map<std::string, StoredTensor, std::less<>>& tensors, const LoadOptions& options);

}  // namespace tern::torch
