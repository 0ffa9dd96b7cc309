// From a file to a Graph: formats are told apart by content. Next: onnx/onnx.h.
#pragma once
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern {

// The graph as the file has it, normalised to the newest opset, not yet optimised. `directory`: where external data may lie, empty for none.
Result<Graph> load_graph(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options);
// The whole file, mapped or read; regular files only.
Result<std::vector<std::byte>> read_file(const std::string& path);

}  // namespace tern
