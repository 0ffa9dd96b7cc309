// Selecting kernels: every work becomes bindings, and adding their sizes says what the session needs. See program.h. Next: plan_memory.h.
#include <set>
#include <unordered_map>

#include "kernels/elementwise/bits.h"
#include "runtime/base/checked.h"
#include "runtime/plan/program.h"

namespace tern {
namespace {

// An input of bools, which the caller may have filled with any bytes, is copied as 0 and 1.
Status bind_copy_work(Work& w, bool on_device, Isa isa) {
  const TensorView bytes{DType::u8, Dims{w.copy_size}, nullptr, false, false, {}};
  BindContext c({.inputs = {&bytes, 1}, .outputs = {&bytes, 1}});
  if (w.bools && !on_device) {
    w.row = pick(rows_of<TERN_ON_EACH_ISA(copy_bool)>, DType::boolean, isa);
    UnaryArgs& a = c.args<UnaryArgs>();
    a.count = w.copy_size;
    c.set(a.x, c.input(0));
    c.set(a.y, c.output(0));
  } else {
    w.row = on_device ? w.bools ? &cuda::kPlanCopyBools : &cuda::kPlanCopy : &kPlanCopy;
    PlanCopyArgs& a = c.args<PlanCopyArgs>();
    a.bytes = static_cast<size_t>(w.copy_size);
    c.set(a.from, c.input(0));
    c.set(a.to, c.output(0));
  }
  c.run(*w.row);
  auto binding = std::move(c).finish();
  if (!binding) return binding.error();
  w.parts.push_back({std::move(*binding), kNone, kNone});
  return {};
}

// Bit i: output 0 lies on input i, or around it.
uint32_t in_place(const Program& p, const std::unordered_map<int32_t, int32_t>& wholes, const Work& w) {
  uint32_t mask = 0;
  if (w.node->outputs[0] == kNone) return mask;
  const int32_t out = p.place(w.scope, w.node->outputs[0]).buffer;
  for (size_t i = 0; i < w.node->inputs.size() && i < 32; ++i) {
    const ValueId v = w.node->inputs[i];
    const int32_t in = v == kNone ? kNone : p.place(w.scope, v).buffer;
    if (in == kNone) continue;
    const auto whole = wholes.find(in);
    if (in == out || (whole != wholes.end() && whole->second == out)) mask |= 1u << i;
  }
  return mask;
}

int64_t image_bytes(const Work& w, const Binding& b) { return static_cast<int64_t>(w.versions()) * b.image_bytes(); }

class Selection {
 public:
  explicit Selection(Program& program) : p_(program), from_device_(program.buffers.size(), false) {
    for (const Program::Inside& i : p_.insides) wholes_[i.part] = i.whole;
  }

  Status run() {
    for (Work& w : p_.work) {
      w.first_fault = static_cast<int32_t>(p_.fault_texts.size());
      work_done_ = saturated(work_done_, checked_mul(w.repeats, w.cost).value_or(INT64_MAX));
      if (w.control != nullptr) {
        if (device_only()) {
          without_kernel_.push_back(p_.describe(w));
          continue;
        }
        if (Status s = bind_control(w); !s) return s.error().within(p_.describe(w));
      } else if (w.node == nullptr) {
        const bool there = device_only() || (!w.nested && w.from.buffer != kNone && from_device_[static_cast<size_t>(w.from.buffer)]);
        if (Status s = bind_copy_work(w, there, p_.options.beside.value_or(p_.options.isa)); !s) return s;
        add_image(w, w.parts[0].binding);
      } else if (Status s = bind_node(w); !s) {
        return s.error().within(p_.describe(w));
      }
      note_side(w);
    }
    if (!without_kernel_.empty()) return no_kernels();
    if (p_.options.products.weights != WeightForm::f32 && !keeps_weights_)
      return unsupported("no product of this model has constant weights that are kept in fewer bits: leave SessionOptions::weights empty");
    const int64_t faults = round_up(static_cast<int64_t>(p_.fault_texts.size() * sizeof(uint32_t)), kAlignment);
    p_.image_bytes = saturated(p_.image_bytes, faults);
    if (p_.on_device) p_.on_device->image_bytes = saturated(p_.on_device->image_bytes, faults);
    return check_work();
  }

 private:
  bool device_only() const { return p_.on_device && !p_.options.beside; }
  // Subgraphs run where their control operator does.
  bool may_run_there(const Work& w) const { return p_.on_device && (device_only() || !w.nested); }

  // A copy runs where what it copies is.
  void note_side(const Work& w) {
    auto note = [&](const Place& to) {
      if (to.buffer != kNone) from_device_[static_cast<size_t>(to.buffer)] = w.on_device();
    };
    if (w.node == nullptr) return note(w.to);
    for (ValueId v : w.node->outputs) note(v == kNone ? Place() : p_.place(w.scope, v));
  }

  void add_image(const Work& w, const Binding& b) {
    int64_t& bytes = b.row->isa == Isa::cuda ? p_.on_device->image_bytes : p_.image_bytes;
    bytes = saturated(bytes, image_bytes(w, b));
  }

  // All of them at once: who asks for a device wants to know how far it would get.
  Error no_kernels() const {
    constexpr size_t kShown = 20;
    std::string list;
    for (size_t i = 0; i < std::min(kShown, without_kernel_.size()); ++i) list += (i ? "; " : "") + without_kernel_[i];
    if (without_kernel_.size() > kShown) list += "; and " + std::to_string(without_kernel_.size() - kShown) + " more";
    return unsupported("no kernel for a device: " + list + "; run the model on the CPU");
  }

  Status bind_control(Work& w) {
    auto binding = w.control->def->bind(p_, w);
    if (!binding) return binding.error();
    if (Status s = add(w, std::move(*binding)); !s) return s;
    const int32_t nested = p_.work[w.control->first_nested].first_fault;
    if (w.first_fault > nested) w.parts[0].fault = nested;
    return {};
  }

  Status bind_node(Work& w) {
    const Program::Views v = p_.views(w);
    const int64_t work = work_of(*w.node->op, w.node->read(), v.in, v.out);
    const int parts = w.nested || work < p_.options.least_split ? 1 : p_.options.threads;
    for (int part = 0; part < parts; ++part) {
      const bool there = may_run_there(w);
      auto bind = [&](Isa isa) {
        const int64_t images = saturated(p_.image_bytes, p_.on_device ? p_.on_device->image_bytes : 0);
        return bind_op(*w.node->op, {.attrs = w.node->read(),
                                     .isa = isa,
                                     .products = p_.options.products,
                                     .inputs = v.in,
                                     .outputs = v.out,
                                     .in_place = in_place(p_, wholes_, w),
                                     .part = part,
                                     .parts = parts,
                                     .table_budget = std::max<int64_t>(0, p_.options.budget / kTablesOfBudget - images)});
      };
      auto binding = bind(p_.on_device && !there ? *p_.options.beside : p_.options.isa);
      if (there && (binding ? binding->row != nullptr && binding->row->isa != Isa::cuda : binding.error().code() == Code::kUnsupported)) {
        if (device_only()) {
          without_kernel_.push_back(p_.describe(w) + (binding ? std::string(", ") + name(v.in.empty() ? v.out[0].dtype : v.in[0].dtype)
                                                              : ": " + binding.error().message()));
          return {};
        }
        binding = bind(*p_.options.beside);
      }
      if (!binding) return binding.error();
      if (part > 0 && !binding->split) break;
      if (Status s = add(w, std::move(*binding)); !s) return s;
    }
    work_done_ = saturated(work_done_, checked_mul(w.repeats, work).value_or(INT64_MAX));
    if (w.node->op->macs != nullptr && w.certain) {
      p_.macs = saturated(p_.macs, checked_mul(w.repeats, w.node->op->macs(w.node->read(), v.in, v.out)).value_or(INT64_MAX));
    }
    return {};
  }

  Status add(Work& w, Binding binding) {
    Work::Part part{std::move(binding), kNone, kNone};
    const Binding& b = part.binding;
    if (w.row == nullptr) w.row = b.row;
    keeps_weights_ |= b.keeps_weights;
    if (b.row != nullptr) {
      add_image(w, b);
      for (const Binding::Pack& pack : b.packs) {  // nodes and parts that ask for the same share it
        const std::byte* of = p_.place(w.scope, w.node->inputs[pack.input]).constant->raw();
        if (packs_seen_.emplace(of, pack.tag).second) p_.packed_bytes = saturated(p_.packed_bytes, pack.bytes);
      }
      if (b.workspace_bytes > p_.options.budget || p_.packed_bytes > p_.options.budget) {
        return unsupported("its workspace and packed weights need more than the budget of " + std::to_string(p_.options.budget) +
                           " bytes: raise SessionOptions::budget");
      }
      if (!b.fault.empty()) {
        part.fault = static_cast<int32_t>(p_.fault_texts.size());
        p_.fault_texts.push_back(p_.describe(w) + ": " + b.fault);
      }
      if (b.workspace_bytes > 0) {
        part.workspace = p_.add_buffer(b.workspace_bytes);
        p_.touch(part.workspace, w.position);
      }
    }
    w.parts.push_back(std::move(part));
    return {};
  }

  // Work may grow with the weights and inputs that back it, and with what the caller grants.
  Status check_work() {
    int64_t backed = 0;  // bytes of inputs and constants
    for (int32_t b : p_.inputs) backed = saturated(backed, p_.buffer(b).bytes);
    for (const Tensor* t : constants(p_.graph)) backed = saturated(backed, static_cast<int64_t>(t->bytes()));
    const int64_t budget = saturated(p_.options.work, checked_mul(backed, kWorkPerByte).value_or(INT64_MAX));
    if (work_done_ <= budget) return {};
    return unsupported("one run takes " + std::to_string(work_done_) + " operations, more than the budget of " + std::to_string(budget) +
                       " for these weights and inputs: bind smaller dimensions or raise SessionOptions::work");
  }

  Program& p_;
  std::set<std::pair<const std::byte*, std::string>> packs_seen_;
  std::unordered_map<int32_t, int32_t> wholes_;  // of buffers that lie in others: in which
  std::vector<std::string> without_kernel_;      // on a device
  std::vector<bool> from_device_;                // of buffers: the device wrote it last
  int64_t work_done_ = 0;
  bool keeps_weights_ = false;
};

}  // namespace

int64_t saturated(int64_t a, int64_t b) { return checked_add(a, b).value_or(INT64_MAX); }

int64_t Program::step_count(const std::vector<size_t>& list) const {
  return std::count_if(list.begin(), list.end(), [&](size_t i) { return work[i].row != nullptr; });
}

Program::Views Program::views(const Work& w) const {
  const Graph& g = *scopes[w.scope].graph;
  auto view = [&](ValueId v) -> TensorView {
    if (v == kNone) return {};
    const Place& p = place(w.scope, v);
    if (p.constant != nullptr) return p.constant->view(true);
    return {g.value(v).type.dtype, g.value(v).type.shape.concrete(), nullptr, false, false, g.value(v).layout};
  };
  Views views;
  views.in.reserve(w.node->inputs.size());  // thousands of them, of a Concat
  for (ValueId v : w.node->inputs) views.in.push_back(view(v));
  views.out.reserve(w.node->outputs.size());
  for (ValueId v : w.node->outputs) views.out.push_back(view(v));
  return views;
}

Status select_kernels(Program& program) { return Selection(program).run(); }

namespace {

// All buffers, of the CPU. What lies in another is not placed, but lengthens its life.
int64_t lay_out_all(Program& p) {
  for (const Program::Inside& i : p.insides) {
    p.touch(i.whole, p.buffer(i.part).first);
    p.touch(i.whole, p.buffer(i.part).last);
    p.buffer(i.part).bytes = 0;
  }
  const int64_t bytes = plan_memory(p.buffers);
  for (size_t n = p.insides.size(); n-- > 0;) {
    const Program::Inside& i = p.insides[n];
    p.buffer(i.part).offset = p.buffer(i.whole).offset + i.at;
  }
  return bytes;
}

// The buffers that lie on one side, with their offsets; returns the bytes needed.
int64_t lay_out(const Program& p, const std::vector<bool>& lies_there, auto set_offset) {
  std::vector<Buffer> some;
  for (size_t b = 0; b < p.buffers.size(); ++b) {
    if (lies_there[b]) some.push_back(p.buffers[b]);
  }
  const int64_t bytes = plan_memory(some);
  for (size_t b = 0, i = 0; b < p.buffers.size(); ++b) {
    if (lies_there[b]) set_offset(b, some[i++].offset);
  }
  return bytes + static_cast<int64_t>(kAlignment);
}

}  // namespace

Status lay_out(Program& p) {
  if (p.on_device) {
    Program::OnDevice& d = *p.on_device;
    d.offsets.resize(p.buffers.size());
    d.values_bytes = lay_out(p, d.there, [&](size_t b, int64_t offset) { d.offsets[b] = offset; });
    p.values_bytes = lay_out(p, d.here, [&](size_t b, int64_t offset) { p.buffers[b].offset = offset; });
    if (const int64_t pinned = p.values_bytes + p.image_bytes; pinned > p.options.budget) {
      return unsupported("inputs, outputs and the CPU's part need " + std::to_string(pinned) + " bytes of pinned memory, more than the budget of " +
                         std::to_string(p.options.budget) + ": bind smaller dimensions or raise SessionOptions::budget");
    }
  } else {
    p.values_bytes = lay_out_all(p) + static_cast<int64_t>(kAlignment);
  }
  const int64_t total = p.on_device ? p.on_device->values_bytes + p.on_device->image_bytes : p.values_bytes + p.image_bytes;
  if (total > p.options.budget || p.packed_bytes > p.options.budget - total) {
    return unsupported("the arena needs " + std::to_string(total) + " bytes and the packed weights " + std::to_string(p.packed_bytes) +
                       ", more than the budget of " + std::to_string(p.options.budget) + ": bind smaller dimensions or raise SessionOptions::budget");
  }
  return {};
}

}  // namespace tern
