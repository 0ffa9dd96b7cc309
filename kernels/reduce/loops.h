// The loops of a reduction, counted: for the portable kernels and those of a device (inline functions are nothing for a *.simd.cpp). Next: reduce_portable.h.
#pragma once
#include "kernels/reduce/reduce.h"
#include "runtime/base/host_device.h"

namespace tern {

// Where number `number` of the loops, counted row-major, begins, and how many there are.
TERN_HD inline int64_t offset_of(const ReduceLoops& l, int64_t number) {
  int64_t offset = 0;
  for (int d = l.rank - 1; d > 0; --d) {
    const int64_t outer = number / l.n[d];
    offset += (number - outer * l.n[d]) * l.stride[d];
    number = outer;
  }
  return l.rank > 0 ? offset + number * l.stride[0] : 0;
}
TERN_HD inline int64_t count_of(const ReduceLoops& l) {
  int64_t n = 1;
  for (int d = 0; d < l.rank; ++d) n *= l.n[d];
  return n;
}

}  // namespace tern
