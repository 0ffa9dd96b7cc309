// Trigonometric and hyperbolic functions, every dtype through double, but asin, acos and atan of f32. See device.h, device.cuh. Next: arithmetic.cu.
#include "kernels/elementwise/arc.h"
#include "kernels/elementwise/arc_lanes.h"
#include "kernels/elementwise/device.cuh"

namespace tern::cuda {

extern "C" {
__global__ void acos_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return acos(x); });
}
__global__ void acos_any(const UnaryLaunch a) { unary_any<portable::acos, Types<>, functions::acos_of_float>(a); }
__global__ void acosh_any(const UnaryLaunch a) { unary_any<portable::acosh>(a); }
__global__ void asin_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return asin(x); });
}
__global__ void asin_any(const UnaryLaunch a) { unary_any<portable::asin, Types<>, functions::asin_of_float>(a); }
__global__ void asinh_any(const UnaryLaunch a) { unary_any<portable::asinh>(a); }
__global__ void atan_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return atan(x); });
}
__global__ void atan_any(const UnaryLaunch a) { unary_any<portable::atan, Types<>, functions::atan_of_float>(a); }
__global__ void atanh_any(const UnaryLaunch a) { unary_any<portable::atanh>(a); }
__global__ void cos_any(const UnaryLaunch a) { unary_any<portable::cos>(a); }
__global__ void cosh_any(const UnaryLaunch a) { unary_any<portable::cosh>(a); }
__global__ void sin_any(const UnaryLaunch a) { unary_any<portable::sin>(a); }
__global__ void sinh_any(const UnaryLaunch a) { unary_any<portable::sinh>(a); }
__global__ void tan_any(const UnaryLaunch a) { unary_any<portable::tan>(a); }
}

}  // namespace tern::cuda
