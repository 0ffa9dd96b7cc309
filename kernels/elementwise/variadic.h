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
void launch_variadic(const Kernel& kernel, DType dtype, const VariadicArgs& args, Launches& to);
constexpr auto kMaxOf = plain_rows<VariadicArgs, launch_variadic, "elementwise/variadic", "max_of", "max_of">(Numbers());
constexpr auto kMinOf = plain_rows<VariadicArgs, launch_variadic, "elementwise/variadic", "min_of", "min_of">(Numbers());
constexpr auto kSumOf = plain_rows<VariadicArgs, launch_variadic, "elementwise/variadic", "sum_of", "sum_of">(Floats());

}  // namespace tern::cuda
