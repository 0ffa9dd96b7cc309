// Cast: y[i] = x[i] as another dtype (convert.h). Rows go by the dtype of the result.
// Next: cast.cpp (a CPU's), cast.cu and launch_cast.cpp (a device's: every dtype but text).
#pragma once
#include <stdint.h>

#include "kernels/elementwise/device.h"

namespace tern {

struct CastArgs {
  const void* x;
  void* y;
  int64_t count;
  DType from;
  char* text;  // [count, bytes of the longest number] when y is text
};

namespace cuda {

void launch_cast(const Kernel&, DType to_dtype, const CastArgs& args, Launches& to);  // the kernel goes by the dtype of the result
constexpr auto kCast = plain_rows<CastArgs, launch_cast, "elementwise/cast", "cast", "cast">(NumbersAndBool());

}  // namespace cuda

}  // namespace tern
