// The comparisons. See device.h, device.cuh.
#include "kernels/elementwise/device.cuh"

namespace tern::cuda {

using namespace functions;

extern "C" {
__global__ void equal_f32(const BinaryLaunch l) {
  binary_lanes<bool>(l, [](float a, float b) { return a == b; });
}
__global__ void equal_any(const BinaryLaunch l) { binary_any<Equal{}, OtherFloats, UnsignedInts>(l); }
__global__ void less_f32(const BinaryLaunch l) {
  binary_lanes<bool>(l, [](float a, float b) { return a < b; });
}
__global__ void less_any(const BinaryLaunch l) { binary_any<Less{}, OtherFloats, Ints>(l); }
__global__ void less_or_equal_f32(const BinaryLaunch l) {
  binary_lanes<bool>(l, [](float a, float b) { return a <= b; });
}
__global__ void less_or_equal_any(const BinaryLaunch l) { binary_any<LessOrEqual{}, OtherFloats, Ints>(l); }
}

}  // namespace tern::cuda
