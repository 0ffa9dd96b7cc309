// tern's Device on ptxsim: the launches of a session, executed from the PTX that nvcc emitted. What a kernel does wrong becomes the run's error.
// For the tests and the command; the library does not carry it. Next: device.cpp.
#pragma once
#include "runtime/cuda/device.h"
#include "tools/ptxsim/ptxsim.h"

namespace tern::cuda {

// Is told of every kernel that has run.
using Observer = std::function<void(const Launch&, const ptxsim::LaunchResult&)>;

// Every device has memory of its own. Errors (unsupported): this build has no kernels.
Result<std::shared_ptr<Device>> simulated_device(const ptxsim::Options& options = {}, std::span<const DeviceModule> modules = ptx_modules(),
                                                 Observer observer = {});

}  // namespace tern::cuda
