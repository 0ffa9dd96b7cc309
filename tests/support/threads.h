// The thread counts that a session may have on this machine, of those that tests want.
#pragma once
#include <vector>

#include "runtime/base/cpus.h"

namespace tern::test {

inline std::vector<int> thread_counts() { return usable_cpus().size() > 1 ? std::vector<int>{1, 2} : std::vector<int>{1}; }

}  // namespace tern::test
