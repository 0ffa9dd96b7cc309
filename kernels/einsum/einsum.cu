// Einsum on a device: a thread a result, its sum in the order of einsum.cpp: letters in turn, the last fastest. See einsum_device.h.
#include "kernels/einsum/einsum_device.h"

namespace tern::cuda {
namespace {

// Adds to each operand's place what number `number` of axes [first, first + count), counted row-major, means for it.
template <int kOperands>
__device__ void place(const EinsumArgs& a, int first, int count, int64_t number, int64_t (&at)[kOperands]) {
  const int all = a.out_axes + a.sum_axes;
  for (int i = first + count - 1; i >= first; --i) {
    const int64_t outer = number / a.sizes[i], index = number - outer * a.sizes[i];
    number = outer;
#pragma unroll
    for (int k = 0; k < kOperands; ++k) at[k] += index * a.strides[k * all + i];
  }
}

template <class T, int kOperands>
__device__ void einsum(const EinsumArgs& a) {
  const int64_t number = static_cast<int64_t>(blockIdx.x) * kEinsumBlock + threadIdx.x;
  if (number >= a.end) return;
  const int all = a.out_axes + a.sum_axes;
  int64_t at[kOperands] = {}, step[kOperands], outer = 1;
  place(a, 0, a.out_axes, number, at);
  for (int i = a.out_axes; i < all - 1; ++i) outer *= a.sizes[i];
  const int64_t inner = a.sum_axes > 0 ? a.sizes[all - 1] : 1;
#pragma unroll
  for (int k = 0; k < kOperands; ++k) step[k] = a.sum_axes > 0 ? a.strides[k * all + all - 1] : 0;
  EinsumSum<T> sum = 0;
  for (int64_t o = 0; o < (inner == 0 ? 0 : outer); ++o) {
    int64_t from[kOperands];
#pragma unroll
    for (int k = 0; k < kOperands; ++k) from[k] = at[k];
    place(a, a.out_axes, a.sum_axes - 1, o, from);
    for (int64_t i = 0; i < inner; ++i) {
      auto product = static_cast<EinsumSum<T>>(widen(static_cast<const T*>(a.x[0])[from[0] + i * step[0]]));
#pragma unroll
      for (int k = 1; k < kOperands; ++k) {
        product = static_cast<EinsumSum<T>>(product * static_cast<EinsumSum<T>>(widen(static_cast<const T*>(a.x[k])[from[k] + i * step[k]])));
      }
      sum = static_cast<EinsumSum<T>>(sum + product);
    }
  }
  if constexpr (kIsFloat<T>) static_cast<T*>(a.y)[number] = narrow<T>(sum);
  else static_cast<T*>(a.y)[number] = static_cast<T>(sum);
}

}  // namespace

extern "C" {
__global__ void einsum_1_f32(const EinsumArgs a) { einsum<float, 1>(a); }
__global__ void einsum_2_f32(const EinsumArgs a) { einsum<float, 2>(a); }
__global__ void einsum_3_f32(const EinsumArgs a) { einsum<float, 3>(a); }
__global__ void einsum_1_f64(const EinsumArgs a) { einsum<double, 1>(a); }
__global__ void einsum_2_f64(const EinsumArgs a) { einsum<double, 2>(a); }
__global__ void einsum_3_f64(const EinsumArgs a) { einsum<double, 3>(a); }
__global__ void einsum_1_f16(const EinsumArgs a) { einsum<f16, 1>(a); }
__global__ void einsum_2_f16(const EinsumArgs a) { einsum<f16, 2>(a); }
__global__ void einsum_3_f16(const EinsumArgs a) { einsum<f16, 3>(a); }
__global__ void einsum_1_bf16(const EinsumArgs a) { einsum<bf16, 1>(a); }
__global__ void einsum_2_bf16(const EinsumArgs a) { einsum<bf16, 2>(a); }
__global__ void einsum_3_bf16(const EinsumArgs a) { einsum<bf16, 3>(a); }
__global__ void einsum_1_i32(const EinsumArgs a) { einsum<int32_t, 1>(a); }
__global__ void einsum_2_i32(const EinsumArgs a) { einsum<int32_t, 2>(a); }
__global__ void einsum_3_i32(const EinsumArgs a) { einsum<int32_t, 3>(a); }
__global__ void einsum_1_i64(const EinsumArgs a) { einsum<int64_t, 1>(a); }
__global__ void einsum_2_i64(const EinsumArgs a) { einsum<int64_t, 2>(a); }
__global__ void einsum_3_i64(const EinsumArgs a) { einsum<int64_t, 3>(a); }
}

}  // namespace tern::cuda
