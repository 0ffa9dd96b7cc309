// The clock of the bench: the CPU's time stamp counter where it runs at one rate, else the monotonic clock. Ticks are integers;
// ns() converts. Next: bench.cpp.
#pragma once
#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace tern::command {

class Clock {
 public:
  Clock() {
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    tsc_ = __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d >> 8 & 1) != 0;
    if (!tsc_) return;
    // 20 ms give the rate to about a part in 10^5: the error of reading two clocks is some tens of nanoseconds.
    using Steady = std::chrono::steady_clock;
    const auto begin = Steady::now();
    const uint64_t first = now();
    while (Steady::now() - begin < std::chrono::milliseconds(20)) {
    }
    const uint64_t last = now();
    ns_per_tick_ = std::chrono::duration<double, std::nano>(Steady::now() - begin).count() / static_cast<double>(last - first);
#endif
  }
  // Earlier instructions are done before it reads, later ones begin after.
  uint64_t now() const {
#if defined(__x86_64__)
    if (tsc_) {
      unsigned core;
      const uint64_t t = __rdtscp(&core);
      _mm_lfence();
      return t;
    }
#endif
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
  }
  double ns(uint64_t ticks) const { return static_cast<double>(ticks) * ns_per_tick_; }
  uint64_t ticks(double ns) const { return static_cast<uint64_t>(ns / ns_per_tick_); }

 private:
  bool tsc_ = false;
  double ns_per_tick_ = 1;
};

}  // namespace tern::command
