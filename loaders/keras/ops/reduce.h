// What reductions share: along which axes, and the reduction itself. Next: reduce.cpp, nan.cpp.
#pragma once
#include "loaders/keras/ops/ops.h"

namespace tern::keras {

struct Reduction {
  ValueId x;
  std::vector<int64_t> axes;  // all of them where the call names none
  bool keep;
};
// TensorFlow's functions have the axis second; of keras.ops it lies in the config.
Reduction reduction(const Operands& o);
// op ("ReduceSum") of x; x itself where there are no axes.
ValueId reduced(const Call& c, const char* op, ValueId x, const std::vector<int64_t>& axes, bool keep);

}  // namespace tern::keras
