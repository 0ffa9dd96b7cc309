// Arena: one block of memory that a session reserves, prefaults and (on request) locks. It lies on 2 MB pages as far as it fills them.
// Everything the hot path touches lies in it. Next: kernels/op.h.
#pragma once
#include <cstddef>

#include "tern/status.h"

namespace tern {

class Arena {
 public:
  struct Options {
    bool lock = false;        // mlock: never paged out; an error when the limit does not allow it
    bool huge_pages = false;  // its end too: the size is rounded up to 2 MB. A wish, never an error
  };
  Arena() = default;
  // Zeroed memory, every page touched. Errors: unsupported (memory short, lock refused).
  static Result<Arena> make(size_t bytes, Options options);
  static Result<Arena> make(size_t bytes) { return make(bytes, Options()); }
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();
  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  // The size of an arena that is made for so many bytes: whole pages.
  static size_t rounded(size_t bytes, Options options);

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tern
