// See range.h.
#include "runtime/narrow/range.h"

#include <algorithm>
#include <numeric>

#include "runtime/base/checked.h"

namespace tern::narrowing {

Range range(int64_t start, int64_t step, int64_t count, int64_t extent) {
  if (count == extent) return {};
  return {start, count == 1 ? 1 : step, count};
}

std::optional<Range> clip(int64_t start, int64_t step, int64_t count, int64_t extent) {
  const int64_t skipped = start < 0 ? ceil_div(-start, step) : 0, first = start + skipped * step;
  if (skipped >= count || first >= extent) return std::nullopt;
  return range(first, step, std::min(count - skipped, (extent - 1 - first) / step + 1), extent);
}

Range cover(const Range& a, const Range& b, int64_t extent) {
  if (a.all() || b.all()) return {};
  const int64_t start = std::min(a.start, b.start), last = std::max(a.last(), b.last());
  const int64_t apart = std::gcd(a.count > 1 ? a.step : 0, std::gcd(b.count > 1 ? b.step : 0, a.start - b.start));
  return apart == 0 ? a : range(start, apart, (last - start) / apart + 1, extent);
}

bool whole(const Region& region) {
  return std::all_of(region.begin(), region.end(), [](const Range& r) { return r.all(); });
}

}  // namespace tern::narrowing
