// The unary kernels that are no activations. See device.h, device.cuh. Next: activations.cu.
#include "kernels/elementwise/device.cuh"

namespace tern::cuda {

using namespace functions;

extern "C" {
__global__ void abs_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return abs(x); });
}
__global__ void abs_any(const UnaryLaunch a) { unary_any<Abs{}, Ints>(a); }
__global__ void ceil_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return ceil(x); });
}
__global__ void ceil_any(const UnaryLaunch a) { unary_any<portable::ceil>(a); }
__global__ void exp_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return exp(x); });
}
__global__ void exp_any(const UnaryLaunch a) { unary_any<portable::exp>(a); }
__global__ void floor_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return floor(x); });
}
__global__ void floor_any(const UnaryLaunch a) { unary_any<portable::floor>(a); }
__global__ void log_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return log(x); });
}
__global__ void log_any(const UnaryLaunch a) { unary_any<portable::log>(a); }
__global__ void neg_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return neg(x); });
}
__global__ void neg_any(const UnaryLaunch a) { unary_any<Neg{}, SignedInts>(a); }
__global__ void reciprocal_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return reciprocal(x); });
}
__global__ void reciprocal_any(const UnaryLaunch a) { unary_any<functions::reciprocal>(a); }
__global__ void round_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return round_even(x); });
}
__global__ void round_any(const UnaryLaunch a) { unary_any<portable::round_even>(a); }
__global__ void shrink_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x, float lambda, float bias) { return shrink(x, lambda, bias); });
}
__global__ void shrink_any(const UnaryLaunch a) { unary_any<Shrink{}, Ints>(a); }
__global__ void sign_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return sign(x); });
}
__global__ void sign_any(const UnaryLaunch a) { unary_any<Sign{}, Ints>(a); }
__global__ void sqrt_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return sqrt(x); });
}
__global__ void sqrt_any(const UnaryLaunch a) { unary_any<functions::sqrt>(a); }

__global__ void is_inf_any(const UnaryLaunch a) { unary_any<is_inf>(a); }
__global__ void is_nan_any(const UnaryLaunch a) { unary_any<is_nan>(a); }
__global__ void bitwise_not_any(const UnaryLaunch a) { unary_any<BitwiseNot{}, Ints>(a); }
__global__ void not_any(const UnaryLaunch a) { unary_any<Not{}, Types<bool>>(a); }
}

}  // namespace tern::cuda
