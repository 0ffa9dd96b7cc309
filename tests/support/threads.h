// The thread counts and ISAs that a session may have on this machine, of those that tests want.
#pragma once
#include <vector>

#include "runtime/base/cpu_features.h"
#include "runtime/base/cpus.h"

namespace tern::test {

inline std::vector<int> thread_counts() { return usable_cpus().size() > 1 ? std::vector<int>{1, 2} : std::vector<int>{1}; }

// Of this architecture; what this CPU cannot run is a cap.
inline std::vector<const char*> isa_names() {
  std::vector<const char*> names;
  for (Isa isa : kIsas) {
    if (of_this_architecture(isa)) names.push_back(name(isa));
  }
  return names;
}

}  // namespace tern::test
