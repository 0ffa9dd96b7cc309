// From parsed messages to a Graph: names become indices, nodes are sorted, subgraphs are closed over what they capture, and every
// node goes through normalize/. Next: normalize/normalize.h.
#pragma once
#include "loaders/onnx/tensors.h"
#include "runtime/graph.h"
#include "tern_onnx.pb.h"

namespace tern::onnx {

// The newest opset of the standard operators that normalize/ knows.
constexpr int64_t kNewestOpset = 28;

// Consumes the model: tensors are cleared as they are converted. Functions have been inlined and versions stamped.
// Errors: undefined or doubly defined names, cycles (invalid); all operators, domains and opsets that tern does not have, in one line
// (unsupported).
// `overridable`: see LoadOptions.
Result<Graph> build(onnx_pb::ModelProto& model, Sources& sources, std::span<const std::string> overridable);

}  // namespace tern::onnx
