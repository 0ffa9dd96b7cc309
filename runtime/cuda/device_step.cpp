// See device_step.h.
#include "runtime/cuda/device_step.h"

namespace tern::cuda {
namespace {

class Making {
 public:
  explicit Making(Device& device) : device_(device) {}

  std::byte* room(int64_t bytes) {
    if (!status) return nullptr;
    auto memory = device_.allocate(static_cast<size_t>(bytes));
    if (!memory) status = memory.error();
    return memory ? step.memory.emplace_back(std::move(*memory)).get() : nullptr;
  }
  std::byte* upload(std::span<const std::byte> from) {
    std::byte* at = room(static_cast<int64_t>(from.size()));
    if (status) status = device_.upload(at, from);
    return at;
  }

  Status status;
  DeviceStep step;

 private:
  Device& device_;
};

}  // namespace

Result<DeviceStep> make_step(Device& device, const Binding& binding, std::span<const Tensor> inputs, std::span<const Tensor> outputs, bool poison) {
  Making m(device);
  std::vector<const std::byte*> in, packs;
  std::vector<bool> read(inputs.size(), false);
  binding.mark_read(read);
  for (size_t i = 0; i < inputs.size(); ++i) in.push_back(read[i] ? m.upload({inputs[i].raw(), inputs[i].bytes()}) : nullptr);
  for (const Tensor& t : outputs) {
    const size_t bytes = t.present() ? t.bytes() : 0;
    m.step.outputs.push_back(!t.present() ? nullptr
                             : poison     ? m.upload(std::vector<std::byte>(bytes, std::byte(0xff)))
                                          : m.room(static_cast<int64_t>(bytes)));
  }
  for (const Binding::Pack& p : binding.packs) {
    const auto packed = allocate_aligned(static_cast<size_t>(p.bytes), true);
    p.fill(packed.get());
    packs.push_back(m.upload({packed.get(), static_cast<size_t>(p.bytes)}));
  }
  m.step.fault = m.upload(std::vector<std::byte>(sizeof(uint32_t)));
  std::vector<std::byte> image(static_cast<size_t>(binding.image_bytes()));
  std::byte* at = m.room(binding.image_bytes());
  std::byte* workspace = m.room(binding.workspace_bytes);
  if (!m.status) return m.status.error();
  link_image(binding, image.data(), at, {in, m.step.outputs, packs, workspace, reinterpret_cast<uint32_t*>(m.step.fault)});
  if (Status s = device.upload(at, image); !s) return s.error();
  binding.row->launch(image.data(), m.step.launches);
  return std::move(m.step);
}

}  // namespace tern::cuda
