// See dealt_rows.h.
#include "kernels/conv/dealt_rows.h"

#include <algorithm>

#include "kernels/conv/window.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr int64_t kVector = 64;              // bytes: what is read at once ends in its run
constexpr int64_t kStripe = 12 << 10;        // bytes: what stays in L1 beside the rows that are read and written
constexpr int64_t kMost = int64_t(1) << 22;  // elements, or taps: more is no working set of a stripe

int64_t reach(const Window& w, size_t a) { return (w.kernel[a] - 1) * w.dilation[a]; }
int64_t planes(const Window& w) { return std::min(w.kernel[0], w.in[0]); }

DealtRows sizes(const Window& w, int64_t element_bytes) {
  DealtRows d{};
  d.in = w.in[2], d.begin = w.begin[2], d.stride = w.stride[2], d.kernel = w.kernel[2];
  d.runs = std::min(w.stride[2], reach(w, 2) + 1);
  d.places = w.out[2] + reach(w, 2) / w.stride[2];
  d.run = round_up(d.places + kVector / element_bytes - 1, kVector / element_bytes);
  d.in_rows = w.in[1], d.out_rows = w.out[1], d.row_begin = w.begin[1], d.row_stride = w.stride[1], d.row_reach = reach(w, 1);
  const int64_t row = checked_count(std::array{planes(w), d.runs, d.run}).value_or(kMost);  // elements, of all planes
  const int64_t fit = kStripe / element_bytes / std::max<int64_t>(row, 1);
  const int64_t least = std::max<int64_t>(8, 2 * d.row_reach / d.row_stride);  // so that not many are dealt twice
  d.stripe = std::clamp<int64_t>(std::max(least, (fit - d.row_reach) / d.row_stride), 1, std::max<int64_t>(1, d.out_rows));
  d.lines = std::min((d.stripe - 1) * d.row_stride + d.row_reach + 1, d.in_rows);
  return d;
}

}  // namespace

bool suits_dealt_rows(const Window& w) {
  if (w.kernel[2] > w.in[2]) return false;  // mostly padding
  const DealtRows d = sizes(w, 1);
  const auto elements = checked_count(std::array{planes(w), d.lines, d.runs, d.run}), taps = checked_count(w.kernel);
  return elements && *elements <= kMost && taps && *taps <= kMost;
}

void bind_dealt_rows(BindContext& c, const Window& w, int64_t element_bytes, DealtRows& to) {
  to = sizes(w, element_bytes);
  c.set(to.rows, c.workspace(planes(w) * to.lines * to.runs * to.run * element_bytes));
  c.set(to.taps, c.workspace<int64_t>(w.taps()));
  c.set(to.offsets, c.table<int64_t>(w.kernel[2], [&](int64_t* offset) {
    for (int64_t k = 0; k < w.kernel[2]; ++k) {
      const int64_t at = k * w.dilation[2];
      offset[k] = at % w.stride[2] * to.run + at / w.stride[2];
    }
  }));
}

}  // namespace tern
