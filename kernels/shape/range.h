// One element of Range, on a CPU and on a device. Next: fill.cpp (a CPU's), shape.cu and launch.cpp (a device's).
#pragma once
#include <type_traits>

#include "kernels/row.h"
#include "runtime/base/half.h"

namespace tern {

template <class T>
using Arithmetic = std::conditional_t<std::is_same_v<T, f16> || std::is_same_v<T, bf16>, float, T>;

struct RangeArgs {
  void* y;
  int64_t begin, end;
  double start, delta;     // floats
  int64_t istart, idelta;  // integers
};
template <class T>
TERN_HD inline T range_element(const RangeArgs& a, int64_t i) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<uint64_t>(a.istart) + static_cast<uint64_t>(i) * static_cast<uint64_t>(a.idelta));
  } else {
    using A = Arithmetic<T>;
    const A v = static_cast<A>(a.start) + static_cast<A>(i) * static_cast<A>(a.delta);
    if constexpr (std::is_same_v<T, f16>) return to_f16(v);
    else if constexpr (std::is_same_v<T, bf16>) return to_bf16(v);
    else return v;
  }
}

namespace cuda {

constexpr int kShapeBlock = 256;  // threads
struct RangeLaunch {
  RangeArgs of;
  DType dtype;
};
extern const KernelRow kRangeRows[7];

}  // namespace cuda
}  // namespace tern
