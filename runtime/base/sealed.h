// sealed: constants whose pages leave the process once nobody reads them (retire(), mapping.h). Next: sealed.cpp, then ../seal_weights.h.
#pragma once
#include "runtime/base/mapping.h"
#include "runtime/base/tensor.h"

namespace tern {

// A large tensor that nobody will write again, in a mapping: it is there already, or moves there from the heap. One that is small or holds texts, or
// for which no mapping is left, stays where it is.
Tensor sealed(Tensor tensor);

// Whether the caller's is the only tensor that has its memory, which is a mapping: then it may be written until it is sealed again, by one thread at a
// time for all that lies in one mapping.
bool make_writable(Tensor& tensor);

// Where what is computed of `t`, element by element and of its dtype and dims, may be written: over it, where it can be made writable,
// otherwise in memory as large. Seal it afterwards.
Tensor place_over(Tensor& t);

// A tensor that is not needed soon, as retire() of its bytes.
void retire(const Tensor& tensor);

}  // namespace tern
