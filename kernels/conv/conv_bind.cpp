// See conv_bind.h.
#include "kernels/conv/conv_bind.h"

#include <algorithm>

#include "kernels/activation_attributes.h"
#include "runtime/base/checked.h"

namespace tern {

BlockedMap::BlockedMap(const TensorView& v)
    : height(v.dims.rank == 4 ? v.dims[2] + v.layout.top + v.layout.bottom : 1),
      width(v.dims.back() + v.layout.left + v.layout.right),
      blocks(ceil_div(v.dims[1], kBlock)),
      first((v.layout.top * width + v.layout.left) * kBlock) {}

int64_t conv_packed_floats(const ConvPack& p) { return p.groups * ceil_div(p.ocs, kBlock) * kBlock * (p.depthwise ? 1 : p.ics) * p.taps; }

void conv_pack(const ConvPack& p, float* packed) {
  const int64_t blocks = ceil_div(p.ocs, kBlock), ics = p.depthwise ? 1 : p.ics, step = ics < 16 ? 1 : 16;
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t first = 0; first < blocks; first += p.tile_blocks) {
      const int64_t n = std::min(p.tile_blocks, blocks - first) * kBlock, real = std::min(n, p.ocs - first * kBlock);
      for (int64_t ic0 = 0; ic0 < ics; ic0 += step) {
        for (int64_t k = 0; k < p.taps; ++k) {
          for (int64_t ic = ic0; ic < std::min(ics, ic0 + step); ++ic, packed += n) {
            const float* from = p.w + g * p.group + first * kBlock * p.oc + ic * p.ic + (p.mirrored ? p.taps - 1 - k : k);
            for (int64_t l = 0; l < real; ++l) packed[l] = from[l * p.oc];
          }
        }
      }
    }
  }
}

namespace {

// The rows, columns and steps of output pixels, which flattening may merge.
struct Steps {
  int64_t hi, lo, col;
};

void set_pixels(BindContext& c, ConvPixels& out, const TensorView& v, Address<float> at, const ConvProblem& p, bool depthwise) {
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
  out.lane = o[0] * o[1] * o[2];
  out.block = kBlock * out.lane;
  out.group = p.ocs * out.lane;
  out.image = out.group * (depthwise ? 1 : p.groups);
  out.hi = o[1] * o[2];
  out.lo = o[2];
  out.col = 1;
}

// x as the tiles read it: in place, or by way of the workspace. `padded`: the extents that the window sweeps.
Status bind_input(BindContext& c, const ConvProblem& p, bool depthwise, const Extent3& padded, ConvArgs& a) {
  const TensorView& x = c.in(0);
  const Window& w = p.window;
  const int64_t lanes = depthwise || p.ics >= kBlock ? kBlock : 1, groups = depthwise ? 1 : p.groups;
  const bool unspread = p.spread == Extent3{1, 1, 1};
  Extent3 step{};  // floats along each axis of what the tiles read
  if (x.layout.blocked) {
    if (lanes == 1 || (groups > 1 && p.ics % kBlock != 0)) return unsupported("these channels cannot be read from a blocked value");
    const BlockedMap m(x);
    const int64_t below = padded[1] - w.begin[1] - w.in[1], right = padded[2] - w.begin[2] - w.in[2];
    if (unspread && w.begin[1] >= 0 && w.begin[2] >= 0 && x.layout.top >= w.begin[1] && x.layout.left >= w.begin[2] && x.layout.bottom >= below &&
        x.layout.right >= right) {
      c.set(a.x, c.input<const float>(0) + ((x.layout.top - w.begin[1]) * m.width + x.layout.left - w.begin[2]) * kBlock);
      a.x_image = m.image();
      a.x_block = m.block();
      a.x_group = p.ics / kBlock * m.block();
      step = {m.block(), m.row(), kBlock};
    } else {
      a.prepare.blocked = true;
      a.prepare.block = m.block();
      a.prepare.image = m.image();
      a.prepare.group = p.ics / kBlock * m.block();
      a.prepare.step[1] = m.row();
      a.prepare.step[2] = kBlock;
      c.set(a.prepare.x, c.input<const float>(0) + m.first);
    }
  } else {
    const int64_t all = groups * p.ics, plane = w.in[0] * w.in[1] * w.in[2];
    const int64_t channel = channels_last(c.attrs) ? 1 : plane, pixel = channels_last(c.attrs) ? all : 1;
    const Extent3 steps = {w.in[1] * w.in[2] * pixel, w.in[2] * pixel, pixel};
    if (lanes == 1 && unspread && w.begin == Extent3{0, 0, 0} && padded[0] <= w.in[0] && padded[1] <= w.in[1] && padded[2] <= w.in[2]) {
      c.set(a.x, c.input<const float>(0));
      a.x_image = all * plane;
      a.x_group = p.ics * channel;
      a.x_block = channel;
      step = steps;
    } else {
      a.prepare.image = all * plane;
      a.prepare.group = p.ics * channel;
      a.prepare.channel = channel;
      std::copy(steps.begin(), steps.end(), a.prepare.step);
      c.set(a.prepare.x, c.input<const float>(0));
    }
  }
  if (a.x_block == 0) {
    auto floats = checked_count(std::array<int64_t, 5>{ceil_div(p.ics, lanes), padded[0], padded[1], padded[2], lanes});
    if (!floats || *floats > (int64_t(1) << 58)) return unsupported("the padded input is too large");
    c.set(a.prepared, c.workspace<float>(*floats));
    for (size_t i = 0; i < 3; ++i) {
      a.prepare.in[i] = w.in[i];
      a.prepare.padded[i] = padded[i];
      a.prepare.begin[i] = w.begin[i];
      a.prepare.spread[i] = p.spread[i];
    }
    a.prepare.channels = p.ics;
    a.prepare.lanes = lanes;
    step = {padded[1] * padded[2] * lanes, padded[2] * lanes, lanes};
    a.x_block = padded[0] * step[0];
  }
  a.ic_step = lanes;
  a.x_hi = step[0] * w.stride[0];
  a.x_lo = step[1] * w.stride[1];
  a.x_col = step[2] * w.stride[2];
  c.set(a.tap, c.table<int64_t>(w.taps(), [&](int64_t* tap) {
    for (int64_t z = 0, t = 0; z < w.kernel[0]; ++z) {
      for (int64_t y = 0; y < w.kernel[1]; ++y) {
        for (int64_t i = 0; i < w.kernel[2]; ++i, ++t)
          tap[t] = z * w.dilation[0] * step[0] + y * w.dilation[1] * step[1] + i * w.dilation[2] * step[2];
      }
    }
  }));
  return {};
}

// Rows that follow one another without a gap, in x and in y, become one; a single column becomes a row.
void flatten(ConvArgs& a) {
  const bool residual = a.residual.image != 0;
  if (a.x_lo == a.cols * a.x_col && a.y.lo == a.cols * a.y.col && (!residual || a.residual.lo == a.cols * a.residual.col)) {
    a.cols *= a.rows_lo;
    a.rows_lo = 1;
  } else if (a.cols == 1) {
    a.cols = a.rows_lo;
    a.rows_lo = 1;
    a.x_col = a.x_lo;
    a.y.col = a.y.lo;
    a.residual.col = a.residual.lo;
  }
}

}  // namespace

Status bind_conv(BindContext& c, const ConvProblem& problem) {
  if (c.isa == Isa::cuda) return bind_device_conv(c, problem);
  const KernelRow& kernel = *c.pick(DType::f32);
  const RegisterTile tile = kernel.tile;
  ConvProblem p = problem;
  const Window& w = p.window;
  const TensorView& y = c.out(0);
  ConvArgs& a = c.args<ConvArgs>();
  a.depthwise = p.groups > 1 && p.ics == 1 && p.ocs == 1;
  if (a.depthwise) {  // one group whose lanes are independent
    p.ics = p.ocs = p.groups;
    p.groups = 1;
  }
  if (y.layout.blocked && p.groups > 1 && p.ocs % kBlock != 0) return unsupported("these channels cannot be written to a blocked value");
  Extent3 padded;
  for (size_t i = 0; i < 3; ++i) padded[i] = (w.out[i] - 1) * w.stride[i] + (w.kernel[i] - 1) * w.dilation[i] + 1;
  if (Status s = bind_input(c, p, a.depthwise, padded, a); !s) return s;

  a.taps = w.taps();
  a.ics = p.ics;
  a.ocs = p.ocs;
  a.groups = p.groups;
  a.rows_hi = w.out[0];
  a.rows_lo = w.out[1];
  a.cols = w.out[2];
  set_pixels(c, a.y, y, c.output<float>(0), p, a.depthwise);
  if (c.has(3)) set_pixels(c, a.residual, c.in(3), c.input<float>(3), p, a.depthwise);
  if (y.layout.blocked) {
    const BlockedMap m(y);
    a.halo = {y.layout.top, y.layout.bottom, y.layout.left, y.layout.right, m.height, m.width};
  }
  flatten(a);
  a.tiles = ceil_div(a.cols, tile.pixels);

  ConvPack pack{nullptr, p.w_group, p.w_oc, p.w_ic, p.groups, p.ocs, p.ics, a.taps, p.mirrored, a.depthwise, a.depthwise ? 1 : tile.blocks};
  if (a.depthwise) pack.oc = problem.w_group, pack.ics = 1;
  const int64_t floats = conv_packed_floats(pack);
  a.w_group = floats / p.groups;
  if (c.in(1).constant) {
    std::string tag = "conv/" + std::to_string(pack.tile_blocks);
    for (int64_t n : {pack.groups, pack.ocs, pack.ics, pack.taps, pack.oc, pack.ic, int64_t(pack.mirrored)}) tag += "," + std::to_string(n);
    c.set(a.w, c.packed<float>(1, tag, floats, [pack](const float* w, float* to) {
      ConvPack of = pack;
      of.w = w;
      conv_pack(of, to);
    }));
  }
  a.pack = pack;
  if (!c.in(1).constant) {
    c.set(a.pack.w, c.input<const float>(1));
    c.set(a.packed_here, c.workspace<float>(floats));
  }
  c.set(a.bias, c.input<const float>(2));
  c.set(a.scale, c.input<const float>(4));
  c.set(a.shift, c.input<const float>(5));
  auto activation = fused_activation(c.attrs);
  if (!activation) return unsupported("activation " + c.attrs.s("activation") + " is unknown");
  a.activation = activation->activation;
  a.alpha = activation->alpha;
  a.beta = activation->beta;

  const int64_t oc_groups = ceil_div(ceil_div(p.ocs, kBlock), tile.blocks);
  const auto [begin, end] = c.range(y.dims[0] * p.groups * oc_groups * a.rows_hi * a.rows_lo * a.tiles);
  if (begin == end) return {};
  a.begin = begin;
  a.end = end;
  c.run(kernel);
  return {};
}

}  // namespace tern
