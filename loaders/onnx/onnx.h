// ONNX files. wire.cpp cleans the bytes, protobuf parses them, functions.cpp inlines, builder.cpp turns names into indices, and
// normalize/ turns every old operator into the newest one of its name.
// You are here: stop 4 of the tour. Read onnx.cpp, then normalize/normalize.h. Next: runtime/infer_shapes.h.
#pragma once
#include <span>
#include <string>

#include "runtime/evaluator.h"
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern {

// Could these bytes be an ONNX model? A look at the first field; load_onnx decides.
bool looks_like_onnx(std::span<const std::byte> bytes);

// directory: where external data may lie; empty: external data are refused. owner: of `bytes`; if it is memory of a mapping
// (runtime/base/mapping.h), weights move in it, and those of a large file are gone from it afterwards. Errors: kInvalid (corrupt, hostile), kUnsupported (operators, dtypes).
Result<Graph> load_onnx(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options,
                        const std::shared_ptr<const void>& owner = nullptr);

// One serialized TensorProto (the .pb files of official test data).
Result<Tensor> load_tensor_proto(std::span<const std::byte> bytes);
// The same of what a value of this kind may be: a SequenceProto, an OptionalProto. Errors: sequences of other things than tensors (unsupported).
Result<Datum> load_value_proto(std::span<const std::byte> bytes, ValueKind kind);

}  // namespace tern
