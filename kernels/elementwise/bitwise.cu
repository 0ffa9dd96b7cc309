// And, Or, Xor of bools and integers, and the shifts. See device.h, device.cuh.
#include "kernels/elementwise/device.cuh"

namespace tern::cuda {

using namespace functions;

extern "C" {
__global__ void and_any(const BinaryLaunch l) { binary_any<And{}, UnsignedInts>(l); }
__global__ void or_any(const BinaryLaunch l) { binary_any<Or{}, UnsignedInts>(l); }
__global__ void xor_any(const BinaryLaunch l) { binary_any<Xor{}, UnsignedInts>(l); }
__global__ void shift_left_any(const BinaryLaunch l) { binary_any<Shift<true>{}, UnsignedInts>(l); }
__global__ void shift_right_any(const BinaryLaunch l) { binary_any<Shift<false>{}, UnsignedInts>(l); }
}

}  // namespace tern::cuda
