// present = past, then what is new: [heads, T, width], dense; `heads` of all batches, kv_heads of one. Next: attention.cu, general.cu.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/simd.h"

namespace tern::cuda {
namespace {

template <class T>
TERN_INLINE void write_present(T* to, const T* past, const T* now, const HeadLayout& at, int64_t heads, int64_t kv_heads, int64_t P, int64_t total,
                               int64_t width) {
  const int64_t count = heads * total * width, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t d = i % width, t = i / width % total, head = i / width / total;
    to[i] = t < P ? past[(head * P + t) * width + d] : now[at.at(head / kv_heads, head % kv_heads, t - P) + d];
  }
}

}  // namespace
}  // namespace tern::cuda
