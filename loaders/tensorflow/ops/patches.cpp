// Windows written out: the cells of each window side by side as channels, and the largest of cells plus weights. See operator.h. Next: quantize.cpp.
#include <cmath>

#include "loaders/tensorflow/ops/windows.h"

namespace tern::tensorflow {
namespace {

using channels_last::Channels;

// Windows over the axes 1 to n of x, whose sizes are known, and x with margins so that all windows are whole.
struct Cells {
  ValueId wide = kNone;
  std::vector<int64_t> kernel, stride, rate, out;
  // Cell (i, j, ..) of every window: [N, out.., C].
  ValueId cell(GraphBuilder& b, const std::vector<int64_t>& at) const {
    ValueId v = wide;
    for (size_t k = 0; k < at.size(); ++k) {
      const int64_t begin = at[k] * rate[k];
      v = slice(b, v, static_cast<int>(k) + 1, begin, begin + (out[k] - 1) * stride[k] + 1, stride[k]);
    }
    return v;
  }
};

constexpr int64_t kMostCells = 1024, kMostSize = 1 << 24;

// `margin`: what lies beyond the edges. Fails for windows that make no sense, or have too many cells.
bool prepare(Call& c, Cells& w, ValueId x, double margin) {
  GraphBuilder& b = c.b;
  const size_t n = w.kernel.size();
  const std::string padding = c.string("padding", "");
  if (padding != "SAME" && padding != "VALID") c.fail(invalid("padding is '" + padding + "', expected SAME or VALID"));
  std::vector<int64_t> margins(2 * (n + 2), 0);
  int64_t cells = 1;
  for (size_t k = 0; k < n && b.ok(); ++k) {
    const int64_t size = known_size(b, x, static_cast<int>(k) + 1, "windows");
    if (!b.ok()) break;
    if (std::min({w.kernel[k], w.stride[k], w.rate[k]}) < 1) c.fail(invalid("a window's size, stride or rate is less than 1"));
    else if (std::max({w.kernel[k], w.stride[k], w.rate[k]}) > kMostSize || size > kMostSize || (cells *= w.kernel[k]) > kMostCells)
      c.fail(unsupported("windows of more than " + std::to_string(kMostCells) + " cells are not supported"));
    if (!b.ok()) break;
    const int64_t reach = (w.kernel[k] - 1) * w.rate[k] + 1;
    const bool same = padding == "SAME";
    w.out.push_back(same ? (size + w.stride[k] - 1) / w.stride[k] : size < reach ? 0 : (size - reach) / w.stride[k] + 1);
    if (w.out[k] < 1) c.fail(invalid("a window is larger than the input"));
    const int64_t missing = std::max((w.out[k] - 1) * w.stride[k] + reach - size, int64_t(0));
    margins[k + 1] = missing / 2;
    margins[n + 2 + k + 1] = missing - missing / 2;
  }
  w.wide = b.ok() ? b.emit("Pad", {x, b.ints(margins), b.scalar_like(x, margin)}) : kNone;
  return b.ok();
}

// All cells in order, the last axis fastest.
template <class F>
void each_cell(const Cells& w, F f) {
  std::vector<int64_t> at(w.kernel.size(), 0);
  for (;;) {
    f(at);
    size_t k = at.size();
    while (k > 0 && ++at[k - 1] == w.kernel[k - 1]) at[--k] = 0;
    if (k == 0) return;
  }
}

template <int Spatial>
Values patches(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, Spatial + 2)) return {};
  Cells w{kNone,
          spatial_part(c, c.ints("ksizes"), Spatial, Channels::last, "ksizes"),
          spatial_part(c, c.ints("strides"), Spatial, Channels::last, "strides"),
          spatial_part(c, c.ints("rates"), Spatial, Channels::last, "rates"),
          {}};
  if (!prepare(c, w, c.tensor(0), 0)) return {};
  std::vector<ValueId> cells;
  each_cell(w, [&](const std::vector<int64_t>& at) { cells.push_back(w.cell(b, at)); });
  return {concat(b, std::move(cells), Spatial + 1)};
}

// Grey dilation: y[c] = max over the window of x[c] + filter[.., c].
Values dilation(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), filter = c.tensor(1);
  if (!has_rank(c, 0, 4) || !has_rank(c, 1, 3)) return {};
  Cells w{kNone,
          {known_size(b, filter, 0, "a dilation"), known_size(b, filter, 1, "a dilation")},
          spatial_part(c, c.ints("strides"), 2, Channels::last, "strides"),
          spatial_part(c, c.ints("rates"), 2, Channels::last, "rates"),
          {}};
  if (!prepare(c, w, x, is_float(b.dtype(x)) ? -INFINITY : 0)) return {};
  ValueId y = kNone;
  each_cell(w, [&](const std::vector<int64_t>& at) {
    const ValueId weight = squeeze(b, slice(b, slice(b, filter, 0, at[0], at[0] + 1), 1, at[1], at[1] + 1), {0, 1});
    const ValueId sum = b.emit("Add", {w.cell(b, at), weight});
    y = y == kNone ? sum : b.emit("Max", {y, sum});
  });
  return {y};
}

constexpr Operator kPatchesRows[] = {
    {"ExtractImagePatches", nullptr, patches<2>},
    {"ExtractVolumePatches", nullptr, patches<3>},
    {"Dilation2D", nullptr, dilation},
};

}  // namespace

std::span<const Operator> patch_operators() { return kPatchesRows; }

}  // namespace tern::tensorflow
