// See pack_store.h.
#include "kernels/pack_store.h"

#include "runtime/base/mapping.h"

namespace tern {

const std::byte* PackStore::find_or_make(const Tensor& source, std::string_view tag, size_t bytes, const std::function<void(std::byte*)>& fill) {
  std::lock_guard lock(mutex_);
  auto key = std::make_pair(source.raw(), std::string(tag));
  if (auto at = packs_.find(key); at != packs_.end()) return at->second.data.get();
  auto data = allocate_aligned(bytes, true);
  fill(data.get());
  if (is_mapped(source.storage())) release_pages({source.raw(), source.bytes()});
  return packs_.emplace(std::move(key), Packed{source.storage(), data, bytes}).first->second.data.get();
}

size_t PackStore::bytes() const {
  std::lock_guard lock(mutex_);
  size_t sum = 0;
  for (const auto& [key, packed] : packs_) sum += packed.bytes;
  return sum;
}

}  // namespace tern
