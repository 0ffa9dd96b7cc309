// The CPUs that the system lets this process run on. Next: cpu_features.h.
#pragma once
#include <vector>

namespace tern {

// In ascending order: those of the affinity mask of the calling thread or of the main one (a thread that pinned itself says nothing of
// its workers). Never empty.
std::vector<int> usable_cpus();

}  // namespace tern
