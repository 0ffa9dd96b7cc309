// tern inspect for files that hold weights and no graph. Next: inspect_weights.cpp.
#pragma once
#include <optional>

#include "tools/tern/command.h"

namespace tern::command {

// The exit code; nothing when the file is a model with a graph, or an architecture was given.
std::optional<int> inspect_weights(const Options& options);

}  // namespace tern::command
