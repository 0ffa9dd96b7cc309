// sealed: constants that leave the process while nobody reads them. Next: sealed.cpp, then ../seal_weights.h.
#pragma once
#include "runtime/base/tensor.h"

namespace tern {

// A mapping of its own is worth this much; a process may have some 65,000.
constexpr size_t kWorthSealing = size_t(256) << 10;

// A large tensor that lies in the process's own memory, moved into a sealed file (mapping.h). One that is small, holds texts, lies in a mapping
// already, or for which there is no memory or no mapping left, stays where it is.
Tensor sealed(Tensor tensor);

// The pages of a tensor that lies in a mapping leave the process.
void release_pages(const Tensor& tensor);

}  // namespace tern
