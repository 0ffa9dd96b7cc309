// A walk over protobuf's wire format before protobuf sees it: bounds that a hostile file cannot pass. Next: tensor.h.
#pragma once
#include <span>

#include "tern/status.h"

namespace tern::onnx {

// Checks lengths, nesting and the number of messages of a serialized Model or TensorProto, without recursion and without allocating.
// Errors: kInvalid, saying at which byte.
Status check_wire(std::span<const std::byte> bytes, bool tensor_only);

}  // namespace tern::onnx
