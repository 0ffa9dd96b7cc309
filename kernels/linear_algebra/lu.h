// P A = L U by rows, in place: below the diagonal L, whose own diagonal is 1. The same instructions whatever the numbers are: pivots are chosen by
// masks, every row is swapped (often with itself), and a matrix that has no inverse is worked through to its end. See linear_algebra.h.
#pragma once
#include <cmath>
#include <cstdint>
#include <utility>

#include "kernels/apart.h"
#include "kernels/portable_math.h"

namespace tern {

// pivots[k]: the row that was swapped with row k. The sign of all swaps; 0: a column has nothing to divide by.
inline double factor_lu(double* a, int64_t n, int64_t* pivots) {
  double sign = 1;
  for (int64_t k = 0; k < n; ++k) {
    int64_t p = k;
    double largest = std::fabs(a[k * n + k]);
    for (int64_t i = k + 1; i < n; ++i) {
      const double size = std::fabs(a[i * n + k]);
      const bool larger = size > largest;
      p ^= (p ^ i) & -int64_t(larger);
      largest = portable::select(larger, size, largest);
    }
    pivots[k] = p;
    sign = portable::select(largest == 0, 0, portable::select(p == k, sign, -sign));
    double *pivot = a + k * n, *other = a + p * n;  // each [n], perhaps one
    TERN_APART
    for (int64_t j = 0; j < n; ++j) std::swap(other[j], pivot[j]);
    for (int64_t i = k + 1; i < n; ++i) {
      double* row = a + i * n;
      const double f = row[k] /= pivot[k];
      TERN_APART
      for (int64_t j = k + 1; j < n; ++j) row[j] -= f * pivot[j];
    }
  }
  return sign;
}

// x [n, columns] becomes T^-1 x, of one triangle of `a`; `unit`: its diagonal is 1, whatever is there. False: a zero lies on it.
inline bool solve_triangle(const double* a, double* x, int64_t n, int64_t columns, bool lower, bool unit) {
  bool regular = true;
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = lower ? step : n - 1 - step;
    for (int64_t k = lower ? 0 : i + 1; k < (lower ? i : n); ++k) {
      for (int64_t j = 0; j < columns; ++j) x[i * columns + j] -= a[i * n + k] * x[k * columns + j];
    }
    if (unit) continue;
    regular &= a[i * n + i] != 0;
    for (int64_t j = 0; j < columns; ++j) x[i * columns + j] /= a[i * n + i];
  }
  return regular;
}

}  // namespace tern
