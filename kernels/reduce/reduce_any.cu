// Reductions of dtypes other than f32 on a device: reduce_portable.h as it stands, a thread an output. See reduce.h.
#include "kernels/reduce/reduce_portable.h"

namespace tern::cuda {
namespace {

// Integers of 8 bits and bools have their extremes here, floats the logarithms too: what bind lets through, no more to compile.
template <class T>
__device__ T reduced(const ReduceAny& r, const T* x, int64_t rows) {
  if (r.kind == ReduceKind::max) return portable::reduce_one<T, portable::Max>(x, r.a, rows);
  if (r.kind == ReduceKind::min) return portable::reduce_one<T, portable::Min>(x, r.a, rows);
  if constexpr (sizeof(T) > 1) {
    if (r.kind == ReduceKind::sum) return portable::reduce_one<T, portable::Sum>(x, r.a, rows);
    if (r.kind == ReduceKind::mean) return portable::reduce_one<T, portable::Mean>(x, r.a, rows);
    if (r.kind == ReduceKind::prod) return portable::reduce_one<T, portable::Prod>(x, r.a, rows);
    if (r.kind == ReduceKind::l1) return portable::reduce_one<T, portable::L1>(x, r.a, rows);
    if (r.kind == ReduceKind::l2) return portable::reduce_one<T, portable::L2>(x, r.a, rows);
    if (r.kind == ReduceKind::sum_square) return portable::reduce_one<T, portable::SumSquare>(x, r.a, rows);
  }
  if constexpr (!std::is_integral_v<T>) {
    if (r.kind == ReduceKind::log_sum) return portable::reduce_one<T, portable::LogSum>(x, r.a, rows);
    if (r.kind == ReduceKind::log_sum_exp) return portable::reduce_one<T, portable::LogSumExp>(x, r.a, rows);
  }
  return T{};
}

template <class T>
__device__ void reduce(const ReduceAny& r) {
  const int64_t number = static_cast<int64_t>(blockIdx.x) * kReduceBlock + threadIdx.x;
  if (number >= r.a.end * r.a.inner) return;
  const int64_t o = number / r.a.inner;
  const T* x = static_cast<const T*>(r.a.x) + offset_of(r.a.kept, o) + (number - o * r.a.inner);
  static_cast<T*>(r.a.y)[number] = reduced(r, x, count_of(r.a.reduced));
}

}  // namespace

extern "C" {
__global__ void reduce_any_f64(const __grid_constant__ ReduceAny r) { reduce<double>(r); }
__global__ void reduce_any_f16(const __grid_constant__ ReduceAny r) { reduce<f16>(r); }
__global__ void reduce_any_bf16(const __grid_constant__ ReduceAny r) { reduce<bf16>(r); }
__global__ void reduce_any_i32(const __grid_constant__ ReduceAny r) { reduce<int32_t>(r); }
__global__ void reduce_any_i64(const __grid_constant__ ReduceAny r) { reduce<int64_t>(r); }
__global__ void reduce_any_i8(const __grid_constant__ ReduceAny r) { reduce<int8_t>(r); }
__global__ void reduce_any_u8(const __grid_constant__ ReduceAny r) { reduce<uint8_t>(r); }
__global__ void reduce_any_bool(const __grid_constant__ ReduceAny r) { reduce<bool>(r); }
}

}  // namespace tern::cuda
