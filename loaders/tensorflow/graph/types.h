// TensorFlow's numbers for dtypes. Next: tensors.h.
#pragma once
#include "runtime/base/tensor.h"
#include "tern/status.h"

namespace tern::tensorflow {

constexpr int kString = 7, kComplex64 = 8, kComplex128 = 18, kResource = 20, kVariant = 21,
              kRef = 100;  // kRef + n: a reference to a variable of type n

// Errors: unsupported, by name (complex64, quantised types, resource …). References are what they refer to.
Result<DType> dtype_of(int number);
// "float", "complex64", "type 77": TensorFlow's name.
std::string type_name(int number);

}  // namespace tern::tensorflow
