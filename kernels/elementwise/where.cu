// Where, by the size of an element. See where.h, device.cuh.
#include "kernels/elementwise/device.cuh"
#include "kernels/elementwise/where.h"

namespace tern::cuda {
namespace {

// U: unsigned bits of the size of an element.
template <class U>
TERN_INLINE void where(const WhereLaunch& l) {
  const uint32_t item = blockIdx.x * kElementBlock + threadIdx.x;
  if (item >= l.nest.items) return;
  const Place p = place_of(l.nest, item);
  const uint8_t* c = static_cast<const uint8_t*>(l.condition) + p.from[0];
  const U *a = static_cast<const U*>(l.a) + p.from[1], *b = static_cast<const U*>(l.b) + p.from[2];
  U* y = static_cast<U*>(l.y);
  if (!l.nest.wide) {
    y[item] = chosen(*c, *a, *b);
    return;
  }
  const uint32_t first = item * kWide;
  const bool c_moves = l.nest.stride[0][0] != 0, a_moves = l.nest.stride[1][0] != 0, b_moves = l.nest.stride[2][0] != 0;
  if (first + kWide <= l.nest.elements) {
    const Wide<uint8_t> vc = load_wide(c, c_moves);
    const Wide<U> va = load_wide(a, a_moves), vb = load_wide(b, b_moves);
    Wide<U> out;
#pragma unroll
    for (int i = 0; i < kWide; ++i) out.v[i] = chosen(vc.v[i], va.v[i], vb.v[i]);
    *reinterpret_cast<Wide<U>*>(y + first) = out;
  } else {
#pragma unroll 1
    for (uint32_t i = 0; first + i < l.nest.elements; ++i) y[first + i] = chosen(c[c_moves ? i : 0], a[a_moves ? i : 0], b[b_moves ? i : 0]);
  }
}

}  // namespace

extern "C" {
__global__ void where_8(const WhereLaunch l) { where<uint8_t>(l); }
__global__ void where_16(const WhereLaunch l) { where<uint16_t>(l); }
__global__ void where_32(const WhereLaunch l) { where<uint32_t>(l); }
__global__ void where_64(const WhereLaunch l) { where<uint64_t>(l); }
}

}  // namespace tern::cuda
