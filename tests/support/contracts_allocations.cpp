// See allocations.h. The interposed functions replace libc's in this executable only; glibc's own lie under other names.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "tests/support/allocations.h"

namespace {

std::atomic<bool> watching{false}, failing{false}, persistent_failure{false};
std::atomic<int64_t> watched{0}, asked{0}, first_failure{0};

void watch() {
  if (watching.load(std::memory_order_relaxed)) watched.fetch_add(1, std::memory_order_relaxed);
}

// Whether this allocation is one that fails.
[[maybe_unused]] bool fails() {
  watch();
  if (!failing.load(std::memory_order_relaxed)) return false;
  const int64_t n = asked.fetch_add(1, std::memory_order_relaxed) + 1, k = first_failure.load(std::memory_order_relaxed);
  if (k == 0 || n < k || (n > k && !persistent_failure.load(std::memory_order_relaxed))) return false;
  errno = ENOMEM;
  return true;
}

}  // namespace

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TERN_ALLOCATIONS_TAKEN  // clang links TSan's operator new statically: nothing is counted there, and nothing fails
#endif
#endif

#if defined(TERN_ALLOCATIONS_TAKEN)
#elif defined(TERN_SANITIZED)

namespace {
void* taken(std::size_t n, std::size_t alignment) {
  if (fails()) return nullptr;
  return alignment == 0 ? std::malloc(n) : std::aligned_alloc(alignment, (n + alignment - 1) / alignment * alignment);
}
void* taken_or_thrown(std::size_t n, std::size_t alignment) {
  void* p = taken(n, alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
}  // namespace
void* operator new(std::size_t n) { return taken_or_thrown(n, 0); }
void* operator new[](std::size_t n) { return taken_or_thrown(n, 0); }
void* operator new(std::size_t n, std::align_val_t a) { return taken_or_thrown(n, static_cast<std::size_t>(a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return taken(n, 0); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return taken(n, 0); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

#else

#pragma GCC visibility push(default)  // so that the C++ library calls them too
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t n) { return fails() ? nullptr : __libc_malloc(n); }
void* calloc(size_t n, size_t m) { return fails() ? nullptr : __libc_calloc(n, m); }
void* realloc(void* p, size_t n) { return fails() ? nullptr : __libc_realloc(p, n); }
void* memalign(size_t a, size_t n) { return fails() ? nullptr : __libc_memalign(a, n); }
void* aligned_alloc(size_t a, size_t n) { return fails() ? nullptr : __libc_memalign(a, n); }
int posix_memalign(void** p, size_t a, size_t n) {
  *p = fails() ? nullptr : __libc_memalign(a, n);
  return *p == nullptr ? ENOMEM : 0;
}
void free(void* p) {
  watch();
  __libc_free(p);
}
void* mmap(void* p, size_t n, int protection, int flags, int fd, off_t at) {
  if (fails()) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, p, n, protection, flags, fd, at));
}
}
#pragma GCC visibility pop

#endif

namespace tern::test {

void watch_allocations() {
  watched = 0;
  watching = true;
}
int64_t stop_watching_allocations() {
  watching = false;
  return watched;
}

void fail_allocations(int64_t k, bool persistent) {
  asked = 0;
  first_failure = k;
  persistent_failure = persistent;
  failing = true;
}
int64_t stop_failing_allocations() {
  failing = false;
  return asked;
}

}  // namespace tern::test
