// One row of a binary function of elements, for the compiler to vectorise: in plain C++ (binary_rows.h), and once per ISA (bits.simd.cpp).
// Next: binary_rows.h.
#pragma once
#include <stdint.h>

#include "kernels/apart.h"
#include "runtime/base/host_device.h"

namespace tern {

// y[i] = f(a[i], b[i]); both operands move (a step of 1), or one stands, or both.
template <class T, class Y, class F>
TERN_HD inline void binary_row(const T* a, int64_t a_step, const T* b, int64_t b_step, Y* y, int64_t n, F f) {
  if (a_step == 1 && b_step == 1) {
    TERN_APART
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  } else if (a_step == 1) {
    const T vb = *b;
    TERN_APART
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], vb);
  } else {
    const T va = *a;
    TERN_APART
    for (int64_t i = 0; i < n; ++i) y[i] = f(va, b[i * b_step]);
  }
}

}  // namespace tern
