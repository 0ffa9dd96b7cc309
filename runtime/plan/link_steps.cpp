// Linking: the arena is made, and every binding gets the addresses it refers to. See program.h. Next: plan_text.cpp.
#include <cstring>

#include "runtime/base/checked.h"
#include "runtime/base/mapping.h"
#include "runtime/plan/program.h"

namespace tern {
namespace {

void copy_bytes(const PlanCopyArgs& a) { std::memcpy(a.to, a.from, a.bytes); }

// An input of bools, which the caller may have filled with any bytes: steps read a copy, in which those that are not zero are one.
void copy_bools(const PlanCopyArgs& a) {
  std::memcpy(a.to, a.from, a.bytes);
  normalize_elements(DType::boolean, a.to, static_cast<int64_t>(a.bytes));
}

// Of a tensor in a mapping, whose pages leave the process again as the copy goes on.
void copy_out(const Tensor& from, std::byte* to) {
  constexpr size_t kPiece = size_t(1) << 20;
  for (size_t done = 0; done < from.bytes(); done += kPiece) {
    const std::span<const std::byte> piece(from.raw() + done, std::min(kPiece, from.bytes() - done));
    std::memcpy(to + done, piece.data(), piece.size());
    release_pages(piece);
  }
}

class Linking {
 public:
  Linking(Program& program, PackStore& packs) : p_(program), packs_(packs) {}

  Result<Plan> run(int64_t arena_bytes) {
    auto arena = Arena::make(static_cast<size_t>(arena_bytes), p_.options.arena);
    if (!arena) return arena.error();
    plan_.arena = std::move(*arena);
    image_ = plan_.arena.data() + p_.values_bytes;
    const size_t faults = p_.fault_texts.size();
    plan_.faults = {reinterpret_cast<uint32_t*>(take(static_cast<int64_t>(faults * sizeof(uint32_t)))), faults};
    for (Work& w : p_.work) {
      for (size_t version = 0; version < w.versions(); ++version) link_parts(w, version);
      for (Work::Part& part : w.parts) part.binding = {};  // its bytes are in the arena now
    }
    finish();
    return std::move(plan_);
  }

 private:
  std::byte* take(int64_t bytes) {
    std::byte* p = image_;
    image_ += round_up(bytes, kAlignment);
    return p;
  }

  std::byte* address(int32_t buffer) { return buffer == kNone ? nullptr : plan_.arena.data() + p_.buffer(buffer).offset; }

  // What a step may read of a constant. One in a mapping is copied: reading it may fault a page, and its file may change.
  const std::byte* resident(const Tensor& constant) {
    if (!is_mapped(constant.storage())) return constant.raw();
    const std::string tag = "in place/" + std::to_string(constant.bytes());
    return packs_.find_or_make(constant, tag, constant.bytes(), [&](std::byte* to) { copy_out(constant, to); });
  }
  const std::byte* address(const Place& place) { return place.constant != nullptr ? resident(*place.constant) : address(place.buffer); }

  // Where a place is in this version of a work.
  Place in_version(const Work& w, size_t version, Place place) {
    if (version == 0 || place.buffer == kNone) return place;
    const auto& swap = p_.swaps[static_cast<size_t>(w.swap)];
    const auto at = swap.find(place.buffer);
    return at == swap.end() ? place : Place{at->second, nullptr};
  }

  Place place_of(const Work& w, ValueId v) { return v == kNone ? Place() : p_.place(w.scope, v); }

  void link_parts(Work& w, size_t version) {
    std::vector<const std::byte*> in;
    std::vector<std::byte*> out;
    auto reads = [&](const Place& place, bool read = true) { in.push_back(read ? address(in_version(w, version, place)) : nullptr); };
    auto writes = [&](const Place& place) { out.push_back(address(in_version(w, version, place).buffer)); };
    if (w.node == nullptr) {
      reads(w.from);
      writes(w.to);
    } else {
      const std::vector<Place>* own = w.control != nullptr ? &w.control->places : nullptr;
      std::vector<bool> read(own != nullptr ? own->size() : w.node->inputs.size(), false);
      for (const Work::Part& part : w.parts) part.binding.mark_read(read);
      for (size_t i = 0; i < read.size(); ++i) reads(own != nullptr ? (*own)[i] : place_of(w, w.node->inputs[i]), read[i]);
      if (own != nullptr) {
        for (const Place& place : *own) writes(place);
      } else {
        for (ValueId v : w.node->outputs) writes(place_of(w, v));
      }
    }
    for (Work::Part& part : w.parts) {
      const Binding& b = part.binding;
      if (b.row == nullptr) {
        w.steps.push_back({});
        continue;
      }
      std::vector<const std::byte*> packed;
      for (const Binding::Pack& pack : b.packs) {
        const Tensor& of = *p_.place(w.scope, w.node->inputs[pack.input]).constant;
        packed.push_back(packs_.find_or_make(of, pack.tag, static_cast<size_t>(pack.bytes), pack.fill));
      }
      uint32_t* fault = part.fault == kNone ? nullptr : &plan_.faults[static_cast<size_t>(part.fault)];
      std::byte* image = take(b.image_bytes());
      w.steps.push_back(link_step(b, image, {in, out, packed, address(part.workspace), fault}));
      if (w.control != nullptr) link_lists(*w.control, version, image + round_up(b.blocks[0].size, kAlignment));
    }
  }

  // The first tables of a control operator are its lists, of which the steps are linked already.
  void link_lists(const ControlWork& control, size_t version, std::byte* table) {
    for (const ControlWork::List& list : control.lists) {
      auto* next = reinterpret_cast<Step*>(table);
      for (size_t i : list.work) {
        const Work& inner = p_.work[i];
        if (inner.row != nullptr) *next++ = inner.steps[std::min(std::max(version, list.version), inner.versions() - 1)];
      }
      table += round_up(p_.step_count(list.work) * static_cast<int64_t>(sizeof(Step)), kAlignment);
    }
  }

  void finish() {
    plan_.steps.resize(static_cast<size_t>(p_.options.threads));
    for (size_t i : p_.top) {
      const Work& w = p_.work[i];
      const bool any = std::any_of(w.steps.begin(), w.steps.end(), [](const Step& s) { return s.run != nullptr; });
      if (!any) continue;
      for (size_t t = 0; t < plan_.steps.size(); ++t) plan_.steps[t].push_back(t < w.steps.size() ? w.steps[t] : Step{});
      plan_.infos.push_back(step_info(p_, w));
    }
    const Graph& g = p_.graph;
    auto port = [&](const std::string& name, ValueId v, int32_t buffer) {
      const Value& value = g.value(v);
      const Dims dims = value.type.shape.concrete();
      return PlanPort{name, value.type.dtype, dims, address(buffer), *storage_bytes(value.type.dtype, dims)};
    };
    for (size_t i = 0; i < g.inputs.size(); ++i) plan_.inputs.push_back(port(g.value(g.inputs[i]).name, g.inputs[i], p_.inputs[i]));
    for (size_t o = 0; o < g.outputs.size(); ++o) plan_.outputs.push_back(port(g.output_names[o], g.outputs[o], p_.outputs[o]));
    plan_.fault_texts = std::move(p_.fault_texts);
    plan_.macs = p_.macs;
    plan_.arena_bytes = plan_.arena.size();
  }

  Program& p_;
  PackStore& packs_;
  Plan plan_;
  std::byte* image_ = nullptr;  // where the next arguments and tables go
};

}  // namespace

constinit const KernelRow kPlanCopy = row<PlanCopyArgs, copy_bytes>("copy/any/scalar", DType::none, Isa::scalar);
constinit const KernelRow kPlanCopyBools = row<PlanCopyArgs, copy_bools>("copy/bool/scalar", DType::boolean, Isa::scalar);

StepInfo step_info(const Program& p, const Work& w) {
  StepInfo s;
  s.kernel = w.row == nullptr ? "" : w.row->name;
  if (w.node == nullptr) {
    s.op = "Copy";
    return s;
  }
  const Graph& g = *p.scopes[w.scope].graph;
  s.node = w.node->name;
  const bool first = !w.node->outputs.empty() && w.node->outputs[0] != kNone;
  if (s.node.empty() && first) s.node = "@" + g.value(w.node->outputs[0]).name;
  s.op = w.node->op->name;
  if (first) {
    const Dims dims = g.value(w.node->outputs[0]).type.shape.concrete();
    s.shape.assign(dims.span().begin(), dims.span().end());
  }
  if (w.node->op->macs != nullptr) {
    const Program::Views v = p.views(w);
    s.macs = w.node->op->macs(w.node->read(), v.in, v.out);
  }
  return s;
}

Result<Plan> link_steps(Program& program, int64_t arena_bytes, PackStore& packs) { return Linking(program, packs).run(arena_bytes); }

}  // namespace tern
