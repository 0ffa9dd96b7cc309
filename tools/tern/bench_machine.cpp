// What the system tells of a measurement: pages, locks, preemptions; and the verdict on the machine. See bench.h.
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <thread>

#include "tools/tern/bench.h"
#include "tools/tern/limits.h"

namespace tern::command {

namespace {

// The number before " kB" in a line that begins with this key.
std::optional<int64_t> kilobytes(const std::string& line, std::string_view key) {
  if (!line.starts_with(key)) return std::nullopt;
  return std::strtoll(line.c_str() + key.size(), nullptr, 10);
}

const void* somewhere_in_arena(Session& session) {
  for (const Port& p : session.inputs()) {
    if (auto bytes = session.input_bytes(p.name); !bytes.empty()) return bytes.data();
  }
  for (const Port& p : session.outputs()) {
    if (auto bytes = session.output_bytes(p.name); !bytes.empty()) return bytes.data();
  }
  return nullptr;
}

std::optional<int64_t> huge_bytes_at(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin, end;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) inside = wanted >= begin && wanted < end;
    else if (auto kb = kilobytes(line, "AnonHugePages:"); kb && inside) return *kb * 1024;
  }
  return std::nullopt;
}

std::optional<int64_t> locked_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (auto kb = kilobytes(line, "VmLck:")) return *kb * 1024;
  }
  return std::nullopt;
}

}  // namespace

Memory memory_of(Session& session, bool huge_pages, bool lock) {
  Memory m;
  if (const void* arena = huge_pages ? somewhere_in_arena(session) : nullptr) m.huge_page_bytes = huge_bytes_at(arena);
  if (lock) m.locked_bytes = locked_bytes();
  return m;
}

int64_t preemptions() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

double round_trip_ns(const Clock& clock, int cpu) {
  constexpr uint32_t kTrips = 20000, kTogether = 16;  // reading the clock takes a quarter of a trip
  constexpr double kMostNs = 2e8;                     // on a crowded machine the two may share a CPU
  struct alignas(64) Word {
    std::atomic<uint32_t> count{0};
  };
  Word there, back;
  std::atomic<bool> stop{false};
  std::thread other([&] {
    if (cpu >= 0) {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(static_cast<size_t>(cpu), &set);
      sched_setaffinity(0, sizeof set, &set);
    }
    for (uint32_t seen = 0; !stop.load(std::memory_order_relaxed);) {
      if (const uint32_t now = there.count.load(std::memory_order_acquire); now != seen) back.count.store(seen = now, std::memory_order_release);
    }
  });
  double least = kMostNs;
  uint32_t trip = 0;
  for (const uint64_t end = clock.now() + clock.ticks(kMostNs); trip < kTrips && clock.now() < end;) {
    const uint64_t before = clock.now();
    for (uint32_t i = 0; i < kTogether; ++i) {
      there.count.store(++trip, std::memory_order_release);
      for (uint32_t spun = 1; back.count.load(std::memory_order_acquire) != trip && (spun % 4096 != 0 || clock.now() < end); ++spun) {
      }
    }
    least = std::min(least, clock.ns(clock.now() - before) / kTogether);
  }
  stop.store(true, std::memory_order_relaxed);
  other.join();
  return least;
}

void Canary::sing(int bursts) {
  for (int i = 0; i < bursts; ++i) rates_.push_back(tile_gflops(clock_, Isa::avx2, 1e-3));
}

Verdict Canary::verdict(const Measured& control) const {
  std::vector<double> rates = rates_;
  std::sort(rates.begin(), rates.end());
  Verdict v;
  v.canary = rates[rates.size() / 2];
  v.slowest = rates.front();
  double lost_ns = 0;
  control.all.each([&](uint64_t ticks, uint32_t n) {
    if (const double ns = clock_.ns(ticks); ns > kInterrupted) lost_ns += ns * n;
  });
  v.lost = control.wall_ns > 0 ? std::min(1.0, lost_ns / control.wall_ns) : 0;
  v.quiet = v.slowest >= (1 - kCanaryLoss) * v.canary && v.lost <= kMostLost;
  return v;
}

}  // namespace tern::command
