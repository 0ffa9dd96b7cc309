// Range and OneHot, a thread an element. ConstantOfShape, EyeLike, Shape and Size are copies (movement/copy.cu). See shape.h. Next: launch.cpp.
#include "kernels/any_dtype.cuh"
#include "kernels/shape/one_hot.h"
#include "kernels/shape/range.h"

namespace tern::cuda {
namespace {

using Indices = Types<int32_t, int64_t, int8_t, uint8_t, int16_t, uint16_t, uint32_t, uint64_t, float, double>;

template <class Div>
TERN_INLINE void one_hot(const OneHotLaunch<Div>& l) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kShapeBlock + threadIdx.x;
  if (i >= l.count) return;
  auto rest = static_cast<typename Div::Int>(i);
  const typename Div::Int column = take_last(rest, l.inner), d = take_last(rest, l.depth);
  const int64_t p = static_cast<int64_t>(rest) * l.of.inner + column;
  int64_t index = 0;
  with_type(l.dtype, Indices(), [&]<class T>() { index = hot_index(element<T>(l.of.indices, p), l.of.depth); });
  const bool hot = static_cast<int64_t>(d) == index;
  auto put = [&]<class U>() {
    if (l.of.size == sizeof(U)) {
      const U off = element<U>(l.of.values, 0), on = element<U>(l.of.values, 1);
      element<U>(l.of.y, i) = hot ? on : off;
    }
  };
  put.template operator()<uint8_t>();
  put.template operator()<uint16_t>();
  put.template operator()<uint32_t>();
  put.template operator()<uint64_t>();
}

}  // namespace

extern "C" {
__global__ void range_any(const RangeLaunch l) {
  const int64_t i = l.of.begin + static_cast<int64_t>(blockIdx.x) * kShapeBlock + threadIdx.x;
  if (i >= l.of.end) return;
  with_type(l.dtype, Types<float, double, f16, bf16, int16_t, int32_t, int64_t>(),
            [&]<class T>() { element<T>(l.of.y, i) = range_element<T>(l.of, i); });
}
__global__ void one_hot_any(const OneHotLaunch<FastDiv> l) { one_hot(l); }
__global__ void one_hot_large(const OneHotLaunch<WideDiv> l) { one_hot(l); }
}

}  // namespace tern::cuda
