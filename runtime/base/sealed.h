// sealed: constants whose pages leave the process once nobody reads them (retire(), mapping.h). Next: sealed.cpp, then ../seal_weights.h.
#pragma once
#include "runtime/base/mapping.h"
#include "runtime/base/tensor.h"

namespace tern {

// A large tensor that nobody will write again, in a mapping: it is there already, or moves there from the heap. One that is small or holds texts, or
// for which no mapping is left, stays where it is.
Tensor sealed(Tensor tensor);

// Where what is computed of `t`, element by element and of its dtype and dims, may be written: over it, when the caller's is the only one that has its
// memory, which is a mapping; otherwise in memory as large. Seal it afterwards.
Tensor place_over(Tensor& t);

// A tensor that is not needed soon, as retire() of its bytes.
void retire(const Tensor& tensor);

}  // namespace tern
