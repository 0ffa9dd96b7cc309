// Arena on mmap: page-aligned, prefaulted. See arena.h.
#include "runtime/base/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "runtime/base/mapping.h"

namespace tern {

size_t Arena::rounded(size_t bytes, Options options) {
  const size_t page = options.huge_pages ? kHugePage : static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page) / page * page;
}

Result<Arena> Arena::make(size_t bytes, Options options) {
  Arena arena;
  const size_t size = rounded(bytes, options);
  std::byte* p = map_pages(size);
  if (p == nullptr) return unsupported("no memory for an arena of " + std::to_string(size) + " bytes");
  arena.data_ = p;
  arena.size_ = size;
  if (options.lock && mlock(p, size) != 0) {
    return unsupported("cannot lock " + std::to_string(size) +
                       " bytes of arena: raise RLIMIT_MEMLOCK (ulimit -l) or leave SessionOptions::lock_memory off");
  }
  prefault(p, size);
  return arena;
}

Arena::Arena(Arena&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Arena::~Arena() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace tern
