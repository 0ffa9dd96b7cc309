// Allocations of this executable, counted and made to fail by interposed functions of the C library: malloc and its kin, free, mmap.
// Sanitizers interpose them themselves; there operator new takes their place. Next: hot_path.h.
#pragma once
#include <cstdint>

namespace tern::test {

// Counts calls, those of free too, until it is stopped, which gives their number.
void watch_allocations();
int64_t stop_watching_allocations();

// Counts allocations from now on, in all threads, and the `k`-th (from 1) fails; with `persistent` all after it too. k = 0: none.
void fail_allocations(int64_t k, bool persistent);
// Ends that; how many allocations there were.
int64_t stop_failing_allocations();

}  // namespace tern::test
