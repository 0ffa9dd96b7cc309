// See device.h.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>

#include "runtime/cuda/device_step.h"
#include "tests/support/device.h"
#include "tools/ptxsim/device/device.h"

namespace tern::test {
namespace {

constexpr int64_t kMostWork = 40'000'000;  // of a case, as work_of() counts: a second or two

std::shared_ptr<cuda::Device> the_one;  // of compute_on()

// Devices that differ in what a kernel must not depend on, and in the PTX: the last has what old cards get.
cuda::Device* device(size_t which) {
  const char* wanted = std::getenv("TERN_TEST_DEVICE");
  if (the_one != nullptr) return the_one.get();
  if (wanted == nullptr) return nullptr;
  static const auto devices = [&] {
    std::vector<Result<std::shared_ptr<cuda::Device>>> all;
    if (std::string(wanted) != "ptxsim") {
      all.push_back(cuda::open_device(wanted));
      return all;
    }
    ptxsim::Options at_wait, shuffled;
    at_wait.async = ptxsim::AsyncMode::at_wait;
    at_wait.order = ptxsim::Options::WarpOrder::descending;
    shuffled.order = ptxsim::Options::WarpOrder::shuffled;
    all.push_back(cuda::simulated_device());
    all.push_back(cuda::simulated_device(at_wait));
    all.push_back(cuda::simulated_device(shuffled, cuda::ptx_modules_75()));
    return all;
  }();
  REQUIRE_MESSAGE(devices[0].ok(), (devices[0].ok() ? "" : devices[0].error().message()));
  return devices[which % devices.size()]->get();
}

bool simulated() { return device(0)->name() == "ptxsim"; }

}  // namespace

void compute_on(std::shared_ptr<cuda::Device> d) { the_one = std::move(d); }

bool on_device() { return device(0) != nullptr; }

DeviceResult run_on_device(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, std::span<const Tensor> like, uint32_t constants,
                           const std::function<void(Launch&)>& change, Products products) {
  DeviceResult result;
  std::vector<TensorView> in, out;
  for (size_t i = 0; i < inputs.size(); ++i) in.push_back(inputs[i].view(i < 32 && (constants >> i & 1)));
  for (const Tensor& t : like) {
    result.outputs.push_back(t.present() ? *Tensor::allocate(t.dtype(), t.dims()) : Tensor());
    out.push_back(result.outputs.back().view());
  }
  if (work_of(op, {op.attrs, attrs}, in, out) > kMostWork) return result.why = "too large to simulate", result;
  auto bound = bind_op(op, {.attrs = {op.attrs, attrs}, .isa = Isa::cuda, .products = products, .inputs = in, .outputs = out});
  if (!bound) return result.why = bound.error().message(), result;
  if (bound->row == nullptr) return result.why = "nothing to do", result;
  if (bound->row->isa != Isa::cuda) return result.why = "no kernel for a device", result;
  result.row = bound->row;

  static size_t turn = 0;
  const bool young = products.precision == Precision::tf32 || products.precision == Precision::bf16;  // old cards have no such kernels
  cuda::Device& d = *device(young ? turn++ % 2 : turn++);
  auto step = cuda::make_step(d, *bound, inputs, result.outputs, !simulated());
  REQUIRE_MESSAGE(step.ok(), bound->row->name << ": " << (step.ok() ? "" : step.error().message()));
  Launches& launches = step->launches;
  size_t bytes = sizeof(uint32_t);
  for (const Tensor& t : result.outputs) bytes += t.present() ? t.bytes() : 0;
  auto host = d.allocate_host(bytes);
  REQUIRE(host.ok());
  std::byte* next = host->get();
  auto download = [&](const std::byte* from, size_t count) {
    launches.move(Launch::Kind::download, next, from, static_cast<int64_t>(count));
    next += count;
  };
  download(step->fault, sizeof(uint32_t));
  for (size_t o = 0; o < step->outputs.size(); ++o) {
    if (step->outputs[o] != nullptr) download(step->outputs[o], result.outputs[o].bytes());
  }
  std::vector<Launch> all(launches.all().begin(), launches.all().end());
  for (Launch& l : all) {
    if (change && l.kind == Launch::Kind::kernel) change(l);
  }
  auto run = d.prepare(all);
  REQUIRE_MESSAGE(run.ok(), bound->row->name << ": " << (run.ok() ? "" : run.error().message()));
  const bool ran = (*run)->run();
  REQUIRE_MESSAGE(ran, bound->row->name << ": " << (ran ? "" : (*run)->status().error().message()));
  uint32_t met = 0;
  std::memcpy(&met, host->get(), sizeof met);
  if (met != 0) result.why = bound->fault;
  next = host->get() + sizeof met;
  for (Tensor& t : result.outputs) {
    if (!t.present()) continue;
    std::memcpy(t.mutable_raw(), next, t.bytes());
    next += t.bytes();
  }
  return result;
}

}  // namespace tern::test
