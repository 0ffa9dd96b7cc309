// A tensor that lies in a file as its bytes, one behind the other. Next: tensors.h.
#pragma once
#include "loaders/source.h"
#include "runtime/base/tensor.h"

namespace tern {

// `piece` of `file` as a tensor: held where it lies as tensors do (hold(), runtime/base/mapping.h), else copied; free of subnormals. `normal`: it is known
// to hold none (any_subnormal(), runtime/base/subnormals.h). Error (invalid): too few or too many bytes.
Result<Tensor> dense_tensor(DType dtype, const Dims& dims, std::span<const std::byte> piece, const Source& file, bool normal = false);

}  // namespace tern
