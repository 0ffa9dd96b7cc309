// ONNX files: bytes to a Graph of newest-opset operators. Wire check, protobuf, tensors, normalisation, names to indices.
// You are here: stop 4 of the tour. Read import.cpp first, then normalize/normalize.h. Next: runtime/infer_shapes.h.
#pragma once
#include <span>
#include <string>

#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern {

// Could these bytes be an ONNX model? (A quick look at the first fields; the real check is the load.)
bool looks_like_onnx(std::span<const std::byte> bytes);

// directory: where external data may lie; empty: external data are refused. Errors: kInvalid (corrupt, hostile), kUnsupported (operators, dtypes).
Result<Graph> load_onnx(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options);

// One serialized TensorProto (the .pb files of official test data).
Result<Tensor> load_tensor_proto(std::span<const std::byte> bytes);

}  // namespace tern
