// sealed: constants whose pages leave the process once nobody reads them (retire(), mapping.h). Next: sealed.cpp, then ../seal_weights.h.
#pragma once
#include "runtime/base/mapping.h"
#include "runtime/base/tensor.h"

namespace tern {

// A large tensor that nobody will write again, in a mapping: it is there already, or moves there from the heap. One that is small or holds texts, or
// for which no mapping is left, stays where it is.
Tensor sealed(Tensor tensor);

// A tensor that is not needed soon, as retire() of its bytes.
void retire(const Tensor& tensor);

}  // namespace tern
