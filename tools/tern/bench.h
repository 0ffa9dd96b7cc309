// What the files of `tern bench` share: what was measured, and what is told of it. bench.cpp measures; bench_machine.cpp asks the system; limits.h what it allows;
// bench_report.cpp prints; baseline.cpp saves and compares; bench_svg.cpp draws. Next: bench.cpp.
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tern/tern.h"
#include "tools/tern/clock.h"
#include "tools/tern/histogram.h"
#include "tools/tern/text.h"

namespace tern::command {

// Calls in blocks of equal time: how much blocks differ says how much the machine drifts, which the spread of calls does not.
struct Measured {
  explicit Measured(size_t blocks) : blocks(blocks) {}
  std::vector<Histogram> blocks;
  Histogram all;
  int64_t batch = 1;   // calls that are timed together and told as their mean
  double wall_ns = 0;  // from the first call to the end of the last, pauses included
  int64_t allocations = 0, page_faults = 0;
  int64_t preemptions = 0;  // of all threads: another program took the CPU
};

// Nanoseconds of the p-th share of calls; nothing where there are too few of them to tell: fewer than 1 / (1 - p). The median is always told.
std::optional<double> percentile_ns(const Histogram& histogram, const Clock& clock, double p);

// One row of --per-node. The medians of all rows add up to the median of the whole call, so the last row is what is between the nodes.
struct NodeTime {
  StepInfo step;
  double median_ns = 0, mean_ns = 0;
  std::optional<int64_t> bytes;  // that it reads and writes; nothing on a device
};

// What no node can be faster than: its multiply-adds at the rate of registers, and its bytes at the rate of reading as much as a whole call touches
// (weights and arena) again and again. What the node before just wrote is nearer: a small node can be above the second.
struct Limits {
  double gflops = 0, gbytes = 0;
  int64_t touched = 0;
  struct Least {
    double ns;
    bool by_memory;
  };
  Least of(const NodeTime& n) const {
    const double compute = 2 * static_cast<double>(n.step.macs) / gflops, memory = static_cast<double>(n.bytes.value_or(0)) / gbytes;
    return {std::max(compute, memory), memory > compute};
  }
};

// What tells a quiet machine: the canary's rate is the core's alone, and the control's calls do nothing.
struct Verdict {
  double canary = 0, slowest = 0;  // GFLOP/s of the median and of the slowest burst
  double lost = 0;                 // share of the control's time in calls above kInterrupted: something else ran
  bool quiet = true;
};
constexpr double kInterrupted = 1000;                  // ns; a call of nothing takes some tens
constexpr double kCanaryLoss = 0.1, kMostLost = 0.01;  // a burst slower than the median by this, or this share lost: disturbed

// The canary in bursts of a millisecond, before and after what is measured.
class Canary {
 public:
  explicit Canary(const Clock& clock) : clock_(clock) {}
  void sing(int bursts);
  Verdict verdict(const Measured& control) const;

 private:
  const Clock& clock_;
  std::vector<double> rates_;
};

// What an option about memory got. bench_machine.cpp.
struct Memory {
  std::optional<int64_t> huge_page_bytes;  // of the arena (AnonHugePages of its mapping); nothing when not asked for, or not told
  std::optional<int64_t> locked_bytes;     // of the process (VmLck)
};
Memory memory_of(Session& session, bool huge_pages, bool lock);
int64_t preemptions();  // of all threads of this process so far
// What it takes to tell another thread something and hear from it: the least of many times. The other one runs on `cpu` (-1: wherever).
double round_trip_ns(const Clock& clock, int cpu);

struct BaselineRatios;
struct Report {
  std::string model, isa, device = "cpu";
  int threads = 1;
  std::map<std::string, int64_t> dims;
  std::optional<int64_t> pin;
  std::optional<double> round_trip_ns;  // with several threads
  int64_t idle_us = 0, warm_us = 0;
  std::string weights;  // what they are kept in, where that is not f32
  bool huge_pages = false, lock = false;
  Memory memory;
  const Measured *calls = nullptr, *nothing = nullptr;
  Verdict verdict;
  const Clock* clock = nullptr;
  int64_t macs = 0, weight_bytes = 0, arena_bytes = 0;
  std::vector<NodeTime> nodes;
  std::optional<Limits> limits;  // with nodes, on the CPU
  double nodes_total_ns = 0;     // the median of whole calls, measured between those of the nodes
  const BaselineRatios* against = nullptr;
};
constexpr double kBatchBelow = 1000, kBatch = 2000;  // ns: shorter calls are timed in batches that take so long
Text report_json(const Report& report);
Text report_text(const Report& report);
std::string machine_text(const Report& report);  // "AMD EPYC 9B45, avx512, 1 thread, tern 0.1.0"

// The picture that --svg draws: durations on a logarithmic axis, counts on a logarithmic axis (a single slow call stays visible): run()
// filled, nothing as a line.
std::string latency_svg(const Report& report);

}  // namespace tern::command
