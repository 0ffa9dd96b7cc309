// Device: what a session asks of a GPU: memory, pinned memory, and a plan's launches in order. The driver is one (driver.cpp), and so is the simulator
// of tools/ptxsim: the same launches, kernels and arguments. Addresses of a device are std::byte*, never dereferenced here.
// Thread safety: all functions may be called from any thread; a DeviceRun is used by one at a time. Next: driver.cpp, device_plan.h.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kernels/launch.h"
#include "runtime/cuda/modules.h"
#include "tern/status.h"

namespace tern::cuda {

// Memory on a device, or pinned on the host; freed with the last pointer.
using Memory = std::shared_ptr<std::byte>;

// A list of launches that can be run again and again.
class DeviceRun {
 public:
  virtual ~DeviceRun() = default;
  // All of them, in order, and waits for the last. Allocates nothing; the same calls whatever the values. False: it failed, as status() says, and
  // so will every run after it.
  virtual bool run() noexcept = 0;
  // The same one by one: nanoseconds of launch i into ns[i].
  virtual bool run_timed(std::span<double> ns) noexcept = 0;
  // ok, or what the last run met.
  virtual Status status() const = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;  // "NVIDIA H100 80GB HBM3, driver 12.8"
  // 256-byte aligned, contents undefined. Errors: unsupported (memory short).
  virtual Result<Memory> allocate(size_t bytes) = 0;
  virtual Result<Memory> allocate_host(size_t bytes) = 0;  // zeroed
  virtual Status upload(std::byte* to, std::span<const std::byte> from) = 0;
  // What the launches refer to must outlive the run. Errors: a kernel that this build does not carry, or the device refuses (unsupported).
  // `block`: it waits asleep, not spinning.
  virtual Result<std::unique_ptr<DeviceRun>> prepare(std::span<const Launch> launches, bool block = false) = 0;
};

// "cuda" (the first device) or "cuda:N". Errors (unsupported): this build has no kernels, no driver, an old driver or card, no such device.
// Nothing of CUDA is linked: libcuda.so.1 is opened here.
// `modules`: where the kernels of its launches are looked for: fat binaries, or PTX that ends with a 0.
Result<std::shared_ptr<Device>> open_device(std::string_view name, std::span<const DeviceModule> modules = device_modules());

}  // namespace tern::cuda
