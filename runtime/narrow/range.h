// Which elements of a value are meant: along each axis a start, a step and a count. Next: rules.h.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace tern::narrowing {

// start, start + step, ... of an axis. One range has one form: step is at least 1, and 1 where count is; a range of the whole axis is all().
struct Range {
  static constexpr int64_t kAll = -1;
  int64_t start = 0, step = 1, count = kAll;
  bool all() const { return count == kAll; }
  int64_t last() const { return start + step * (count - 1); }
  int64_t extent(int64_t of) const { return all() ? of : count; }
  bool operator==(const Range&) const = default;
};
// Precondition: count >= 1, and every element lies in [0, extent).
Range range(int64_t start, int64_t step, int64_t count, int64_t extent);
// The elements of [0, extent) among start, start + step, ...; nothing when there are none. start may be negative.
std::optional<Range> clip(int64_t start, int64_t step, int64_t count, int64_t extent);
// The smallest range with all elements of both.
Range cover(const Range& a, const Range& b, int64_t extent);
// Element i of `range`, counted in elements of `within`, which has it.
inline int64_t place(int64_t i, const Range& within) { return (i - within.start) / within.step; }

// One range an axis.
using Region = std::vector<Range>;
bool whole(const Region& region);

}  // namespace tern::narrowing
