// Pow: y = a ^ b of two dtypes that may differ, y of the dtype of a. Floats through double (portable_math.h), rounded once;
// integers with integer exponents exactly, wrapping; with float exponents through double, then as convert.h.
// A constant exponent of 2 or 3 is a product: the portable kernel gives the same bits for it. See elementwise.h.
// Next: pow.simd.cpp, pow.cpp (of integers with exponents that are floats), pow.cu and launch_where.cpp (a device's).
#pragma once
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/pow_args.h"

namespace tern {

namespace cuda {

using FloatsAndSignedInts = Types<float, double, f16, bf16, int8_t, int16_t, int32_t, int64_t>;
struct PowLaunch {
  BinaryLaunch binary;
  DType exponent;
};
void launch_pow(const Kernel&, DType dtype, const PowArgs& args, Launches& to);  // the kernel goes by both dtypes
constexpr auto kPow = plain_rows<PowArgs, launch_pow, "elementwise/pow", "pow", "pow">(FloatsAndSignedInts());

}  // namespace cuda
}  // namespace tern
