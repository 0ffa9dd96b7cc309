// See pack_store.h.
#include "kernels/pack_store.h"

#include "runtime/base/tensor.h"

namespace tern {

const std::byte* PackStore::find_or_make(const Storage& source, std::string_view tag, size_t bytes,
                                         const std::function<void(std::byte*)>& fill) {
  std::lock_guard lock(mutex_);
  auto key = std::make_pair(source.get(), std::string(tag));
  if (auto at = packs_.find(key); at != packs_.end()) return at->second.data.get();
  auto data = allocate_aligned(bytes, true);
  if (!data) return nullptr;
  fill(data.get());
  return packs_.emplace(std::move(key), Packed{source, data, bytes}).first->second.data.get();
}

size_t PackStore::bytes() const {
  std::lock_guard lock(mutex_);
  size_t sum = 0;
  for (const auto& [key, packed] : packs_) sum += packed.bytes;
  return sum;
}

}  // namespace tern
