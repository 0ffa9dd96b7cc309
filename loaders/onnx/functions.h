// Model-local functions: every call is replaced by the function's nodes, until none is left. Next: build.h.
#pragma once
#include <map>
#include <string>

#include "tern/status.h"
#include "tern_onnx.pb.h"

namespace tern::onnx {

// "" for the standard operators, whose domain also spells "ai.onnx".
inline std::string canonical_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

// Versions of the opsets by domain.
using Opsets = std::map<std::string, int64_t>;

// Inlines every call, and writes into each node the version of the opset that its graph or function imports (0: none).
// Errors: a function that calls itself, a call with too many arguments, an expansion out of proportion (invalid).
Status inline_functions(onnx_pb::ModelProto& model);

}  // namespace tern::onnx
