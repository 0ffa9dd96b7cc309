// Proving the hot path: runs a function many times and counts what it must not do. Allocations and locks are counted by interposed
// malloc and pthread functions, page faults by the kernel, system calls by a seccomp filter that kills a forked child on the first one.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace tern::test {

struct HotPathReport {
  int64_t allocations = 0;   // calls of malloc, calloc, realloc, aligned_alloc, posix_memalign, free
  int64_t locks = 0;         // calls of pthread_mutex_lock and pthread_cond_wait
  int64_t page_faults = 0;   // minor and major
  bool system_call = false;  // the child died of one
  bool clean() const { return allocations == 0 && locks == 0 && page_faults == 0 && !system_call; }
  std::string text() const;
};

// Calls run() twice to settle lazily bound symbols, then `times` times under watch; and again in a child under the filter.
HotPathReport watch_hot_path(const std::function<void()>& run, int times);

}  // namespace tern::test
