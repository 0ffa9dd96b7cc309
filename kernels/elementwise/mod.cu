// Mod, with both signs. See device.h, device.cuh.
#include "kernels/elementwise/device.cuh"
#include "kernels/elementwise/mod.h"

namespace tern::cuda {

using namespace functions;

extern "C" {
__global__ void mod_any(const BinaryLaunch l) { binary_any<Mod{}, Floats, Ints>(l); }
__global__ void fmod_any(const BinaryLaunch l) { binary_any<Fmod{}, Floats, Ints>(l); }
}

}  // namespace tern::cuda
