// Pooling of plain tensors in plain C++, every dtype, and of f32 on a device. See pool.h for the arithmetic. nvcc includes it. Next: windows.h.
#pragma once
#include <array>

#include "kernels/row.h"

namespace tern {

enum class PoolKind : uint8_t { max, mean, norm, global_max, global_mean, global_norm };

// conv/window.h's, bare; on a device Int may be of 32 bits.
template <class Int>
struct PoolWindow {
  Int in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
};
struct PoolArgs {
  const void* x;
  void* y;
  int64_t* indices;            // null: not asked for
  PoolWindow<int64_t> window;  // Global*: in alone
  bool include_pad, column_major;
  int64_t p;           // of the norm
  int64_t begin, end;  // (image, channel) pairs
};

namespace portable {
extern const std::array<KernelRow, 12> kMaxPool;
extern const std::array<KernelRow, 8> kAveragePool, kLpPool, kGlobalLpPool;
extern const std::array<KernelRow, 6> kGlobalMaxPool;      // on a device
extern const std::array<KernelRow, 4> kGlobalAveragePool;  // on a device
}  // namespace portable

}  // namespace tern
