// Pow of every dtype: integers by squaring, the rest through double. See pow.h, device.cuh.
#include "kernels/elementwise/device.cuh"
#include "kernels/elementwise/pow.h"

namespace tern::cuda {
namespace {

TERN_INLINE double load_number(const void* p, int64_t i, DType dtype) {
  if (is_float_type(dtype)) return load_float(p, i, dtype);
  return dtype <= DType::i64 ? static_cast<double>(load_signed(p, i, dtype)) : static_cast<double>(load_unsigned(p, i, dtype));
}

}  // namespace

extern "C" {
__global__ void pow_float(const PowLaunch l) {
  const uint32_t item = blockIdx.x * kElementBlock + threadIdx.x;
  if (item >= l.binary.nest.items) return;
  const Place p = place_of(l.binary.nest, item);
  const double v = portable::pow(load_number(l.binary.a, p.from[0], l.binary.dtype), load_number(l.binary.b, p.from[1], l.exponent));
  with_type(l.binary.dtype, Floats(), [&]<class T>() { element<T>(l.binary.y, item) = convert<T>(v); });
  with_type(l.binary.dtype, SignedInts(), [&]<class T>() { element<T>(l.binary.y, item) = convert<T>(v); });
}
// Both are integers. A power of 64 bits holds that of fewer, in its low ones.
__global__ void pow_int(const PowLaunch l) {
  const uint32_t item = blockIdx.x * kElementBlock + threadIdx.x;
  if (item >= l.binary.nest.items) return;
  const Place p = place_of(l.binary.nest, item);
  const int64_t a = load_signed(l.binary.a, p.from[0], l.binary.dtype);
  int64_t b = 0;
  if (l.exponent <= DType::i64) {
    b = load_signed(l.binary.b, p.from[1], l.exponent);
  } else {
    b = whole_exponent(load_unsigned(l.binary.b, p.from[1], l.exponent));
  }
  int64_t v = int_pow(a, b);
  with_type(l.binary.dtype, SignedInts(), [&]<class T>() { element<T>(l.binary.y, item) = static_cast<T>(v); });
}
}

}  // namespace tern::cuda
