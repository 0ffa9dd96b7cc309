// Linking for a device: every binding gets the device's addresses and says what it launches. Beside it: plan/link_steps.cpp. See device_plan.h.
#include "kernels/movement/bools.h"
#include "runtime/base/checked.h"
#include "runtime/cuda/device_plan.h"

namespace tern::cuda {

Result<std::byte*> DeviceWeights::find_or_upload(const Tensor& source, const std::string& tag, size_t bytes,
                                                 const std::function<void(std::byte*)>& fill) {
  std::lock_guard lock(mutex_);
  const std::pair key(source.raw(), tag);
  if (const auto at = uploaded_.find(key); at != uploaded_.end()) return at->second.memory.get();
  auto memory = device_->allocate(bytes);
  if (!memory) return memory.error();
  const auto packed = allocate_aligned(bytes, true);
  fill(packed.get());
  if (Status s = device_->upload(memory->get(), {packed.get(), bytes}); !s) return s.error();
  return uploaded_.emplace(key, Uploaded{source.storage(), std::move(*memory)}).first->second.memory.get();
}
Result<std::byte*> DeviceWeights::find_or_upload(const Tensor& source) {
  return find_or_upload(source, "in place/" + std::to_string(source.bytes()), source.bytes(),
                        [&](std::byte* to) { std::memcpy(to, source.raw(), source.bytes()); });
}

namespace {

class Linking {
 public:
  Linking(Program& program, const std::shared_ptr<DeviceWeights>& weights) : p_(program), there_(*program.on_device), weights_(*weights) {
    device_plan_->weights = weights;
  }

  Result<Plan> run(PackStore& packs, bool block) {
    Device& device = weights_.device();
    auto arena = device.allocate(there_.arena_bytes());
    if (!arena) return arena.error();
    auto host = device.allocate_host(p_.arena_bytes());
    if (!host) return host.error();
    device_plan_->arena = std::move(*arena);
    device_plan_->host = std::move(*host);
    link_steps(p_, packs);
    plan_ = place_in(p_, device_plan_->host.get());
    image_.resize(static_cast<size_t>(there_.image_bytes));
    faults_ = take(static_cast<int64_t>(plan_.faults.size_bytes()));
    uint32_t step = 0;
    std::vector<Launches> launches;
    for (const Stretch& s : there_.stretches) {
      DevicePlan::Part part;
      if (Status done = link(s, step, part, launches.emplace_back()); !done) return done.error();
      part.first = step;
      for (size_t t = s.cpu; t < s.last; ++t) step += p_.work[p_.top[t]].row != nullptr;
      part.last = step;
      device_plan_->parts.push_back(std::move(part));
    }
    if (Status s = device.upload(on_device(0), image_); !s) return s.error();
    for (size_t i = 0; i < launches.size(); ++i) {
      if (launches[i].all().empty()) continue;
      auto prepared = device.prepare(launches[i].all(), block);
      if (!prepared) return prepared.error();
      device_plan_->parts[i].run = std::move(*prepared);
    }
    plan_.device = std::move(device_plan_);
    plan_.arena_bytes = there_.arena_bytes();
    return std::move(plan_);
  }

 private:
  // Where the next arguments and tables go, in the image.
  int64_t take(int64_t bytes) {
    const int64_t at = next_;
    next_ += round_up(bytes, kAlignment);
    return at;
  }
  std::byte* on_device(int64_t image_at) { return device_plan_->arena.get() + there_.values_bytes + image_at; }
  std::byte* address(int32_t buffer) { return buffer == kNone ? nullptr : device_plan_->arena.get() + there_.offsets[static_cast<size_t>(buffer)]; }
  Place place_of(const Work& w, ValueId v) { return v == kNone ? Place() : p_.place(w.scope, v); }

  // The launches of a stretch with the copies around them. Its words of faults are zeroed before, and afterwards copied to those of the CPU's side.
  Status link(const Stretch& s, uint32_t& step, DevicePlan::Part& part, Launches& to) {
    const auto mark = [&](uint32_t of) { part.step_of.resize(to.all().size(), of); };
    int32_t first = INT32_MAX, last = -1;
    for (size_t t = s.first; t < s.cpu; ++t) {
      for (const Work::Part& w : p_.work[p_.top[t]].parts) {
        if (w.fault != kNone) first = std::min(first, w.fault), last = w.fault;
      }
    }
    const int64_t faults = last < 0 ? 0 : (last + 1 - first) * static_cast<int64_t>(sizeof(uint32_t));
    std::byte* words = faults == 0 ? nullptr : reinterpret_cast<std::byte*>(fault(first));
    to.zero(words, faults);
    auto host = [&](int32_t buffer) { return device_plan_->host.get() + p_.buffer(buffer).offset; };
    for (const Stretch::Move& m : s.uploads) to.move(Launch::Kind::upload, address(m.buffer), host(m.buffer), p_.buffer(m.buffer).bytes);
    mark(UINT32_MAX);
    for (size_t t = s.first; t < s.cpu; ++t) {
      Work& w = p_.work[p_.top[t]];
      if (w.row == nullptr) continue;
      if (Status done = link(w, to); !done) return w.node == nullptr ? done : Status(done.error().within(p_.describe(w)));
      mark(step++);
      w.parts = std::vector<Work::Part>();  // what they said is in the image and the launches
    }
    for (const Stretch::Move& m : s.downloads) to.move(Launch::Kind::download, host(m.buffer), address(m.buffer), p_.buffer(m.buffer).bytes);
    to.move(Launch::Kind::download, faults == 0 ? nullptr : &plan_.faults[static_cast<size_t>(first)], words, faults);
    mark(UINT32_MAX);
    part.launch_ns.resize(to.all().size());
    return {};
  }

  uint32_t* fault(int32_t i) { return i == kNone ? nullptr : reinterpret_cast<uint32_t*>(on_device(faults_)) + i; }

  Result<std::byte*> resident(const Place& place) {
    if (place.constant != nullptr) return weights_.find_or_upload(*place.constant);
    return address(place.buffer);
  }

  Status link(Work& w, Launches& to) {
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
    const int64_t at = take(b.image_bytes());
    link_image(b, image_.data() + at, on_device(at), {in, out, packed, address(part.workspace), fault(part.fault)});
    b.row->launch(image_.data() + at, to);
    return {};
  }

  Program& p_;
  const Program::OnDevice& there_;
  DeviceWeights& weights_;
  std::shared_ptr<DevicePlan> device_plan_ = std::make_shared<DevicePlan>();
  Plan plan_;
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

Result<Plan> link_launches(Program& program, const std::shared_ptr<DeviceWeights>& weights, PackStore& packs, bool block) {
  return Linking(program, weights).run(packs, block);
}

}  // namespace tern::cuda
