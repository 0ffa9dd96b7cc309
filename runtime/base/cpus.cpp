// See cpus.h.
#include "runtime/base/cpus.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>

namespace tern {
namespace {

constexpr int kMostCpus = 1 << 16;

// Adds the CPUs of a thread's mask; 0 is the calling thread.
void add_mask(pid_t thread, std::vector<bool>& cpus) {
  for (int most = CPU_SETSIZE; most <= kMostCpus; most *= 2) {  // the system refuses a mask that is smaller than its own
    std::vector<cpu_set_t> set(static_cast<size_t>(most / CPU_SETSIZE));
    const size_t size = set.size() * sizeof(cpu_set_t);
    const bool read = sched_getaffinity(thread, size, set.data()) == 0;
    const bool too_small = !read && errno == EINVAL;
    for (int i = 0; read && i < most; ++i) {
      if (!CPU_ISSET_S(static_cast<size_t>(i), size, set.data())) continue;
      if (cpus.size() <= static_cast<size_t>(i)) cpus.resize(static_cast<size_t>(i) + 1);
      cpus[static_cast<size_t>(i)] = true;
    }
    if (!too_small) return;
  }
}

}  // namespace

std::vector<int> usable_cpus() {
  std::vector<bool> mask;
  add_mask(0, mask);
  add_mask(getpid(), mask);
  std::vector<int> cpus;
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i]) cpus.push_back(static_cast<int>(i));
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

}  // namespace tern
