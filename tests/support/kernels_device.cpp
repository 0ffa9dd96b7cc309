// See device.h.
#include <doctest/doctest.h>

#include <cstdlib>

#include "kernels/launch.h"
#include "runtime/base/checked.h"
#include "tests/support/device.h"
#include "tools/ptxsim/device/device.h"

namespace tern::test {
namespace {

constexpr int64_t kMostWork = 40'000'000;  // of a case, as work_of() counts: a second or two

// Two devices, which differ in what a kernel must not depend on.
cuda::Device* device(bool second) {
  const char* wanted = std::getenv("TERN_TEST_DEVICE");
  if (wanted == nullptr) return nullptr;
  static const auto devices = [&] {
    if (std::string(wanted) != "ptxsim") return std::array{cuda::open_device(wanted), cuda::open_device(wanted)};
    ptxsim::Options at_wait;
    at_wait.async = ptxsim::AsyncMode::at_wait;
    at_wait.order = ptxsim::Options::WarpOrder::descending;
    return std::array{cuda::simulated_device(), cuda::simulated_device(at_wait)};
  }();
  REQUIRE_MESSAGE(devices[0].ok(), (devices[0].ok() ? "" : devices[0].error().message()));
  return devices[second ? 1 : 0]->get();
}

bool simulated() { return device(false)->name() == "ptxsim"; }

class Addresses {
 public:
  explicit Addresses(cuda::Device& d) : device_(d) {}
  std::byte* room(int64_t bytes) {
    auto memory = device_.allocate(static_cast<size_t>(bytes));
    REQUIRE(memory.ok());
    return kept_.emplace_back(std::move(*memory)).get();
  }
  std::byte* upload(const void* from, int64_t bytes) {
    std::byte* at = room(bytes);
    REQUIRE(device_.upload(at, {static_cast<const std::byte*>(from), static_cast<size_t>(bytes)}).ok());
    return at;
  }

 private:
  cuda::Device& device_;
  std::vector<cuda::Memory> kept_;
};

}  // namespace

bool on_device() { return device(false) != nullptr; }

DeviceResult run_on_device(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, std::span<const Tensor> like,
                           uint32_t constants) {
  DeviceResult result;
  std::vector<TensorView> in, out;
  for (size_t i = 0; i < inputs.size(); ++i) in.push_back(inputs[i].view(i < 32 && (constants >> i & 1)));
  for (const Tensor& t : like) {
    result.outputs.push_back(t.present() ? *Tensor::allocate(t.dtype(), t.dims()) : Tensor());
    out.push_back(result.outputs.back().view());
  }
  if (work_of(op, {op.attrs, attrs}, in, out) > kMostWork) return result.why = "too large to simulate", result;
  auto bound = bind_op(op, {.attrs = {op.attrs, attrs}, .isa = Isa::cuda, .inputs = in, .outputs = out});
  if (!bound) return result.why = bound.error().message(), result;
  if (bound->row == nullptr) return result.why = "nothing to do", result;
  if (bound->row->isa != Isa::cuda) return result.why = "no kernel for a device", result;
  result.row = bound->row;

  static bool second = false;
  second = !second;
  cuda::Device& d = *device(second);
  Addresses at(d);
  std::vector<const std::byte*> from, packs;
  std::vector<std::byte*> to;
  std::vector<bool> read(inputs.size(), false);
  bound->mark_read(read);
  for (size_t i = 0; i < inputs.size(); ++i) {
    from.push_back(read[i] ? at.upload(inputs[i].raw(), static_cast<int64_t>(inputs[i].bytes())) : nullptr);
  }
  for (Tensor& t : result.outputs) {
    const auto bytes = static_cast<int64_t>(t.present() ? t.bytes() : 0);
    if (t.present() && !simulated()) {  // 0xff: NaN, where the device does not know what was never written
      std::fill_n(t.mutable_raw(), bytes, std::byte(0xff));
      to.push_back(at.upload(t.raw(), bytes));
    } else {
      to.push_back(t.present() ? at.room(bytes) : nullptr);
    }
  }
  for (const Binding::Pack& p : bound->packs) {
    std::vector<std::byte> packed(static_cast<size_t>(p.bytes));
    p.fill(packed.data());
    packs.push_back(at.upload(packed.data(), p.bytes));
  }
  const uint32_t zero = 0;
  auto* fault = reinterpret_cast<uint32_t*>(at.upload(&zero, sizeof zero));
  std::vector<std::byte> image(static_cast<size_t>(bound->image_bytes()));
  std::byte* image_at = at.room(bound->image_bytes());
  link_image(*bound, image.data(), image_at, {from, to, packs, at.room(bound->workspace_bytes), fault});
  REQUIRE(d.upload(image_at, image).ok());

  Launches launches;
  bound->row->launch(image.data(), launches);
  uint32_t met = 0;
  for (size_t o = 0; o < to.size(); ++o) {
    if (to[o] != nullptr)
      launches.move(Launch::Kind::download, result.outputs[o].mutable_raw(), to[o], static_cast<int64_t>(result.outputs[o].bytes()));
  }
  launches.move(Launch::Kind::download, &met, fault, sizeof met);
  auto run = d.prepare(launches.all());
  REQUIRE_MESSAGE(run.ok(), bound->row->name << ": " << (run.ok() ? "" : run.error().message()));
  const bool ran = (*run)->run();
  REQUIRE_MESSAGE(ran, bound->row->name << ": " << (ran ? "" : (*run)->status().error().message()));
  if (met != 0) result.why = bound->fault;
  return result;
}

}  // namespace tern::test
