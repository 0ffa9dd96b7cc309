// What the kernels of pool.cu read. nvcc includes it. Next: launch.cpp.
#pragma once
#include <type_traits>

#include "kernels/fast_div.h"
#include "kernels/pool/portable.h"

namespace tern {

class Launches;

namespace cuda {

constexpr int kPoolBlock = 128;  // threads: an output each; of Global*, a warp a plane

// Div is FastDiv where 31 bits number outputs, and positions in a plane with all that is added to them.
template <class Div>
struct PoolUnits {
  const void* x;
  void* y;
  int64_t* indices;
  using Int = typename Div::Int;
  PoolWindow<std::make_signed_t<Int>> window;
  Div out[3];
  Int units;
  int64_t plane, p;  // elements of a plane of x; of the norm
  bool include_pad, column_major;
};
struct GlobalPool {
  const void* x;
  void* y;
  int64_t planes, rows, cols, p;
};

template <PoolKind kKind, DType kType>
void launch_pool(const PoolArgs& a, Launches& to);

}  // namespace cuda
}  // namespace tern
