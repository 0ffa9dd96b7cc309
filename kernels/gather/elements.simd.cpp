// GatherElements. The places of 256 elements at a time, from their indices in a loop that the compiler vectorises (-O3, CMakeLists.txt); then the
// elements, one after another. See gather.h.
#include "kernels/gather/elements.h"

#include "kernels/gather/place.h"
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

constexpr int64_t kBlock = 256;

// Elements of x from each one's own place of the indices: `stride` times the index that it names. Nonzero when one is outside of [-n, n).
template <class Index>
[[gnu::noinline]] uint32_t list_places(const Index* __restrict indices, int64_t n, int64_t stride, int64_t count, int64_t* __restrict places) {
  uint32_t fault = 0;
  for (int64_t i = 0; i < count; ++i) places[i] = place_index(indices[i], n, fault) * stride;
  return fault;
}
template <class T>
[[gnu::noinline]] void take(const T* x, int64_t step, const int64_t* places, int64_t count, T* y) {
  for (int64_t i = 0; i < count; ++i) y[i] = x[i * step + places[i]];
}

template <class T, class Index>
uint32_t gather_all(const GatherElementsArgs& a) {
  const Index* indices = static_cast<const Index*>(a.indices);
  const T* x = reinterpret_cast<const T*>(a.x);
  T* y = reinterpret_cast<T*>(a.y);
  const int last = a.rank - 1;
  int64_t at[8] = {}, offset = 0, rest = a.begin, places[kBlock];  // offset: of the row's first element
  for (int d = last; d >= 0; --d) {
    at[d] = rest % a.n[d];
    rest /= a.n[d];
    if (d < last) offset += at[d] * a.stride[d];
  }
  uint32_t fault = 0;
  for (int64_t p = a.begin; p < a.end;) {
    const int64_t in_row = a.n[last] - at[last], left = a.end - p, most = in_row < left ? in_row : left, n = most < kBlock ? most : kBlock;
    fault |= list_places(indices + p, a.axis_n, a.axis_stride, n, places);
    take(x + offset + at[last] * a.stride[last], a.stride[last], places, n, y + p);
    p += n;
    at[last] += n;
    for (int d = last; d > 0 && at[d] == a.n[d]; --d) {
      at[d] = 0;
      ++at[d - 1];
      offset += a.stride[d - 1] - (d < last ? a.n[d] * a.stride[d] : 0);
    }
  }
  return fault;
}

template <class Index>
void gather_elements(const GatherElementsArgs& a) {
  *a.fault = a.size == 1   ? gather_all<uint8_t, Index>(a)
             : a.size == 2 ? gather_all<uint16_t, Index>(a)
             : a.size == 4 ? gather_all<uint32_t, Index>(a)
                           : gather_all<uint64_t, Index>(a);
}

}  // namespace

constinit const Rows<2> gather_elements_any = {{
    row<GatherElementsArgs, gather_elements<int32_t>>("gather_elements/i32/" TERN_ISA_NAME, DType::i32, Isa::TERN_ISA),
    row<GatherElementsArgs, gather_elements<int64_t>>("gather_elements/i64/" TERN_ISA_NAME, DType::i64, Isa::TERN_ISA),
}};

}  // namespace tern::TERN_ISA
