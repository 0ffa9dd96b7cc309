// Packed weights: constants re-ordered the way a kernel reads them, made once per model and shared by its sessions.
// Thread safety: all functions may be called from any thread. Next: op.h.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/base/tensor.h"

namespace tern {

class PackStore {
 public:
  // The packed form `tag` of `source`, `bytes` long, 64-byte aligned, made by fill (on zeroed memory) when it is not there yet;
  // and lives as long as the store. Pages of a file in place are released once they are packed. Throws std::bad_alloc.
  const std::byte* find_or_make(const Tensor& source, std::string_view tag, size_t bytes, const std::function<void(std::byte*)>& fill);
  size_t bytes() const;

 private:
  std::shared_ptr<std::byte> allocate(size_t bytes);
  struct Packed {
    std::shared_ptr<const std::byte> source, data;  // holding the source keeps its address, the key, from being used again
  };
  mutable std::mutex mutex_;
  std::shared_ptr<std::byte> block_;  // the packs of large models lie together, on 2 MB pages
  size_t used_ = 0, sum_ = 0;         // of the block; of all packs
  std::map<std::pair<const std::byte*, std::string>, Packed, std::less<>> packs_;
};

}  // namespace tern
