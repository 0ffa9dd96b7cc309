// One operator on a device, without a plan: for tests and benchmarks. Beside it: make_ready of kernels/evaluate.h. Next: link_launches.cpp.
#pragma once
#include "kernels/binding.h"
#include "runtime/cuda/device.h"

namespace tern::cuda {

// Every input, output, table, packed weight and workspace lies in an allocation of its own, so that what reaches beyond one is seen.
struct DeviceStep {
  std::vector<Memory> memory;
  Launches launches;
  std::vector<std::byte*> outputs;  // on the device; null: absent
  std::byte* fault = nullptr;       // a word on the device, zeroed now
};
// Uploads what the binding reads and links it there. `poison`: outputs are filled with 0xff bytes (NaN); else they stay as allocated.
// Precondition: binding.row is of a device. Errors as of Device.
Result<DeviceStep> make_step(Device& device, const Binding& binding, std::span<const Tensor> inputs, std::span<const Tensor> outputs, bool poison);

}  // namespace tern::cuda
