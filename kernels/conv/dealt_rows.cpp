// See dealt_rows.h.
#include "kernels/conv/dealt_rows.h"

#include <algorithm>

#include "kernels/conv/window.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr int64_t kVector = 64;              // bytes: what is read at once ends in its run
constexpr int64_t kMost = int64_t(1) << 22;  // elements, or taps: more is no working set of a row

int64_t reach(const Window& w, size_t a) { return (w.kernel[a] - 1) * w.dilation[a]; }

DealtRows sizes(const Window& w, int64_t element_bytes) {
  DealtRows d{};
  d.in = w.in[2], d.begin = w.begin[2], d.stride = w.stride[2], d.kernel = w.kernel[2];
  d.runs = std::min(w.stride[2], reach(w, 2) + 1);
  d.run = round_up(w.out[2], kVector / element_bytes) + reach(w, 2) / w.stride[2];
  for (size_t a = 0; a < 2; ++a) {
    d.slots[a] = 1;
    while (d.slots[a] < std::min(reach(w, a) + 1, w.in[a])) d.slots[a] *= 2;
  }
  return d;
}

}  // namespace

bool suits_dealt_rows(const Window& w) {
  if (w.kernel[2] > w.in[2]) return false;  // mostly padding
  const DealtRows d = sizes(w, 1);
  const auto elements = checked_count(std::array{d.slots[0], d.slots[1], d.runs, d.run}), taps = checked_count(w.kernel);
  return elements && *elements <= kMost && taps && *taps <= kMost;
}

void bind_dealt_rows(BindContext& c, const Window& w, int64_t element_bytes, DealtRows& to) {
  to = sizes(w, element_bytes);
  c.set(to.rows, c.workspace(to.slots[0] * to.slots[1] * to.runs * to.run * element_bytes));
  c.set(to.held, c.workspace<int64_t>(to.slots[0] * to.slots[1]));
  c.set(to.taps, c.workspace<const void*>(w.taps()));
  c.set(to.offsets, c.table<int64_t>(w.kernel[2], [&](int64_t* offset) {
    for (int64_t k = 0; k < w.kernel[2]; ++k) {
      const int64_t at = k * w.dilation[2];
      offset[k] = at % w.stride[2] * to.run + at / w.stride[2];
    }
  }));
}

}  // namespace tern
