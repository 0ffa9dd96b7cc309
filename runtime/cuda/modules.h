// The kernels of *.cu that this build carries, as kernels/cuda.cmake made them; none where it found no nvcc. Next: device.h.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace tern::cuda {

struct DeviceModule {
  const char* name;  // as Launch::module: "softmax/softmax"
  std::span<const std::byte> image;
};
std::span<const DeviceModule> device_modules();  // fat binaries, in the library
// The PTX for cards of 8.0 and up, and for those of 7.5, for tools/ptxsim; not in the library.
std::span<const DeviceModule> ptx_modules();
std::span<const DeviceModule> ptx_modules_75();

}  // namespace tern::cuda
