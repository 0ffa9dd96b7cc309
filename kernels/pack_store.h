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

namespace tern {

class PackStore {
 public:
  using Storage = std::shared_ptr<const std::byte>;
  // The packed form `tag` of `source`, `bytes` long, 64-byte aligned, made by fill (on zeroed memory) when it is not there yet;
  // null when memory is short. It lives as long as the store.
  const std::byte* find_or_make(const Storage& source, std::string_view tag, size_t bytes, const std::function<void(std::byte*)>& fill);
  size_t bytes() const;

 private:
  struct Packed {
    Storage source, data;  // holding the source keeps its address, the key, from being used again
    size_t bytes;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<const std::byte*, std::string>, Packed, std::less<>> packs_;
};

}  // namespace tern
