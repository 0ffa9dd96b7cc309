// Max, Min, Sum and Mean of more than two inputs on a device: a thread an element, which takes all steps before it writes.
// Next: variadic.cpp (a CPU's, and the operators), variadic.cu and launch_where.cpp (a device's).
#pragma once
#include "kernels/elementwise/device.h"

namespace tern::cuda {

// Step 0 is steps[0].a op steps[0].b; to what came out step s applies steps[s].b. Of a mean the last step divides.
struct VariadicArgs {
  const BinaryArgs* steps;  // [count]
  int64_t count, elements;
  bool mean;
};
struct VariadicLaunch {
  VariadicArgs of;
  DType dtype;
};
extern const KernelRow kMaxOf[12], kMinOf[12], kSumOf[4];

}  // namespace tern::cuda
