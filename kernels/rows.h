// The rows of one body for several dtypes, as one name: for rows_of<TERN_ON_EACH_ISA(exp_wide)>. Next: elementwise/wide.h.
#pragma once
#include "kernels/row.h"

namespace tern {

template <int N>
struct Rows {
  KernelRow row[N];
  constexpr const KernelRow* begin() const { return row; }
  constexpr const KernelRow* end() const { return row + N; }
};

}  // namespace tern
