// See workers.h.
#include "runtime/workers.h"

#include <pthread.h>
#include <sched.h>

#include <system_error>

#include "runtime/base/fp_mode.h"

namespace tern {
namespace {

inline void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Result<std::unique_ptr<Workers>> Workers::start(std::span<const std::vector<Step>> lists, std::span<const int> cpus) {
  std::unique_ptr<Workers> w(new Workers(lists));
  for (size_t t = 1; t < lists.size(); ++t) {
    try {
      w->threads_.emplace_back([self = w.get(), t] { self->work(t); });
    } catch (const std::system_error& e) {
      return unsupported(std::string("cannot start a worker thread: ") + e.what());
    }
    if (t - 1 < cpus.size()) {
      cpu_set_t set;
      CPU_ZERO(&set);
      const int cpu = cpus[t - 1];
      if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(static_cast<size_t>(cpu), &set);
      if (pthread_setaffinity_np(w->threads_.back().native_handle(), sizeof set, &set) != 0) {
        return usage("cannot pin a worker to CPU " + std::to_string(cpu));
      }
    }
  }
  return w;
}

Workers::~Workers() {
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  for (std::thread& t : threads_) t.join();
}

void Workers::barrier() noexcept {
  const uint64_t phase = phase_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<int>(lists_.size())) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
  } else {
    while (phase_.load(std::memory_order_acquire) == phase) pause();
  }
}

void Workers::execute(const std::vector<Step>& steps) noexcept {
  for (const Step& s : steps) {
    if (s.run != nullptr) s.run(s.args);
    barrier();
  }
}

void Workers::work(size_t thread) noexcept {
  FlushSubnormals flush;
  for (uint64_t seen = 0;;) {
    uint64_t now = seen;
    while ((now = round_.load(std::memory_order_acquire)) == seen) pause();
    if (stop_.load(std::memory_order_relaxed)) return;
    seen = now;
    execute(lists_[thread]);
  }
}

void Workers::run() noexcept {
  round_.fetch_add(1, std::memory_order_release);
  execute(lists_[0]);
}

}  // namespace tern
