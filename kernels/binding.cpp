// See binding.h.
#include "kernels/binding.h"

#include <cstring>

#include "runtime/base/checked.h"

namespace tern {

const KernelRow* pick(std::span<const KernelRow* const> rows, DType dtype, Isa cap) {
  const KernelRow* best = nullptr;
  for (const KernelRow* r : rows) {
    const bool allowed = cap == Isa::cuda ? r->isa == Isa::cuda || r->isa == Isa::scalar : r->isa <= cap;
    if (r->dtype == dtype && allowed && (best == nullptr || r->isa > best->isa)) best = r;
  }
  return best;
}

std::vector<int64_t> BindContext::ints(size_t i) const {
  if (!has(i) || !in(i).known) return {};
  return as_ints(in(i)).value_or(std::vector<int64_t>());
}

BindContext::Range BindContext::range(int64_t total, int64_t grain) {
  binding_.split = true;
  const int64_t grains = ceil_div(total, grain);
  return {std::min(total, grains * part / parts * grain), std::min(total, grains * (part + 1) / parts * grain)};
}

int64_t BindContext::take(int64_t& sum, int64_t count, size_t size) {
  constexpr int64_t kMost = INT64_MAX / 2;
  const int64_t at = sum;
  auto bytes = checked_mul(count, static_cast<int64_t>(size));
  auto next = bytes && *bytes < kMost ? checked_add(sum, round_up(*bytes, kAlignment)) : std::nullopt;
  sum = next ? std::min(*next, kMost) : kMost;
  return at;
}

std::byte* BindContext::args_block(size_t size) {
  take(image_bytes_, static_cast<int64_t>(size), 1);
  binding_.blocks[0] = {std::make_unique<std::byte[]>(size), static_cast<int64_t>(size)};
  return binding_.blocks[0].bytes.get();
}

std::byte* BindContext::new_block(int64_t count, size_t size) {
  take(image_bytes_, count, size);
  if (count == 0 || image_bytes_ > table_budget) return nullptr;
  const auto bytes = static_cast<size_t>(count) * size;
  binding_.blocks.push_back({std::make_unique<std::byte[]>(bytes), static_cast<int64_t>(bytes)});
  return binding_.blocks.back().bytes.get();
}

void BindContext::refer(const void* field, Address<> to) {
  const auto at = reinterpret_cast<uintptr_t>(field);
  for (size_t b = binding_.blocks.size(); b-- > 0;) {
    const auto begin = reinterpret_cast<uintptr_t>(binding_.blocks[b].bytes.get());
    if (at < begin || at - begin >= static_cast<uintptr_t>(binding_.blocks[b].size)) continue;
    binding_.references.push_back({static_cast<uint32_t>(b), static_cast<uint32_t>(at - begin), to});
    return;
  }
  astray_ = true;
}

Result<Binding> BindContext::finish() && {
  if (image_bytes_ > table_budget) {
    return unsupported("its tables need " + std::to_string(image_bytes_) + " bytes and the budget leaves " + std::to_string(table_budget) +
                       " for them: bind smaller dimensions or raise SessionOptions::budget");
  }
  if (astray_) return invalid("bind gave an address to a field that is not in its arguments or tables");
  if (binding_.row != nullptr && binding_.blocks[0].size == 0) return invalid("bind chose a kernel and gave it no arguments");
  return std::move(binding_);
}

int64_t Binding::image_bytes() const {
  int64_t sum = 0;
  for (const Block& b : blocks) sum += round_up(b.size, kAlignment);
  return sum;
}

int64_t Binding::image_offset(const Reference& r) const {
  int64_t offset = r.at;
  for (size_t b = 0; b < r.block; ++b) offset += round_up(blocks[b].size, kAlignment);
  return offset;
}

void Binding::mark_read(std::vector<bool>& inputs) const {
  for (const Reference& r : references) {
    if (r.to.space == Space::input) inputs[r.to.index] = true;
  }
}

void link_image(const Binding& binding, std::byte* image, const std::byte* at, const Addresses& addresses) {
  std::vector<int64_t> blocks;  // where each begins in the image
  int64_t next = 0;
  for (const Binding::Block& b : binding.blocks) {
    std::memcpy(image + next, b.bytes.get(), static_cast<size_t>(b.size));
    blocks.push_back(next);
    next += round_up(b.size, kAlignment);
  }
  for (const Binding::Reference& r : binding.references) {
    const std::byte* base = nullptr;
    switch (r.to.space) {
      case Space::none: break;
      case Space::input: base = addresses.inputs[r.to.index]; break;
      case Space::output: base = addresses.outputs[r.to.index]; break;
      case Space::workspace: base = addresses.workspace; break;
      case Space::table: base = at + blocks[r.to.index]; break;
      case Space::pack: base = addresses.packs[r.to.index]; break;
      case Space::fault: base = reinterpret_cast<std::byte*>(addresses.fault); break;
    }
    const std::byte* to = base + r.to.offset;
    std::memcpy(image + blocks[r.block] + r.at, &to, sizeof to);
  }
}

Step link_step(const Binding& binding, std::byte* image, const Addresses& addresses) {
  link_image(binding, image, image, addresses);
  return {binding.row->run, image};
}

}  // namespace tern
