// A plan on a device: the same Program as on the CPU, linked to the device's memory. Weights are uploaded once per model and device; the arena is one
// allocation. The CPU's side is one block of pinned memory, which every run copies in and out of: the spans of the API, and what steps of the CPU touch.
// Next: link_launches.cpp.
#pragma once
#include <map>
#include <mutex>

#include "runtime/cuda/device.h"
#include "runtime/plan/program.h"

namespace tern::cuda {

// The constants of one model on one device, as they are and packed; as long as a session of that model on that device lives.
class DeviceWeights {
 public:
  explicit DeviceWeights(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  Device& device() { return *device_; }
  // The packed form `tag` of `source`, made by fill (on zeroed memory of the host) and uploaded when it is not there yet.
  Result<std::byte*> find_or_upload(const Tensor& source, const std::string& tag, size_t bytes, const std::function<void(std::byte*)>& fill);
  // The source as it is.
  Result<std::byte*> find_or_upload(const Tensor& source);

 private:
  struct Uploaded {
    std::shared_ptr<const std::byte> source;  // keeps its address, the key, from being used again
    Memory memory;
  };
  std::shared_ptr<Device> device_;
  std::mutex mutex_;
  std::map<std::pair<const std::byte*, std::string>, Uploaded> uploaded_;
};

struct DevicePlan {
  std::shared_ptr<DeviceWeights> weights;
  Memory arena, host;
  struct Part {                             // one of the stretches of plan/program.h
    std::unique_ptr<DeviceRun> run;         // null: nothing there
    std::vector<uint32_t> step_of;          // of each launch: which of step_infos(), or past their end: copies in and out
    mutable std::vector<double> launch_ns;  // room for run_timed
    size_t first = 0, last = 0;             // the steps of the CPU that follow it
  };
  std::vector<Part> parts;
};

// The plan whose steps on the device are launches. `packs`: for the steps of the CPU. `block`: as Device::prepare has it.
// Errors: no memory on the device, a kernel it refuses (unsupported).
Result<Plan> link_launches(Program& program, const std::shared_ptr<DeviceWeights>& weights, PackStore& packs, bool block);

}  // namespace tern::cuda
