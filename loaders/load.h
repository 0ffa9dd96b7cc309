// From a file to a Graph: formats are told apart by content. Next: formats.h, then onnx/onnx.h.
#pragma once
#include "loaders/content.h"
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern {

// The graph as the file has it, normalised to the newest opset, not yet optimised.
Result<Graph> load_graph(const Source& source, const LoadOptions& options);
Result<Graph> load_graph(const Content& content, const LoadOptions& options);
// The whole file in memory; regular files only.
Result<std::vector<std::byte>> read_file(const std::string& path);

}  // namespace tern
