#include "tools/ptxsim/memory.h"

#include <cstring>
#include <new>

#include "tools/ptxsim/text.h"

namespace ptxsim {
namespace {

constexpr uint64_t kGap = 1 << 20;

}  // namespace

Region* MemoryMap::find(uint64_t address) {
  auto it = regions_.upper_bound(address);
  if (it == regions_.begin()) return nullptr;
  Region& r = (--it)->second;
  return address - r.base < r.size && !r.freed ? &r : nullptr;
}

Region* MemoryMap::allocate(size_t bytes, bool initialised) {
  Region r;
  r.base = next_;
  r.size = bytes;
  r.owned.reset(new (std::nothrow) std::byte[bytes + 256]);
  if (r.owned == nullptr) return nullptr;
  const size_t off = (256 - reinterpret_cast<uintptr_t>(r.owned.get()) % 256) % 256;
  r.data = r.owned.get() + off;
  std::memset(r.data, initialised ? 0 : 0xff, bytes);  // of floats: NaN
  if (!initialised) r.written.assign(bytes, 0);
  next_ += (bytes + kGap + 0xffff) & ~uint64_t(0xffff);
  return &(regions_[r.base] = std::move(r));
}

Region* MemoryMap::map_at(uint64_t base, size_t bytes) {
  Region r;
  r.base = base;
  r.size = bytes;
  r.owned.reset(new (std::nothrow) std::byte[bytes + 16]());
  if (r.owned == nullptr) return nullptr;
  r.data = r.owned.get();
  return &(regions_[base] = std::move(r));
}

void MemoryMap::free(uint64_t address) {
  auto it = regions_.find(address);
  if (it == regions_.end()) return;
  Region& r = it->second;  // what stays says "freed" in messages
  r.freed = true;
  r.owned.reset();
  r.data = nullptr;
  r.written = {};
  r.writer.reset();
  r.reader.reset();
  r.write_stamp.reset();
  r.read_stamp.reset();
  r.wrote_at.reset();
  r.read_at.reset();
}

void MemoryMap::forget_blocks() {
  for (auto& [base, r] : regions_) {
    r.writer.reset();
    r.reader.reset();
  }
}

std::string MemoryMap::nearest(uint64_t address) const {
  auto it = regions_.upper_bound(address);
  const Region* below = it == regions_.begin() ? nullptr : &std::prev(it)->second;
  const Region* above = it == regions_.end() ? nullptr : &it->second;
  if (below != nullptr && below->freed && address - below->base < below->size)
    return "freed memory of " + std::to_string(below->size) + " bytes at " + hex(below->base);
  const uint64_t past = below != nullptr ? address - (below->base + below->size) : ~uint64_t(0),
                 before = above != nullptr ? above->base - address : ~uint64_t(0);
  if (past == ~uint64_t(0) && before == ~uint64_t(0)) return "no memory is allocated";
  if (past <= before) return std::to_string(past) + " bytes past the end of " + std::to_string(below->size) + " bytes at " + hex(below->base);
  return std::to_string(before) + " bytes before " + std::to_string(above->size) + " bytes at " + hex(above->base);
}

}  // namespace ptxsim
