// Add, Sub, Mul, Div, PRelu, and Max and Min of two. See device.h, device.cuh. Next: compare.cu, bitwise.cu, mod.cu, pow.cu, variadic.cu.
#include "kernels/elementwise/device.cuh"

namespace tern::cuda {

using namespace functions;

extern "C" {
__global__ void add_f32(const BinaryLaunch l) {
  binary_lanes<float>(l, [](float a, float b) { return a + b; });
}
__global__ void add_any(const BinaryLaunch l) { binary_any<Add{}, OtherFloats, UnsignedInts>(l); }
__global__ void div_f32(const BinaryLaunch l) {
  binary_lanes<float>(l, [](float a, float b) { return a / b; });
}
__global__ void div_any(const BinaryLaunch l) { binary_any<Div{}, OtherFloats, Ints>(l); }
__global__ void max_f32(const BinaryLaunch l) {
  binary_lanes<float>(l, [](float a, float b) { return flushed(larger(f32x16{a}, f32x16{b})).v; });
}
__global__ void max_any(const BinaryLaunch l) { binary_any<Max{}, OtherFloats, Ints>(l); }
__global__ void min_f32(const BinaryLaunch l) {
  binary_lanes<float>(l, [](float a, float b) { return flushed(smaller(f32x16{a}, f32x16{b})).v; });
}
__global__ void min_any(const BinaryLaunch l) { binary_any<Min{}, OtherFloats, Ints>(l); }
__global__ void mul_f32(const BinaryLaunch l) {
  binary_lanes<float>(l, [](float a, float b) { return a * b; });
}
__global__ void mul_any(const BinaryLaunch l) { binary_any<Mul{}, OtherFloats, UnsignedInts>(l); }
__global__ void prelu_f32(const BinaryLaunch l) {
  binary_lanes<float>(l, [](float a, float b) { return prelu(f32x16{a}, f32x16{b}).v; });
}
__global__ void prelu_any(const BinaryLaunch l) { binary_any<PRelu{}, OtherFloats, Ints>(l); }
__global__ void sub_f32(const BinaryLaunch l) {
  binary_lanes<float>(l, [](float a, float b) { return a - b; });
}
__global__ void sub_any(const BinaryLaunch l) { binary_any<Sub{}, OtherFloats, UnsignedInts>(l); }
}

}  // namespace tern::cuda
