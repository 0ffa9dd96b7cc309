// How often this process has called malloc and its kin: the command interposes them to count. Next: count_allocations.cpp.
#pragma once
#include <cstdint>

namespace tern::command {

// -1 where they cannot be counted (another C library than glibc, a sanitizer).
int64_t allocations();

}  // namespace tern::command
