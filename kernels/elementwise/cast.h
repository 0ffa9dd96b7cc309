// Cast: y[i] = x[i] as another dtype (convert.h). Rows go by the dtype of the result.
// Next: cast.simd.cpp (numbers, on a CPU), cast.cpp (text, and the operators), cast.cu and launch_cast.cpp (a device's: every dtype but text).
#pragma once
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/unary.h"

namespace tern {

namespace cuda {

void launch_cast(const Kernel&, DType to_dtype, const CastArgs& args, Launches& to);  // the kernel goes by the dtype of the result
constexpr auto kCast = plain_rows<CastArgs, launch_cast, "elementwise/cast", "cast", "cast">(NumbersAndBool());

}  // namespace cuda

}  // namespace tern
