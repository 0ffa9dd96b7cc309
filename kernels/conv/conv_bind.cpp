// See conv_bind.h.
#include "kernels/conv/conv_bind.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/conv/pack.h"
#include "kernels/conv/phases.h"
#include "runtime/base/checked.h"

namespace tern {

BlockedMap::BlockedMap(const TensorView& v)
    : height(v.dims.rank == 4 ? v.dims[2] + v.layout.top + v.layout.bottom : 1),
      width(v.dims.back() + v.layout.left + v.layout.right),
      blocks(ceil_div(v.dims[1], kBlock)),
      images(v.dims[0]),
      first((v.layout.top * width + v.layout.left) * kBlock) {}

void set_pixels(BindContext& c, ConvPixels& out, const TensorView& v, bool last, Address<float> at, const ConvProblem& p) {
  const Extent3& o = p.window.out;
  if (v.layout.blocked) {
    const BlockedMap m(v);
    c.set(out.data, at + m.first);
    out.blocked = true;
    out.image = m.image();
    out.block = m.block();
    out.group = p.ocs / kBlock * m.block();
    out.lo = m.row();
    out.col = kBlock;
    return;
  }
  c.set(out.data, at);
  const int64_t plane = o[0] * o[1] * o[2], all = p.ocs * p.groups;
  out.blocked = last && p.ocs % kBlock == 0;
  out.lane = last ? 1 : plane;
  out.block = kBlock * out.lane;
  out.group = p.ocs * out.lane;
  out.image = all * plane;
  out.col = last ? all : 1;
  out.lo = o[2] * out.col;
  out.hi = o[1] * out.lo;
}

ConvEdges edges_of(const Window& w, bool columns) {
  ConvEdges e;
  if (w.out[2] < 2) return e;
  const bool above = w.begin[1] > 0, below = w.swept(1) - w.begin[1] > w.in[1];
  if (w.kernel[0] == 1 && (above || below)) e.kernel_rows = w.kernel[1];
  e.kernel_cols = w.kernel[2];
  e.begin = w.begin[1];
  e.stride = w.stride[1];
  e.dilation = w.dilation[1];
  e.in = w.in[1];
  for (int64_t k = 0; k < w.kernel[2] && columns; ++k) {
    e.left += k * w.dilation[2] < w.begin[2];
    e.right += (w.out[2] - 1) * w.stride[2] + k * w.dilation[2] - w.begin[2] >= w.in[2];
  }
  if (e.left + e.right > w.kernel[2]) e.left = e.right = 0;
  return e;
}

void bind_conv_weights(BindContext& c, size_t input, const ConvProblem& p, const Phases& phases, ConvArgs& a) {
  int64_t floats = 0;
  for (const Phase& phase : phases.all) floats += a.pack.floats(static_cast<int64_t>(phase.taps.size()));
  if (!c.in(input).constant) {
    c.set(a.pack.w, c.input<const float>(input));
    c.set(a.packed_here, c.workspace<float>(floats));
    std::vector<int64_t> taps;
    for (const Phase& phase : phases.all) taps.insert(taps.end(), phase.taps.begin(), phase.taps.end());
    c.set(a.w_tap, c.table<int64_t>(static_cast<int64_t>(taps.size()), [&](int64_t* to) { std::copy(taps.begin(), taps.end(), to); }));
    return;
  }
  const Window& w = p.window;
  std::vector<int64_t> numbers = {a.pack.tile_blocks, a.pack.groups, a.pack.ocs, a.pack.ics, w.taps(), a.pack.oc, a.pack.ic, int64_t(p.mirrored)};
  for (const Extent3& e : {w.kernel, w.dilation, w.begin, w.out, p.spread}) {
    if (phases.all.size() > 1) numbers.insert(numbers.end(), e.begin(), e.end());
  }
  std::string tag = "conv/";
  for (int64_t n : numbers) tag += std::to_string(n) + ",";
  c.set(a.w, c.packed<float>(input, tag, floats, [pack = a.pack, all = phases.all](const float* from, float* to) {
    ConvPack of = pack;
    of.w = from;
    for (const Phase& phase : all) {
      const auto taps = static_cast<int64_t>(phase.taps.size());
      pack_sweep(of, phase.taps.data(), taps, to);
      to += of.floats(taps);
    }
  }));
}

namespace {

// How far the windows of all phases reach around x.
struct Reach {
  Extent3 before{0, 0, 0}, padded{0, 0, 0};  // elements before x, and of it all
};
Reach reach_of(const Phases& phases) {
  Reach r;
  for (const Phase& p : phases.all) {
    for (size_t a = 0; a < 3 && !p.taps.empty(); ++a) r.before[a] = std::max(r.before[a], p.window.begin[a]);
  }
  for (const Phase& p : phases.all) {
    for (size_t a = 0; a < 3 && !p.taps.empty(); ++a) r.padded[a] = std::max(r.padded[a], r.before[a] - p.window.begin[a] + p.window.swept(a));
  }
  return r;
}

// One tap at a stride reads some pixels of x, and reads them for every tile of output channels: where these are many, the pixels are copied side by side
// first. Rows then follow one another, and both of a pair of cache lines are read. p becomes the convolution over those; returns its stride.
Extent3 thin_out(const TensorView& x, bool lanewise, ConvProblem& p) {
  constexpr int64_t kMany = 512;  // output channels; with 256 the copy took as long as it saved (Sapphire Rapids)
  const Extent3 one{1, 1, 1};
  Window& w = p.window;
  const bool padded = w.begin != Extent3{0, 0, 0} || w.swept(1) > w.in[1] || w.swept(2) > w.in[2];
  if (!x.layout.blocked || lanewise || w.taps() != 1 || padded || p.spread != one || p.groups != 1 || p.ocs < kMany) return one;
  w.in = w.out;
  return std::exchange(w.stride, one);
}

// x as the tiles read it: in place, or by way of the workspace. `thin`: every which pixel of a blocked x; `step`: floats along each axis of what is read.
Status bind_input(BindContext& c, const ConvProblem& p, const Phases& phases, const Reach& reach, RegisterTile tile, const Extent3& thin,
                  Extent3& step, ConvArgs& a) {
  const TensorView& x = c.in(0);
  const Extent3 &in = p.window.in, &before = reach.before, &padded = reach.padded;
  const int64_t lanes = a.ic_step;
  const bool unspread = phases.spread == Extent3{1, 1, 1};
  if (x.layout.blocked) {
    if (lanes == 1 || (p.groups > 1 && p.ics % kBlock != 0)) return unsupported("these channels cannot be read from a blocked value");
    const BlockedMap m(x);
    const int64_t below = padded[1] - before[1] - in[1], right = padded[2] - before[2] - in[2];
    const bool whole = unspread && thin == Extent3{1, 1, 1};
    if (whole && x.layout.top >= before[1] && x.layout.left >= before[2] && x.layout.bottom >= below && x.layout.right >= right) {
      c.set(a.x, c.input<const float>(0) + ((x.layout.top - before[1]) * m.width + x.layout.left - before[2]) * kBlock);
      a.x_image = m.image();
      a.x_block = m.block();
      a.x_group = p.ics / kBlock * m.block();
      step = {m.block(), m.row(), kBlock};
    } else {
      a.prepare.blocked = true;
      a.prepare.block = m.block();
      a.prepare.image = m.image();
      a.prepare.group = p.ics / kBlock * m.block();
      a.prepare.step[1] = thin[1] * m.row();
      a.prepare.step[2] = thin[2] * kBlock;
      c.set(a.prepare.x, c.input<const float>(0) + m.first);
    }
  } else {
    const int64_t all = p.groups * p.ics, plane = in[0] * in[1] * in[2];
    const bool last = channels_last(c.attrs, kLastX);
    const int64_t channel = last ? 1 : plane, pixel = last ? all : 1;
    const Extent3 steps = {in[1] * in[2] * pixel, in[2] * pixel, pixel};
    if (lanes == 1 && unspread && before == Extent3{0, 0, 0} && padded[0] <= in[0] && padded[1] <= in[1] && padded[2] <= in[2]) {
      c.set(a.x, c.input<const float>(0));
      a.x_image = all * plane;
      a.x_group = p.ics * channel;
      a.x_block = channel;
      step = steps;
    } else {
      a.prepare.image = all * plane;
      a.prepare.group = p.ics * channel;
      a.prepare.channel = channel;
      a.prepare.block = lanes * channel;
      a.prepare.blocked = last && lanes == kBlock;
      std::copy(steps.begin(), steps.end(), a.prepare.step);
      c.set(a.prepare.x, c.input<const float>(0));
    }
  }
  if (a.x_block != 0) return {};
  a.prepare.blocks = a.lanewise && phases.all.size() == 1 ? tile.blocks : ceil_div(p.ics, lanes);
  auto floats = checked_count(std::array<int64_t, 5>{a.prepare.blocks, padded[0], padded[1], padded[2], lanes});
  if (!floats || *floats > (int64_t(1) << 58)) return unsupported("the padded input is too large");
  c.set(a.prepared, c.workspace<float>(*floats));
  std::copy(in.begin(), in.end(), a.prepare.in);
  std::copy(padded.begin(), padded.end(), a.prepare.padded);
  std::copy(before.begin(), before.end(), a.prepare.begin);
  std::copy(phases.spread.begin(), phases.spread.end(), a.prepare.spread);
  a.prepare.channels = p.ics;
  a.prepare.lanes = lanes;
  step = {padded[1] * padded[2] * lanes, padded[2] * lanes, lanes};
  a.x_block = padded[0] * step[0];
  return {};
}

// Rows that follow one another without a gap, in x and in y, become one; a single column becomes a row.
void flatten(ConvArgs& a, ConvSweep& s) {
  const bool residual = a.residual.image != 0, edges = s.edges.kernel_rows != 0 || s.edges.left + s.edges.right != 0;
  const bool follow = a.x_lo == s.cols * a.x_col && a.y.lo == s.cols * a.y.col && (!residual || a.residual.lo == s.cols * a.residual.col);
  if (follow && !edges) {
    s.cols *= s.rows_lo;
    s.rows_lo = 1;
  } else if (s.cols == 1) {
    s.cols = s.rows_lo;
    s.rows_lo = 1;
    a.x_col = a.x_lo;
    a.y.col = a.y.lo;
    a.residual.col = a.residual.lo;
  }
}

// How many tiles of a map all oc groups compute before they go on (ConvSweep::stripe): all, unless x would have left the second cache when the next oc group
// reads it again, and then as many as read 256 KB, where that saves more of x than it reads of weights. Cache lines come in pairs: of columns at a stride,
// each brings the one beside it along. Of Zen 4's 1 MB; Sapphire Rapids has 2.
int64_t stripe_of(const Window& w, const ConvSweep& s, const ConvArgs& a, RegisterTile tile) {
  constexpr double kCache = 1 << 20, kStripe = 256 << 10, kFloat = sizeof(float);
  const int64_t all = s.rows_hi * s.rows_lo * s.tiles, oc_groups = ceil_div(ceil_div(a.ocs, kBlock), tile.blocks);
  const auto pixels = static_cast<double>(s.rows_hi * s.rows_lo * s.cols), weights = kFloat * static_cast<double>(s.w_group);
  const auto steps = static_cast<double>(std::min(w.stride[1], w.kernel[1]) * std::min(w.stride[2], std::max<int64_t>(w.kernel[2], 2)));
  const double x = kFloat * pixels * steps * static_cast<double>(a.ics), y = kFloat * pixels * tile.blocks * kBlock;
  const double stripes = std::ceil(x / kStripe), groups = static_cast<double>(oc_groups);
  if (a.lanewise || stripes < 2 || x + y + weights / groups < kCache || weights * (stripes - 1) > x * (groups - 1) / 2) return all;
  const int64_t grain = s.rows_hi * s.rows_lo == 1 ? 1 : 2 * s.tiles;  // rows are computed in pairs, some of them
  return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(all) / stripes) / grain) * grain;
}

// The sweeps, and the table of offsets that they share. Strides of x, y and the residual are set, those of the two still from pixel to pixel.
// Returns how many units this part computes.
int64_t bind_sweeps(BindContext& c, const Phases& phases, const Reach& reach, const Extent3& step, RegisterTile tile, ConvArgs& a) {
  const int64_t images = c.out(0).dims[0], blocks = ceil_div(a.ocs, kBlock), oc_groups = ceil_div(blocks, tile.blocks);
  const Extent3 y_step = {a.y.hi, a.y.lo, a.y.col}, residual_step = {a.residual.hi, a.residual.lo, a.residual.col};
  for (ConvPixels* pixels : {&a.y, &a.residual}) {
    pixels->hi *= phases.step[0], pixels->lo *= phases.step[1], pixels->col *= phases.step[2];
  }
  std::vector<int64_t> offsets;
  int64_t units = 0;
  a.sweep_count = static_cast<int64_t>(phases.all.size());
  c.set(a.sweeps, c.table<ConvSweep>(a.sweep_count, [&](ConvSweep* s) {
    int64_t packed = 0, first_tap = 0;
    for (const Phase& phase : phases.all) {
      const Window& w = phase.window;
      *s = ConvSweep();
      for (size_t i = 0; i < 3; ++i) {
        s->x += (reach.before[i] - w.begin[i]) * step[i];
        s->y += phase.first[i] * y_step[i];
        s->residual += phase.first[i] * residual_step[i];
      }
      s->w = packed;
      s->first_tap = first_tap;
      s->taps = static_cast<int64_t>(phase.taps.size());
      if (a.ic_step == 1 && w.dilation[2] * step[2] == 1) s->run = w.kernel[2];
      s->w_group = a.pack.floats(s->taps) / a.groups;
      packed += s->w_group * a.groups;
      first_tap += s->taps;
      s->rows_hi = w.out[0], s->rows_lo = w.out[1], s->cols = w.out[2];
      if (phases.spread == Extent3{1, 1, 1}) s->edges = edges_of(w, a.ic_step == kBlock && !a.lanewise);
      if (a.sweep_count == 1) flatten(a, *s);
      s->tiles = ceil_div(s->cols, tile.pixels);
      s->stripe = stripe_of(w, *s, a, tile);
      const auto [begin, end] = c.range(images * a.groups * oc_groups * s->rows_hi * s->rows_lo * s->tiles);
      s->begin = begin, s->end = end;
      units += end - begin;
      ++s;
      for (int64_t z = 0; z < w.kernel[0]; ++z) {
        for (int64_t y = 0; y < w.kernel[1]; ++y) {
          for (int64_t x = 0; x < w.kernel[2]; ++x)
            offsets.push_back(z * w.dilation[0] * step[0] + y * w.dilation[1] * step[1] + x * w.dilation[2] * step[2]);
        }
      }
    }
  }));
  c.set(a.tap, c.table<int64_t>(static_cast<int64_t>(offsets.size()), [&](int64_t* to) { std::copy(offsets.begin(), offsets.end(), to); }));
  return units;
}

}  // namespace

Layout halo_of(const ConvProblem& p) {
  constexpr int64_t kWidest = 1 << 20;
  const Phases phases = phases_of(p);
  const Reach r = reach_of(phases);
  int64_t after[3];
  for (size_t a = 0; a < 3; ++a) {
    after[a] = std::max<int64_t>(0, r.padded[a] - r.before[a] - p.window.in[a]);
    if (phases.spread[a] != 1 || r.before[a] > kWidest || after[a] > kWidest) return {};
  }
  auto side = [](int64_t n) { return static_cast<int32_t>(n); };
  return {true, side(r.before[1]), side(after[1]), side(r.before[2]), side(after[2])};
}

bool is_lanewise(int64_t groups, int64_t ics, int64_t ocs) {
  if (groups < 2 || ics != ocs) return false;
  return ics == 1 || (ics < kBlock && kBlock % ics == 0 && groups * ics >= kBlock);
}

Status bind_conv(BindContext& c, const ConvProblem& problem) {
  if (c.isa == Isa::cuda) return bind_device_conv(c, problem);
  if (is_plain_depthwise(c, problem)) return bind_plain_depthwise(c, problem);
  const KernelRow& kernel = *pick(rows_of<TERN_ON_EACH_ISA(conv_f32)>, DType::f32, c.isa);
  ConvProblem p = problem;
  const TensorView& y = c.out(0);
  ConvArgs& a = c.args<ConvArgs>();
  a.lanewise = is_lanewise(p.groups, p.ics, p.ocs) && !(p.mirrored && p.ics > 1);
  if (a.lanewise) {
    a.lane_ics = p.ics;
    p.ics = p.ocs = p.groups * p.ics;
    p.groups = 1;
  }
  if (y.layout.blocked && p.groups > 1 && p.ocs % kBlock != 0) return unsupported("these channels cannot be written to a blocked value");
  const Extent3 thin = thin_out(c.in(0), a.lanewise, p);
  const Phases phases = phases_of(p);
  const Reach reach = reach_of(phases);
  a.ic_step = a.lanewise || p.ics >= kBlock ? kBlock : 1;
  Extent3 step{};
  if (Status s = bind_input(c, p, phases, reach, kernel.tile, thin, step, a); !s) return s;
  a.x_hi = step[0] * phases.all[0].window.stride[0];
  a.x_lo = step[1] * phases.all[0].window.stride[1];
  a.x_col = step[2] * phases.all[0].window.stride[2];
  a.ics = p.ics;
  a.ocs = p.ocs;
  a.groups = p.groups;
  set_pixels(c, a.y, y, channels_last(c.attrs, kLastY), c.output<float>(0), p);
  if (constexpr auto r = size_t(kConvEpilogue.residual); c.has(r)) set_pixels(c, a.residual, c.in(r), false, c.input<float>(r), p);
  if (y.layout.blocked) {
    const BlockedMap m(y);
    a.halo = m.halo(y.layout);
    const Layout& l = y.layout;
    const auto [first, last] = c.range(l.top + l.bottom + l.left + l.right == 0 ? 0 : y.dims[0] * m.blocks);
    a.first_map = first, a.last_map = last;
  }
  a.pack = {nullptr, p.w_group, p.w_oc, p.w_ic, p.groups, p.ocs, a.lanewise ? a.lane_ics : p.ics, a.lanewise ? 1 : kernel.tile.blocks};
  if (a.lanewise && a.lane_ics == 1) a.pack.oc = problem.w_group;
  const int64_t units = bind_sweeps(c, phases, reach, step, kernel.tile, a);
  bind_conv_weights(c, 1, p, phases, a);
  c.set(a.bias, c.input<const float>(2));
  set_epilogue(c, kConvEpilogue, a);
  if (units != 0 || a.first_map != a.last_map) c.run(kernel);
  return {};
}

}  // namespace tern
