// Operators on a device, beside the CPU: with TERN_TEST_DEVICE=ptxsim (or cuda, where there is a GPU) in the environment run_op() and the tests of rows
// compare both.
#pragma once
#include <functional>
#include <memory>

#include "kernels/evaluate.h"
#include "kernels/launch.h"

namespace tern::cuda {
class Device;
}

namespace tern::test {

// Is there a device to compare with? Fails the test when the environment asks for one that this build does not have.
bool on_device();

struct DeviceResult {
  const KernelRow* row =
      nullptr;  // null: the operator has nothing to do, or no kernel for a device (why says which dtype), or is too large to simulate
  std::string why;
  std::vector<Tensor> outputs;
};
// Binds for the device and runs what is launched. Every input, output, table, packed weight and workspace lies in an allocation of its own, so that
// the simulator sees every access beyond it; outputs begin uninitialised. Whatever it finds fails the test. Bit i of `constants`: input i may be packed.
// `change` is called with every launch, before any of them runs: for kernels that are chosen for sizes which are too large to simulate.
DeviceResult run_on_device(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, std::span<const Tensor> like, uint32_t constants,
                           const std::function<void(Launch&)>& change = {}, Products products = {});

// From here on run_on_device() computes there; null: as before.
void compute_on(std::shared_ptr<cuda::Device>);

}  // namespace tern::test
