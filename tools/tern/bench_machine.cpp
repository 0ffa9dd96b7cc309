// What the system tells of a measurement: pages, locks, preemptions; and the verdict on the machine. See bench.h.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "tools/tern/bench.h"

namespace tern::command {

double canary_gflops(const Clock& clock, double seconds);

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

void Canary::sing(int bursts) {
  for (int i = 0; i < bursts; ++i) rates_.push_back(canary_gflops(clock_, 1e-3));
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
