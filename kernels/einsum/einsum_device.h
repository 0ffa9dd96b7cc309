// The arguments of Einsum, for the CPU and for a device. nvcc includes it. Next: einsum.cpp, einsum.cu.
#pragma once
#include <stdint.h>

#include <type_traits>

#include "kernels/elementwise/portable.h"

namespace tern {

class Launches;

constexpr int kMostOperands = 16;

struct EinsumArgs {
  const void* x[kMostOperands];
  void* y;
  int operands, out_axes, sum_axes;
  const int64_t* sizes;    // [out_axes + sum_axes]
  const int64_t* strides;  // [operands, out_axes + sum_axes], in elements; 0 where an operand has no such axis
  int64_t begin, end;      // of the flattened output
};

// What products and sums are computed in.
template <class T>
using EinsumSum = std::conditional_t<kIsFloat<T>, double, std::make_unsigned_t<std::conditional_t<kIsFloat<T>, int, T>>>;

namespace cuda {
constexpr int kEinsumBlock = 128;       // threads, a result each
constexpr int kEinsumMostOperands = 3;  // on a device, whose registers hold where each operand is
template <DType kType>
void launch_einsum(const EinsumArgs& a, Launches& to);
}  // namespace cuda
}  // namespace tern
