// Pooling of plain tensors in plain C++, every dtype. See pool.h for the arithmetic. Next: portable.cpp.
#pragma once
#include "kernels/conv/window.h"

namespace tern {

enum class PoolKind : uint8_t { max, mean, norm, global_max, global_mean, global_norm };

struct PoolArgs {
  const void* x;
  void* y;
  int64_t* indices;  // null: not asked for
  Window window;     // Global*: in alone
  PoolKind kind;
  bool include_pad, column_major;
  int64_t p;            // of the norm
  int64_t begin, end;   // (image, channel) pairs
};

template <class T>
void portable_pool(const PoolArgs& a);

}  // namespace tern
