// What `tern bench --save` keeps, and how --baseline compares with it. Next: baseline.cpp.
#pragma once
#include "tools/tern/bench.h"

namespace tern::command {

// What was measured in each block of time; nothing where a block had too few calls to tell.
struct Baseline {
  std::string file, model, isa, cpu, version, dims;
  int64_t threads = 1;
  double canary = 0;
  static constexpr const char* kKeys[] = {"min_ns", "p50_ns", "p90_ns", "p99_ns"};
  std::vector<double> values[std::size(kKeys)];
};
Baseline baseline_of(const Report& report);
Text baseline_json(const Baseline& baseline);
// Errors: no file, or one that --save has not written (invalid).
Result<Baseline> read_baseline(const std::string& path);

// A ratio of medians over the blocks, this to that. The interval holds 95 % of the ratios of 2000 pairs of samples of the blocks, drawn with
// replacement (percentile bootstrap); nothing with fewer than five blocks on either side.
struct Ratio {
  double ratio = 0;
  std::optional<std::pair<double, double>> interval;
};
std::optional<Ratio> ratio_of(std::vector<double> now, std::vector<double> then);
struct BaselineRatios {
  Baseline then;
  std::optional<Ratio> ratios[std::size(Baseline::kKeys)];
  std::vector<std::string> differences;  // "model: a.onnx, not b.onnx"
  // Is the median slower than this ratio? By the interval's lower end, where there is an interval.
  bool slower_than(double limit) const;
};
BaselineRatios compare(const Baseline& now, Baseline then);

}  // namespace tern::command
