// What reductions share: the axes that `dim` names, a reduction over them, norms. Next: reduce.cpp.
#pragma once
#include <vector>

#include "loaders/torch/ops/common.h"

namespace tern::torch {

// An int, a list or None (an empty list too): all axes. In the order given, in [0, rank); fails for one that is given twice.
std::vector<int64_t> reduced_axes(Builder& b, const IValue& dim, int rank);
// One of the Reduce operators; scalars are reduced over nothing.
ValueId reduced(Builder& b, const char* op, ValueId x, const std::vector<int64_t>& axes, bool keepdim);
// How many elements those axes have.
Int count_of(Builder& b, ValueId x, const std::vector<int64_t>& axes);
// (sum |x|^p)^(1/p); p = 0 counts what is not zero, infinite ones are extremes.
ValueId norm_of(Builder& b, ValueId x, double p, const std::vector<int64_t>& axes, bool keepdim);

}  // namespace tern::torch
