// See pack_store.h.
#include "kernels/pack_store.h"

#include <utility>

#include "runtime/base/mapping.h"

namespace tern {

// So much is a small model, of which half-empty large pages would be a large part. Where one gets a large page that takes less time than 50 small ones
// (Zen 4, a virtual machine, Linux 6.18): 40 us.
constexpr size_t kSmall = size_t(256) << 10;

// Each alone on the heap while the model is small; then in blocks, whose last pages nobody touches.
std::shared_ptr<std::byte> PackStore::allocate(size_t bytes) {
  constexpr size_t kBlock = size_t(16) << 20;
  const size_t size = (bytes + 2 * kAlignment - 1) / kAlignment * kAlignment;
  sum_ += bytes;
  if (sum_ < kSmall || size >= kHugePage) return allocate_aligned(bytes, true);
  if (block_ == nullptr || kBlock - used_ < size) {
    block_ = allocate_aligned(kBlock);
    used_ = 0;
  }
  std::byte* begin = block_.get() + std::exchange(used_, used_ + size);
  prefault(begin, size);
  return {block_, begin};
}

const std::byte* PackStore::find_or_make(const Tensor& source, std::string_view tag, size_t bytes, const std::function<void(std::byte*)>& fill) {
  std::lock_guard lock(mutex_);
  auto key = std::make_pair(source.raw(), std::string(tag));
  if (auto at = packs_.find(key); at != packs_.end()) return at->second.data.get();
  auto data = allocate(bytes);
  fill(data.get());
  if (is_in_place(source.storage())) release_pages({source.raw(), source.bytes()});
  return packs_.emplace(std::move(key), Packed{source.storage(), data}).first->second.data.get();
}

size_t PackStore::bytes() const {
  std::lock_guard lock(mutex_);
  return sum_;
}

}  // namespace tern
