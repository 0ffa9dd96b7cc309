// See workers.h.
#include "runtime/workers.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <exception>

#include "tern/flush_subnormals.h"
#include "tern/tern.h"

namespace tern {
namespace {

inline void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void futex(std::atomic<uint32_t>& word, int operation, uint32_t value) noexcept {
  static_assert(sizeof word == sizeof(uint32_t));
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

// CPUs of any number: a mask as large as it takes.
bool pin(std::thread& thread, int cpu) {
  const auto count = static_cast<size_t>(cpu) + 1;
  cpu_set_t* set = CPU_ALLOC(count);
  if (set == nullptr) return false;
  CPU_ZERO_S(CPU_ALLOC_SIZE(count), set);
  CPU_SET_S(static_cast<size_t>(cpu), CPU_ALLOC_SIZE(count), set);
  const bool done = pthread_setaffinity_np(thread.native_handle(), CPU_ALLOC_SIZE(count), set) == 0;
  CPU_FREE(set);
  return done;
}

// Behind a step that other threads share, or that comes before one.
std::vector<bool> barriers_of(std::span<const std::vector<Step>> lists) {
  const size_t steps = lists[0].size();
  auto shared = [&](size_t i) {
    return i < steps && std::any_of(lists.begin() + 1, lists.end(), [&](const std::vector<Step>& list) { return list[i].run != nullptr; });
  };
  std::vector<bool> barriers(steps);
  for (size_t i = 0; i < steps; ++i) barriers[i] = shared(i) || shared(i + 1);
  return barriers;
}

}  // namespace

// Either the sleeper sees the new count before it sleeps, or this sees the sleeper: both orders are total (seq_cst).
void Signal::raise() noexcept {
  count_.fetch_add(1);
  if (sleepers_.load() > 0) futex(count_, FUTEX_WAKE, INT_MAX);
}

void Signal::wait(uint32_t seen, Patience& patience) noexcept {
  for (int i = 0; i < patience.now; ++i) {
    if (count() != seen) return patience.paid();
    pause();
  }
  patience.was_in_vain();
  sleepers_.fetch_add(1);
  while (count_.load() == seen) futex(count_, FUTEX_WAIT, seen);
  sleepers_.fetch_sub(1);
}

// Counted, not timed, when it comes to it: a clock may be a system call, and goes on while others have the CPU.
int Signal::rounds(int microseconds) {
  using Clock = std::chrono::steady_clock;
  constexpr int kTries = 5, kRounds = 500;
  std::atomic<uint32_t> word{0};
  double best = 1e9;  // ns of a round
  for (int t = 0; t < kTries; ++t) {
    const auto begin = Clock::now();
    for (int i = 0; i < kRounds && word.load(std::memory_order_acquire) == 0; ++i) pause();
    best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / kRounds);
  }
  return static_cast<int>(std::clamp(microseconds * 1e3 / std::max(best, 0.1), 1.0, 1e9));
}

Workers::Workers(std::span<const std::vector<Step>> lists)
    : lists_(lists),
      barriers_(barriers_of(lists)),
      shares_(std::find(barriers_.begin(), barriers_.end(), true) != barriers_.end()),
      spin_(Signal::rounds(kSpinMicroseconds)),
      patience_(spin_) {}

Result<std::unique_ptr<Workers>> Workers::start(std::span<const std::vector<Step>> lists, std::span<const int> cpus) {
  std::unique_ptr<Workers> w(new Workers(lists));
  for (size_t t = 1; t < lists.size(); ++t) {
    try {
      w->threads_.emplace_back([self = w.get(), t] { self->work(t); });
    } catch (const std::exception& e) {  // no thread, or no memory for one
      return unsupported(std::string("cannot start a worker thread: ") + e.what());
    }
    if (t - 1 < cpus.size() && !pin(w->threads_.back(), cpus[t - 1])) return usage("cannot pin a worker to CPU " + std::to_string(cpus[t - 1]));
  }
  return w;
}

Workers::~Workers() {
  stop_.store(true, std::memory_order_relaxed);
  round_.raise();
  for (std::thread& t : threads_) t.join();
}

void Workers::barrier(Patience& patience) noexcept {
  const uint32_t phase = phase_.count();
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<int>(lists_.size())) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.raise();
  } else {
    phase_.wait(phase, patience);
  }
}

void Workers::execute(size_t thread, Patience& patience) noexcept {
  const std::vector<Step>& steps = lists_[thread];
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].run != nullptr) steps[i].run(steps[i].args);
    if (barriers_[i]) barrier(patience);
  }
}

void Workers::work(size_t thread) noexcept {
  FlushSubnormals flush;
  Patience between(spin_), inside(spin_);
  for (uint32_t seen = 0;; ++seen) {
    round_.wait(seen, between);
    if (stop_.load(std::memory_order_relaxed)) return;
    execute(thread, inside);
  }
}

void Workers::run() noexcept {
  if (shares_) round_.raise();
  execute(0, patience_);
}

}  // namespace tern
