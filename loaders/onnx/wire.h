// From the bytes of an ONNX file to a small, clean protobuf message, as ../wire/wire.h makes them: what tern does not read (training data) is left
// out, weights stay in the file. Next: tern_onnx.proto.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "tern/status.h"

namespace tern::onnx {

// A serialised tern.onnx_pb.ModelProto in which raw_data is replaced by its place in `file`.
// Errors (invalid): truncated, malformed or too deep, or so many small parts that objects would take more than `budget` bytes
// beyond a small multiple of the file's size.
Result<std::string> clean_model(std::span<const std::byte> file, int64_t budget);
// The same of one TensorProto, SequenceProto or OptionalProto, as official test data are.
Result<std::string> clean_tensor(std::span<const std::byte> file, int64_t budget);
Result<std::string> clean_sequence(std::span<const std::byte> file, int64_t budget);
Result<std::string> clean_optional(std::span<const std::byte> file, int64_t budget);

}  // namespace tern::onnx
