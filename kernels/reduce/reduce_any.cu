// Reductions of f64 and integers on a device: reduce_portable.h as it stands, a thread an output. See reduce.h.
#include "kernels/reduce/reduce_portable.h"

namespace tern::cuda {
namespace {

template <class T>
__device__ T reduced(const ReduceAny& r, const T* x, int64_t rows) {
  switch (r.kind) {
    case ReduceKind::sum: return portable::reduce_one<T, portable::Sum>(x, r.a, rows);
    case ReduceKind::mean: return portable::reduce_one<T, portable::Mean>(x, r.a, rows);
    case ReduceKind::max: return portable::reduce_one<T, portable::Max>(x, r.a, rows);
    case ReduceKind::min: return portable::reduce_one<T, portable::Min>(x, r.a, rows);
    case ReduceKind::prod: return portable::reduce_one<T, portable::Prod>(x, r.a, rows);
    case ReduceKind::l1: return portable::reduce_one<T, portable::L1>(x, r.a, rows);
    case ReduceKind::l2: return portable::reduce_one<T, portable::L2>(x, r.a, rows);
    case ReduceKind::sum_square: return portable::reduce_one<T, portable::SumSquare>(x, r.a, rows);
  }
  return T(0);
}

template <class T>
__device__ void reduce(const ReduceAny& r) {
  const int64_t number = static_cast<int64_t>(blockIdx.x) * kReduceBlock + threadIdx.x;
  if (number >= r.a.end * r.a.inner) return;
  const int64_t o = number / r.a.inner;
  const T* x = static_cast<const T*>(r.a.x) + portable::first_of(r.a, o) + (number - o * r.a.inner);
  static_cast<T*>(r.a.y)[number] = reduced(r, x, portable::runs_of(r.a));
}

}  // namespace

extern "C" {
__global__ void reduce_any_f64(const __grid_constant__ ReduceAny r) { reduce<double>(r); }
__global__ void reduce_any_i32(const __grid_constant__ ReduceAny r) { reduce<int32_t>(r); }
__global__ void reduce_any_i64(const __grid_constant__ ReduceAny r) { reduce<int64_t>(r); }
}

}  // namespace tern::cuda
