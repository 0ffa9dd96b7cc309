// Pooling of plain tensors in plain C++, every dtype. See pool.h for the arithmetic. Next: portable.cpp.
#pragma once
#include <array>

#include "kernels/conv/window.h"
#include "kernels/row.h"

namespace tern {

enum class PoolKind : uint8_t { max, mean, norm, global_max, global_mean, global_norm };

struct PoolArgs {
  const void* x;
  void* y;
  int64_t* indices;  // null: not asked for
  Window window;     // Global*: in alone
  bool include_pad, column_major;
  int64_t p;           // of the norm
  int64_t begin, end;  // (image, channel) pairs
};

namespace portable {
extern const std::array<KernelRow, 6> kMaxPool, kGlobalMaxPool;
extern const std::array<KernelRow, 4> kAveragePool, kLpPool, kGlobalAveragePool, kGlobalLpPool;
}  // namespace portable

}  // namespace tern
