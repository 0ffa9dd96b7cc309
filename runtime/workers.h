// Workers: the extra threads of a session with threads > 1. Who waits spins for at most kSpinMicroseconds and then sleeps until it is woken,
// so that runs in close succession wake nobody and call no system, and an idle or crowded machine is not spun on. Every step is followed by
// a barrier, but for one that the caller's thread computes alone and that it follows up alone: nobody else waits for it or is waited for.
// Next: session.cpp.
#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "kernels/op.h"
#include "tern/status.h"

namespace tern {

// How many rounds one thread spins for one thing: as many as it may while that pays, half of the last ones after they were in vain. Two
// threads on one CPU wait for each other at every step: they soon hand it over at once.
struct Patience {
  explicit Patience(int most) : most(most), now(most) {}
  void paid() noexcept { now = now < most / 2 ? 2 * now : most; }
  void was_in_vain() noexcept { now = now > most / 8 ? now / 2 : most / 16; }
  int most, now;
};

// A count that one thread raises and others wait for.
class Signal {
 public:
  uint32_t count() const noexcept { return count_.load(std::memory_order_acquire); }
  void raise() noexcept;  // a system call only when somebody sleeps
  // Returns when the count is another than `seen`: spins, then sleeps.
  void wait(uint32_t seen, Patience& patience) noexcept;
  // The rounds of spinning that take so long on this machine.
  static int rounds(int microseconds);

 private:
  alignas(64) std::atomic<uint32_t> count_{0};
  std::atomic<uint32_t> sleepers_{0};
};

class Workers {
 public:
  // lists[t] are the steps of thread t, all equally long; thread 0 is the caller's. Worker t is pinned to cpus[t - 1] when given.
  static Result<std::unique_ptr<Workers>> start(std::span<const std::vector<Step>> lists, std::span<const int> cpus);
  ~Workers();
  void run() noexcept;  // on the caller's thread; returns when every thread has finished

 private:
  explicit Workers(std::span<const std::vector<Step>> lists);
  void work(size_t thread) noexcept;
  void execute(size_t thread, Patience& patience) noexcept;
  void barrier(Patience& patience) noexcept;

  const std::span<const std::vector<Step>> lists_;
  const std::vector<bool> barriers_;  // behind which steps there is one
  const bool shares_;                 // is there any? If not, nobody is woken
  const int spin_;
  Patience patience_;  // the caller's
  std::vector<std::thread> threads_;
  Signal round_, phase_;
  alignas(64) std::atomic<int> arrived_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace tern
