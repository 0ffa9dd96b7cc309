// A histogram of durations in ticks: exact below 2048, then 1024 buckets a power of two (0.1 %). All memory is taken and touched
// when it is made, so that counting neither allocates nor faults. Next: bench.cpp.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace tern::command {

// Of a few numbers, which it reorders; the upper one of the two in the middle. Precondition: not empty.
inline double median(std::vector<double>& v) {
  const auto middle = v.begin() + static_cast<int64_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

class Histogram {
 public:
  Histogram() : counts_(kBuckets, 1) { std::fill(counts_.begin(), counts_.end(), 0u); }
  void add(uint64_t ticks) noexcept {
    ++counts_[bucket(ticks)];
    ++runs_;
    sum_ += ticks;
    min_ = std::min(min_, ticks);
    max_ = std::max(max_, ticks);
  }
  void add(const Histogram& other) {
    for (size_t b = 0; b < kBuckets; ++b) counts_[b] += other.counts_[b];
    runs_ += other.runs_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
  }
  uint64_t runs() const { return runs_; }
  uint64_t min() const { return runs_ ? min_ : 0; }
  uint64_t max() const { return max_; }
  double mean() const { return runs_ ? static_cast<double>(sum_) / static_cast<double>(runs_) : 0; }
  // The smallest duration that a share p of the runs does not exceed.
  uint64_t percentile(double p) const {
    const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(p * static_cast<double>(runs_))));
    uint64_t seen = 0;
    for (size_t b = 0; b < kBuckets; ++b) {
      seen += counts_[b];
      if (seen >= rank) return std::clamp(value(b), min(), max());
    }
    return max();
  }
  // For pictures: f(duration in ticks, count) for every bucket that is not empty.
  template <class F>
  void each(F f) const {
    for (size_t b = 0; b < kBuckets; ++b) {
      if (counts_[b] > 0) f(value(b), counts_[b]);
    }
  }

 private:
  static constexpr int kBits = 10, kPowers = 40;
  static constexpr size_t kBuckets = (size_t(kPowers) + 2) << kBits;
  static size_t bucket(uint64_t t) {
    const int shift = std::max(0, static_cast<int>(std::bit_width(t)) - kBits - 1);
    return std::min((size_t(shift) << kBits) + static_cast<size_t>(t >> shift), kBuckets - 1);
  }
  static uint64_t value(size_t b) {  // the largest duration of the bucket
    const size_t shift = b < (size_t(2) << kBits) ? 0 : (b >> kBits) - 1;
    return ((b - (shift << kBits) + 1) << shift) - 1;
  }
  std::vector<uint32_t> counts_;
  uint64_t runs_ = 0, sum_ = 0, min_ = UINT64_MAX, max_ = 0;
};

}  // namespace tern::command
