// Linking for a device: every binding gets the device's addresses and says what it launches. Beside it: plan/link_steps.cpp. See device_plan.h.
#include "kernels/movement/bools.h"
#include "runtime/base/checked.h"
#include "runtime/cuda/device_plan.h"

namespace tern::cuda {

Result<std::byte*> DeviceWeights::find_or_upload(const Tensor& source, const std::string& tag, size_t bytes,
                                                 const std::function<void(std::byte*)>& fill) {
  std::lock_guard lock(mutex_);
  const auto [at, is_new] = uploaded_.try_emplace({source.raw(), tag});
  if (is_new) {
    auto memory = device_->allocate(bytes);
    Status s = memory ? Status() : Status(memory.error());
    if (s) {
      const auto packed = allocate_aligned(bytes);
      fill(packed.get());
      s = device_->upload(memory->get(), {packed.get(), bytes});
    }
    if (!s) {
      uploaded_.erase(at);
      return s.error();
    }
    at->second = {source.storage(), std::move(*memory)};
  }
  return at->second.memory.get();
}
Result<std::byte*> DeviceWeights::find_or_upload(const Tensor& source) {
  return find_or_upload(source, "in place/" + std::to_string(source.bytes()), source.bytes(),
                        [&](std::byte* to) { std::memcpy(to, source.raw(), source.bytes()); });
}

namespace {

class Linking {
 public:
  Linking(Program& program, const std::shared_ptr<DeviceWeights>& weights) : p_(program), weights_(*weights) { device_plan_->weights = weights; }

  Result<Plan> run() {
    Device& device = weights_.device();
    auto arena = device.allocate(p_.arena_bytes());
    if (!arena) return arena.error();
    device_plan_->arena = std::move(*arena);
    image_.resize(static_cast<size_t>(p_.image_bytes));
    const auto faults = static_cast<int64_t>(p_.fault_texts.size() * sizeof(uint32_t));
    faults_ = take(faults);
    if (Status s = make_ports(faults); !s) return s.error();
    launches_.zero(on_device(faults_), faults);
    mark(UINT32_MAX);
    uint32_t step = 0;
    for (size_t i : p_.top) {
      Work& w = p_.work[i];
      if (w.row == nullptr) continue;
      if (Status s = link(w); !s) return s.error().within(p_.describe(w));
      mark(step++);
      w.parts = std::vector<Work::Part>();  // what they said is in the image and the launches
    }
    for (size_t o = 0; o < p_.outputs.size(); ++o) {
      launches_.move(Launch::Kind::download, plan_.outputs[o].data, address(p_.outputs[o]), plan_.outputs[o].bytes);
    }
    launches_.move(Launch::Kind::download, plan_.faults.data(), on_device(faults_), faults);
    mark(UINT32_MAX);
    if (Status s = device.upload(on_device(0), image_); !s) return s.error();
    auto run = device.prepare(launches_.all());
    if (!run) return run.error();
    device_plan_->run = std::move(*run);
    device_plan_->launch_ns.resize(launches_.all().size());
    plan_.device = std::move(device_plan_);
    plan_.arena_bytes = p_.arena_bytes();
    return std::move(plan_);
  }

 private:
  // Where the next arguments and tables go, in the image.
  int64_t take(int64_t bytes) {
    const int64_t at = next_;
    next_ += round_up(bytes, kAlignment);
    return at;
  }
  std::byte* on_device(int64_t image_at) { return device_plan_->arena.get() + p_.values_bytes + image_at; }
  std::byte* address(int32_t buffer) { return buffer == kNone ? nullptr : device_plan_->arena.get() + p_.buffer(buffer).offset; }
  Place place_of(const Work& w, ValueId v) { return v == kNone ? Place() : p_.place(w.scope, v); }
  // The launches that have no step yet are of this one.
  void mark(uint32_t step) { device_plan_->step_of.resize(launches_.all().size(), step); }

  // Inputs, outputs and faults in one block of pinned memory, each 64-byte aligned, and the copies of the inputs.
  Status make_ports(int64_t faults) {
    const Graph& g = p_.graph;
    auto port = [&](const std::string& name, ValueId v) {
      const Value& value = g.value(v);
      const Dims dims = value.type.shape.concrete();
      return PlanPort{name, value.type.dtype, dims, nullptr, *storage_bytes(value.type.dtype, dims)};
    };
    for (ValueId v : g.inputs) plan_.inputs.push_back(port(g.value(v).name, v));
    for (size_t o = 0; o < g.outputs.size(); ++o) plan_.outputs.push_back(port(g.output_names[o], g.outputs[o]));
    int64_t bytes = round_up(faults, kAlignment);
    for (const auto* ports : {&plan_.inputs, &plan_.outputs}) {
      for (const PlanPort& p : *ports) bytes = saturated(bytes, round_up(p.bytes, kAlignment));
    }
    if (bytes > p_.options.budget)
      return unsupported("inputs and outputs need " + std::to_string(bytes) + " bytes of pinned memory, more than the budget");
    auto host = weights_.device().allocate_host(static_cast<size_t>(std::max<int64_t>(bytes, 1)));
    if (!host) return host.error();
    device_plan_->host = std::move(*host);
    std::byte* next = device_plan_->host.get();
    plan_.faults = {reinterpret_cast<uint32_t*>(next), p_.fault_texts.size()};
    next += round_up(faults, kAlignment);
    for (auto* ports : {&plan_.inputs, &plan_.outputs}) {
      for (PlanPort& p : *ports) {
        p.data = next;
        next += round_up(p.bytes, kAlignment);
      }
    }
    for (size_t i = 0; i < p_.inputs.size(); ++i) {
      launches_.move(Launch::Kind::upload, address(p_.inputs[i]), plan_.inputs[i].data, plan_.inputs[i].bytes);
    }
    return {};
  }

  Result<std::byte*> resident(const Place& place) {
    if (place.constant != nullptr) return weights_.find_or_upload(*place.constant);
    return address(place.buffer);
  }

  Status link(Work& w) {
    std::vector<const std::byte*> in, packed;
    std::vector<std::byte*> out;
    const Binding& b = w.parts[0].binding;
    if (w.node == nullptr) {
      auto from = resident(w.from);
      if (!from) return from.error();
      in.push_back(*from);
      out.push_back(address(w.to.buffer));
    } else {
      std::vector<bool> read(w.node->inputs.size(), false);
      b.mark_read(read);
      for (size_t i = 0; i < read.size(); ++i) {
        auto at = read[i] ? resident(place_of(w, w.node->inputs[i])) : Result<std::byte*>(nullptr);
        if (!at) return at.error();
        in.push_back(*at);
      }
      for (ValueId v : w.node->outputs) out.push_back(address(place_of(w, v).buffer));
    }
    for (const Binding::Pack& pack : b.packs) {
      auto at =
          weights_.find_or_upload(*p_.place(w.scope, w.node->inputs[pack.input]).constant, pack.tag, static_cast<size_t>(pack.bytes), pack.fill);
      if (!at) return at.error();
      packed.push_back(*at);
    }
    const Work::Part& part = w.parts[0];
    auto* fault = part.fault == kNone ? nullptr : reinterpret_cast<uint32_t*>(on_device(faults_)) + part.fault;
    const int64_t at = take(b.image_bytes());
    link_image(b, image_.data() + at, on_device(at), {in, out, packed, address(part.workspace), fault});
    b.row->launch(image_.data() + at, launches_);
    return {};
  }

  Program& p_;
  DeviceWeights& weights_;
  std::shared_ptr<DevicePlan> device_plan_ = std::make_shared<DevicePlan>();
  Plan plan_;
  Launches launches_;
  std::vector<std::byte> image_;  // what the device's arena holds behind the values
  int64_t next_ = 0, faults_ = 0;
};

void copy(const PlanCopyArgs& a, Launches& to) { to.copy(a.to, a.from, static_cast<int64_t>(a.bytes)); }
void copy_bools(const PlanCopyArgs& a, Launches& to) {
  launch_bools({reinterpret_cast<const uint8_t*>(a.from), reinterpret_cast<uint8_t*>(a.to), static_cast<int64_t>(a.bytes)}, to);
}

}  // namespace

constinit const KernelRow kPlanCopy = device_row<PlanCopyArgs, copy>("copy/any/cuda", DType::none);
constinit const KernelRow kPlanCopyBools = device_row<PlanCopyArgs, copy_bools>("copy/bool/cuda", DType::boolean);

Result<Plan> link_launches(Program& program, const std::shared_ptr<DeviceWeights>& weights) { return Linking(program, weights).run(); }

}  // namespace tern::cuda
