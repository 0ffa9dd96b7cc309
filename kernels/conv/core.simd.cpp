// What runs: write the zero halo, prepare the input, pack the weights when they are no constants, compute every sweep (sweep.h). And two convolutions
// band by band. See conv.h, expand_depthwise.h; the register tiles are in conv_tile.h.
#include "kernels/conv/expand_depthwise.h"
#include "kernels/conv/halo.h"
#include "kernels/conv/pack.h"
#include "kernels/conv/prepare.h"
#include "kernels/conv/sweep.h"

namespace tern::TERN_ISA {
namespace {

// What of x lies prepared in the workspace.
struct Prepared {
  int64_t image = -1, group = -1, part = -1;
};

void run_sweep(const ConvArgs& a, const ConvSweep& s, const float* packed, Prepared& prepared) {
  const int64_t oc_groups = ((a.ocs + 15) / 16 + kB - 1) / kB, tiles = s.rows_hi * s.rows_lo * s.tiles;
  int64_t i = s.begin;
  while (i < s.end) {  // one (image, group, stripe, oc group) at a time
    const int64_t map = i / (oc_groups * tiles), rest = i - map * oc_groups * tiles, group = map % a.groups, image = map / a.groups;
    const int64_t first = rest / (oc_groups * s.stripe) * s.stripe, size = tiles - first < s.stripe ? tiles - first : s.stripe;
    const int64_t oc_group = (rest - first * oc_groups) / size, at = (rest - first * oc_groups) % size;
    const int64_t left = s.end - i < size - at ? s.end - i : size - at;
    const float* x = a.x + image * a.x_image + group * a.x_group;
    int64_t block = a.lanewise ? oc_group * kB : 0;  // the first that is read
    if (a.prepare.x != nullptr) {
      x = a.prepared;
      const int64_t part = block / a.prepare.blocks;
      if (prepared.image != image || prepared.group != group || prepared.part != part)
        prepare(a.prepare, image, group, part * a.prepare.blocks, a.prepared);
      prepared = {image, group, part};
      block -= part * a.prepare.blocks;
    }
    x += block * a.x_block;
    OcGroup g = oc_group_of(a, s, x, packed, image, group, oc_group);
    i += run_oc_group(a, s, g, (first + at) / s.tiles, (first + at) % s.tiles, left);
  }
}

void clear_halos(const ConvArgs& a) {
  const ConvHalo& h = a.halo;
  for (int64_t m = a.first_map; m < a.last_map; ++m) clear_halo(h, a.y.data + (m * h.height * h.width - h.top * h.width - h.left) * 16);
}

void conv(const ConvArgs& a) {
  clear_halos(a);
  const float* packed = a.w;
  if (a.pack.w != nullptr) {
    for (int64_t i = 0; i < a.sweep_count; ++i) pack_sweep(a.pack, a.w_tap + a.sweeps[i].first_tap, a.sweeps[i].taps, a.packed_here + a.sweeps[i].w);
    packed = a.packed_here;
  }
  Prepared prepared;
  for (int64_t i = 0; i < a.sweep_count; ++i) run_sweep(a, a.sweeps[i], packed, prepared);
}

// ---- a convolution of one tap and the depthwise one that reads it (expand_depthwise.h) ----

// The two oc groups that share a band, and the rows of the map between them that lie there.
struct Band {
  OcGroup expand, depthwise;
  const float* x;     // of the image
  int64_t base, end;  // the first row that has a place in the band, and how far it is filled
};

// Makes room: rows from `first` on move to the beginning.
void move_band(const ExpandDepthwiseArgs& a, Band& b, int64_t first) {
  const int64_t row = a.expand.y.lo, rows = b.end > first ? b.end - first : 0;
  for (int64_t block = 0; block < b.expand.blocks; ++block) {
    float* to = a.band + block * a.expand.y.block;
    copy_floats(to + (first - b.base) * row, rows * row, to);
  }
  b.base = first;
}

// The rows of the map between that rows [row, end) of y read.
struct RowsBetween {
  int64_t first, last;
};
RowsBetween rows_between(const ConvEdges& e, int64_t reach, int64_t row, int64_t end) {
  const int64_t first = row * e.stride - e.begin, last = (end - 1) * e.stride - e.begin + reach + 1;
  return {first < 0 ? 0 : first, last < e.in ? last : e.in};
}

// Rows [row, end) of y.
void run_band(const ExpandDepthwiseArgs& a, Band& b, int64_t row, int64_t end) {
  const ConvArgs &e = a.expand, &d = a.depthwise;
  const ConvSweep& windows = *d.sweeps;
  const RowsBetween between = rows_between(windows.edges, a.reach, row, end);
  if (between.last - b.base > a.rows) move_band(a, b, between.first);
  ConvSweep fill = *e.sweeps;
  const int64_t from = b.end > between.first ? b.end : between.first;
  fill.rows_lo = between.last - from;
  b.expand.x = b.x + from * e.x_lo;
  b.expand.y = e.y.data + (from - b.base) * e.y.lo;
  run_oc_group(e, fill, b.expand, 0, 0, fill.rows_lo * fill.tiles);
  b.end = from > between.last ? from : between.last;
  for (; row < end; ++row) {
    set_taps(taps_of_row(windows, row), b.depthwise.call);
    const RowAt at = {b.depthwise.x + row * d.x_lo - b.base * e.y.lo, b.depthwise.y + row * d.y.lo, nullptr};
    run_row(d, windows, b.depthwise, at, 1, 0, windows.tiles);
  }
}

void expand_depthwise(const ExpandDepthwiseArgs& a) {
  const ConvArgs &e = a.expand, &d = a.depthwise;
  clear_halos(d);
  // The columns of the band beside the map stay zero.
  const ConvHalo beside = {0, 0, a.left, a.right, a.rows, e.y.lo / 16};
  for (int64_t b = 0; b < kB; ++b) clear_halo(beside, a.band + b * e.y.block);
  const int64_t oc_groups = ((e.ocs + 15) / 16 + kB - 1) / kB, rows = d.sweeps->rows_lo;
  for (int64_t i = a.begin; i < a.end; ++i) {
    const int64_t stripe = i % a.stripes, oc_group = i / a.stripes % oc_groups, image = i / a.stripes / oc_groups;
    const float* const x = e.x + image * e.x_image;
    Band b = {oc_group_of(e, *e.sweeps, x, e.w, 0, 0, oc_group), oc_group_of(d, *d.sweeps, d.x, d.w, image, 0, oc_group), x, 0, 0};
    int64_t row = stripe * rows / a.stripes;
    const int64_t last = (stripe + 1) * rows / a.stripes;
    b.base = b.end = rows_between(d.sweeps->edges, a.reach, row, row + 1).first;
    for (; row < last; row += a.step) run_band(a, b, row, row + a.step < last ? row + a.step : last);
  }
}

}  // namespace

constinit const KernelRow expand_depthwise_f32 =
    row<ExpandDepthwiseArgs, expand_depthwise>("expand_depthwise/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA, kTile);
constinit const KernelRow conv_f32 = row<ConvArgs, conv>("conv/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA, kTile);

}  // namespace tern::TERN_ISA
