// See device.h.
#include "tools/ptxsim/device/device.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

#include "runtime/base/tensor.h"
#include "runtime/cuda/modules.h"

namespace tern::cuda {
namespace {

uint64_t address(const std::byte* p) { return reinterpret_cast<uint64_t>(p); }

// PTX that stands in for a module's: softmax_softmax.ptx in the folder TERN_PTX of the environment, for kernels of another compiler, or with a planted bug.
std::string other_text(std::string name) {
  const char* folder = std::getenv("TERN_PTX");
  if (folder == nullptr) return {};
  std::replace(name.begin(), name.end(), '/', '_');
  std::ifstream file(std::string(folder) + "/" + name + ".ptx", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A machine, and the modules that were parsed for it.
struct Simulation {
  Simulation(const ptxsim::Options& o, std::span<const DeviceModule> m, Observer w) : options(o), images(m), observer(std::move(w)) {}
  const ptxsim::Options options;
  const std::span<const DeviceModule> images;
  const Observer observer;
  std::mutex mutex;  // a Machine is used by one at a time
  ptxsim::Machine machine;
  std::map<std::string, ptxsim::Module> modules;

  Result<const ptxsim::Module*> module(const char* name) {
    if (const auto at = modules.find(name); at != modules.end()) return &at->second;
    std::string text = other_text(name);
    for (const DeviceModule& m : images) {
      if (text.empty() && std::string_view(m.name) == name) text.assign(reinterpret_cast<const char*>(m.image.data()), m.image.size());
    }
    if (text.empty()) return unsupported("this build carries no module " + std::string(name));
    auto parsed = ptxsim::Module::parse(text, std::string(name) + ".ptx");
    if (!parsed) return parsed.error();
    return &modules.emplace(name, std::move(*parsed)).first->second;
  }
};

class SimulatedRun : public DeviceRun {
 public:
  SimulatedRun(std::shared_ptr<Simulation> s, std::span<const Launch> launches) : s_(std::move(s)), launches_(launches.begin(), launches.end()) {}

  bool run() noexcept override { return run_all({}); }
  bool run_timed(std::span<double> ns) noexcept override { return run_all(ns); }
  Status status() const override { return status_; }

 private:
  bool run_all(std::span<double> ns) noexcept {
    std::lock_guard lock(s_->mutex);
    for (size_t i = 0; i < launches_.size() && status_; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      status_ = execute(launches_[i]);
      if (i < ns.size()) ns[i] = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
    }
    return status_.ok();
  }

  Status execute(const Launch& l) {
    ptxsim::Machine& m = s_->machine;
    const auto bytes = static_cast<size_t>(l.bytes);
    switch (l.kind) {
      case Launch::Kind::kernel: return launch(l);
      case Launch::Kind::product: break;  // refused before
      case Launch::Kind::upload: return m.write(address(l.to), l.from, bytes);
      case Launch::Kind::download: return m.read(l.to, address(l.from), bytes);
      case Launch::Kind::copy:
      case Launch::Kind::zero: {
        std::vector<std::byte> between(bytes);
        if (l.kind == Launch::Kind::copy) {
          if (Status s = m.read(between.data(), address(l.from), bytes); !s) return s;
        }
        return m.write(address(l.to), between.data(), bytes);
      }
    }
    return {};
  }

  Status launch(const Launch& l) {
    auto module = s_->module(l.module);
    if (!module) return module.error();
    const ptxsim::Dim3 grid{l.grid.x, l.grid.y, l.grid.z}, block{l.block.x, l.block.y, l.block.z};
    auto result = s_->machine.launch(**module, l.kernel, grid, block, l.shared, l.args, s_->options);
    if (!result) return result.error();
    if (s_->observer) s_->observer(l, *result);
    if (result->findings.empty()) return {};
    std::string text = std::to_string(result->findings.size()) + " findings of the simulator";
    for (const ptxsim::Finding& f : result->findings) text += "; " + f.to_text();
    return invalid(text);
  }

  std::shared_ptr<Simulation> s_;
  std::vector<Launch> launches_;
  Status status_;
};

class SimulatedDevice : public Device {
 public:
  SimulatedDevice(const ptxsim::Options& options, std::span<const DeviceModule> modules, Observer observer)
      : s_(std::make_shared<Simulation>(options, modules, std::move(observer))) {}
  std::string name() const override { return "ptxsim"; }

  Result<Memory> allocate(size_t bytes) override {
    std::lock_guard lock(s_->mutex);
    auto at = s_->machine.allocate(std::max<size_t>(bytes, 1));
    if (!at) return at.error();
    return Memory(reinterpret_cast<std::byte*>(*at), [s = s_](std::byte* p) {
      std::lock_guard inner(s->mutex);
      s->machine.free(address(p));
    });
  }
  Result<Memory> allocate_host(size_t bytes) override {
    Memory memory = allocate_aligned(std::max<size_t>(bytes, 1));
    std::fill_n(memory.get(), bytes, std::byte());
    return memory;
  }
  Status upload(std::byte* to, std::span<const std::byte> from) override {
    std::lock_guard lock(s_->mutex);
    return from.empty() ? Status() : s_->machine.write(address(to), from.data(), from.size());
  }
  Result<std::unique_ptr<DeviceRun>> prepare(std::span<const Launch> launches, bool) override {
    std::lock_guard lock(s_->mutex);
    for (const Launch& l : launches) {
      if (l.kind == Launch::Kind::product) return unsupported("the simulated device has no cuBLAS: products by it need a GPU");
      if (l.kind != Launch::Kind::kernel) continue;
      auto module = s_->module(l.module);
      if (!module) return module.error();
      auto kernel = (*module)->find(l.kernel);
      if (!kernel) return unsupported(kernel.error().message());
      if (!kernel->unsupported.empty()) return unsupported(std::string(l.kernel) + ": the simulator cannot run " + kernel->unsupported[0]);
    }
    return std::unique_ptr<DeviceRun>(std::make_unique<SimulatedRun>(s_, launches));
  }

 private:
  std::shared_ptr<Simulation> s_;
};

}  // namespace

Result<std::shared_ptr<Device>> simulated_device(const ptxsim::Options& options, std::span<const DeviceModule> modules, Observer observer) {
  if (modules.empty()) return unsupported("this build has no CUDA kernels to simulate: build it where nvcc is (TERN_CUDA=ON)");
  return std::shared_ptr<Device>(std::make_shared<SimulatedDevice>(options, modules, std::move(observer)));
}

}  // namespace tern::cuda
