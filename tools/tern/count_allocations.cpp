// See count_allocations.h. glibc offers its allocator under a second name, so the first may be ours.
#include "tools/tern/count_allocations.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#if defined(__GLIBC__) && !defined(TERN_SANITIZED)

namespace {
std::atomic<int64_t> calls{0};
void count() { calls.fetch_add(1, std::memory_order_relaxed); }
}  // namespace

#pragma GCC visibility push(default)  // so that the C++ library calls them too
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t n) { return count(), __libc_malloc(n); }
void* calloc(size_t n, size_t size) { return count(), __libc_calloc(n, size); }
void* realloc(void* p, size_t n) { return count(), __libc_realloc(p, n); }
void* memalign(size_t alignment, size_t n) { return count(), __libc_memalign(alignment, n); }
void* aligned_alloc(size_t alignment, size_t n) { return count(), __libc_memalign(alignment, n); }
int posix_memalign(void** out, size_t alignment, size_t n) {
  count();
  *out = __libc_memalign(alignment, n);
  return *out == nullptr ? ENOMEM : 0;
}
}
#pragma GCC visibility pop

namespace tern::command {
int64_t allocations() { return calls.load(std::memory_order_relaxed); }
}  // namespace tern::command

#else

namespace tern::command {
int64_t allocations() { return -1; }
}  // namespace tern::command

#endif
