// Linking: every binding gets the addresses it refers to, as if the arena ended where the image does; those of it are noted, for place() to move.
// See program.h. Next: plan.cpp, plan_text.cpp.
#include <cstring>
#include <utility>

#include "runtime/base/checked.h"
#include "runtime/base/mapping.h"
#include "runtime/plan/program.h"

namespace tern {
namespace {

void copy_bytes(const PlanCopyArgs& a) { std::memcpy(a.to, a.from, a.bytes); }

// Of a tensor in a mapping; pages of a file in place leave the process again as the copy goes on.
void copy_out(const Tensor& from, std::byte* to) {
  constexpr size_t kPiece = size_t(1) << 20;
  for (size_t done = 0; done < from.bytes(); done += kPiece) {
    const std::span<const std::byte> piece(from.raw() + done, std::min(kPiece, from.bytes() - done));
    std::memcpy(to + done, piece.data(), piece.size());
    if (is_in_place(from.storage())) release_pages(piece);
  }
}

class Linking {
 public:
  Linking(Program& program, PackStore& packs) : p_(program), packs_(packs), image_(program.image), steps_(program.work.size()) {}

  void run() {
    image_.bytes = allocate_aligned(static_cast<size_t>(p_.image_bytes), true);
    next_ = image_.bytes.get();
    faults_ = reinterpret_cast<uint32_t*>(take(static_cast<int64_t>(p_.fault_texts.size() * sizeof(uint32_t))));
    for (size_t i = 0; i < p_.work.size(); ++i) {
      Work& w = p_.work[i];
      if (w.on_device()) continue;
      for (size_t version = 0; version < w.versions(); ++version) link_parts(w, steps_[i], version);
      w.parts = std::vector<Work::Part>();  // their bytes are in the image now
    }
    image_.addresses.shrink_to_fit();
    image_.steps.resize(static_cast<size_t>(p_.options.threads));
    for (size_t i : p_.top) {
      if (p_.work[i].row == nullptr) continue;
      for (size_t t = 0; t < image_.steps.size(); ++t) image_.steps[t].push_back(t < steps_[i].size() ? steps_[i][t] : Step{});
    }
  }

 private:
  std::byte* take(int64_t bytes) { return std::exchange(next_, next_ + round_up(bytes, kAlignment)); }

  // In an arena that ends with the image.
  std::byte* address(int32_t buffer) {
    if (buffer == kNone) return nullptr;
    const auto arena = reinterpret_cast<uintptr_t>(image_.bytes.get()) - static_cast<uintptr_t>(p_.values_bytes);
    return reinterpret_cast<std::byte*>(arena + static_cast<uintptr_t>(p_.buffer(buffer).offset));
  }
  // At `field` is an address of that arena.
  void moves(const void* field) { image_.addresses.push_back(static_cast<const std::byte*>(field) - image_.bytes.get()); }

  // What a step may read of a constant. Of a file in place it is a copy: reading it may fault a page, and its file may change.
  const std::byte* resident(const Tensor& constant) {
    if (keep_resident(constant.storage(), {constant.raw(), constant.bytes()})) return constant.raw();
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

  void link_parts(const Work& w, std::vector<Step>& steps, size_t version) {
    std::vector<const std::byte*> in;
    std::vector<bool> constant;  // of in
    std::vector<std::byte*> out;
    auto reads = [&](const Place& place, bool read = true) {
      in.push_back(read ? address(in_version(w, version, place)) : nullptr);
      constant.push_back(place.constant != nullptr);
    };
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
    for (const Work::Part& part : w.parts) {
      const Binding& b = part.binding;
      if (b.row == nullptr) {
        steps.push_back({});
        continue;
      }
      std::vector<const std::byte*> packed;
      for (const Binding::Pack& pack : b.packs) {
        const Tensor& of = *p_.place(w.scope, w.node->inputs[pack.input]).constant;
        packed.push_back(packs_.find_or_make(of, pack.tag, static_cast<size_t>(pack.bytes), pack.fill));
      }
      uint32_t* fault = part.fault == kNone ? nullptr : faults_ + part.fault;
      std::byte* image = take(b.image_bytes());
      steps.push_back(link_step(b, image, {in, out, packed, address(part.workspace), fault}));
      for (const Binding::Reference& r : b.references) {
        if (r.to.space != Space::pack && (r.to.space != Space::input || !constant[r.to.index])) moves(image + b.image_offset(r));
      }
      if (w.control != nullptr) link_lists(*w.control, version, image + round_up(b.blocks[0].size, kAlignment));
    }
  }

  // The first tables of a control operator are its lists, of which the steps are linked already.
  void link_lists(const ControlWork& control, size_t version, std::byte* table) {
    for (const ControlWork::List& list : control.lists) {
      auto* next = reinterpret_cast<Step*>(table);
      for (size_t i : list.work) {
        if (p_.work[i].row == nullptr) continue;
        *next = steps_[i][std::min(std::max(version, list.version), p_.work[i].versions() - 1)];
        moves(&next++->args);
      }
      table += round_up(p_.step_count(list.work) * static_cast<int64_t>(sizeof(Step)), kAlignment);
    }
  }

  Program& p_;
  PackStore& packs_;
  Image& image_;
  std::vector<std::vector<Step>> steps_;  // of a work: one per part, or, where buffers trade places, one for each of two versions; run == null: none
  std::byte* next_ = nullptr;             // where the next arguments and tables go
  uint32_t* faults_ = nullptr;
};

}  // namespace

constinit const KernelRow kPlanCopy = row<PlanCopyArgs, copy_bytes>("copy/any/scalar", DType::none, Isa::scalar);

void link_steps(Program& program, PackStore& packs) { Linking(program, packs).run(); }

}  // namespace tern
