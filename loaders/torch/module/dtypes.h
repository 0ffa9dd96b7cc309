// The names of element types in PyTorch, and in ONNX's Cast. Next: graph/value.h.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "tern/dtype.h"

namespace tern::torch {

// "float32", "torch.float32", "float", "f32", "int64", "long", "bool" …; nothing for other names and for types that tern does not compute with.
std::optional<DType> dtype_named(std::string_view name);
// The number of TensorProto.DataType, for Cast's `to`.
int64_t onnx_number(DType dtype);

}  // namespace tern::torch
