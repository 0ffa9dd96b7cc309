// RotaryEmbedding on a device: a thread a pair of one head, or a feature that is only copied. See rotary_device.h.
#include "kernels/gather/place.h"
#include "kernels/rotary/rotary_device.h"

namespace tern::cuda {
namespace {

template <class T>
__device__ void rotary(const RotaryArgs& a) {
  const int64_t threads = a.D - a.half;  // of a head: its pairs, then the features from 2 * half on
  const int64_t number = static_cast<int64_t>(blockIdx.x) * kRotaryBlock + threadIdx.x;
  if (number >= a.end * a.heads * threads) return;
  const int64_t head_number = number / threads, i = number - head_number * threads, bs = head_number / a.heads, h = head_number - bs * a.heads;
  const int64_t b = bs / a.S, offset = b * a.batch + h * a.head + (bs - b * a.S) * a.place;
  const T* x = static_cast<const T*>(a.x) + offset;  // [D]
  T* y = static_cast<T*>(a.y) + offset;              // [D]
  uint32_t fault = 0;
  const int64_t at = (a.positions == nullptr ? bs : place_index(a.positions[bs], a.cached, fault)) * a.half;
  if (fault != 0) atomicOr(a.fault, 1u);
  if (i < a.half) turn(a.interleaved, a.half, x, y, static_cast<const T*>(a.cos) + at, static_cast<const T*>(a.sin) + at, i);
  else y[i + a.half] = x[i + a.half];
}

}  // namespace

extern "C" {
__global__ void rotary_embedding_f32(const RotaryArgs a) { rotary<float>(a); }
__global__ void rotary_embedding_f64(const RotaryArgs a) { rotary<double>(a); }
__global__ void rotary_embedding_f16(const RotaryArgs a) { rotary<f16>(a); }
__global__ void rotary_embedding_bf16(const RotaryArgs a) { rotary<bf16>(a); }
}

}  // namespace tern::cuda
