// See bools.h.
#include "kernels/movement/bools.h"

namespace tern::cuda {

extern "C" __global__ void __launch_bounds__(kBoolBlock) copy_bools(const BoolArgs a) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kBoolBlock + threadIdx.x;
  if (i < a.count) a.y[i] = a.x[i] != 0;
}

}  // namespace tern::cuda
