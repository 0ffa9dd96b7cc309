// Cast: y[i] = x[i] as another dtype (convert.h). Rows go by the dtype of the result.
// Next: cast.cpp (a CPU's), cast.cu and launch_cast.cpp (a device's: every dtype but text).
#pragma once
#include <stdint.h>

#include "kernels/row.h"

namespace tern {

struct CastArgs {
  const void* x;
  void* y;
  int64_t count;
  DType from;
  char* text;  // [count, bytes of the longest number] when y is text
};

namespace cuda {
extern const KernelRow kCast[13];
}

}  // namespace tern
