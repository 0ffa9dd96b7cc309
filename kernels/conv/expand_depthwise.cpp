// See expand_depthwise.h. Only runtime/expand_depthwise.h makes these nodes.
#include "kernels/conv/expand_depthwise.h"

#include <algorithm>

#include "kernels/activation_attributes.h"
#include "kernels/conv/conv_bind.h"
#include "kernels/conv/phases.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// Inputs: x, the weights of both, the biases of both.
constexpr size_t kX = 0, kExpandW = 1, kW = 2, kExpandBias = 3, kBias = 4;

constexpr AttrSpec kPairAttrs[] = {{"activation", AttrKind::s, ""},
                                   {"alpha", AttrKind::f},
                                   {"auto_pad", AttrKind::s, "NOTSET"},
                                   {"beta", AttrKind::f},
                                   {"dilations", AttrKind::ints},
                                   {"expand_activation", AttrKind::s, ""},
                                   {"expand_alpha", AttrKind::f},
                                   {"expand_beta", AttrKind::f},
                                   {"group", AttrKind::i, 1},
                                   {"kernel_shape", AttrKind::ints},
                                   {"pads", AttrKind::ints},
                                   {"strides", AttrKind::ints}};

Status infer_pair(InferContext& c) {
  const Shape &x = c.shape(kX), &w = c.shape(kExpandW), &taps = c.shape(kW);
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.has(i) && c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
  }
  if (!x.known() || !w.known() || !taps.known()) return unsupported("works on known shapes only");
  if (x.rank() != 4 || w.rank() != 4 || !(w[1] == x[1]) || !w[2].is(1) || !w[3].is(1))
    return invalid("X is " + x.text() + " and the first W is " + w.text() + ": expected one tap over all channels");
  if (taps.rank() != 4 || !(taps[0] == w[0]) || !taps[1].is(1) || c.attrs.i("group") != w[0].value())
    return invalid("the second W is " + taps.text() + ", expected one of a channel a group, of " + w[0].text() + " groups");
  for (size_t i : {kExpandBias, kBias}) {
    if (c.has(i) && c.shape(i) != Shape{w[0]}) return invalid("a bias is " + c.shape(i).text() + ", expected one value per output channel");
  }
  auto y = conv_shape(c, Shape{x[0], w[0], x[2], x[3]}, taps);
  if (!y) return y.error();
  c.set(0, DType::f32, std::move(*y));
  return {};
}

Dims dims_between(const Dims& x, const Dims& w) { return {x[0], w[0], x[2], x[3]}; }

// How the rows of the map between are gone through. Rows of it are `row` bytes, of all blocks of a tile; a window reads `reach` + 1 of them.
struct Bands {
  int64_t step, rows;
};
Bands bands_of(int64_t row, int64_t reach, const Window& w) {
  // What is computed at once and then read lies in the first cache, the band in the second. Tuned on Sapphire Rapids (48 KB, 2 MB), where half and four
  // times as much are within 2 %: they leave room on Zen 4 (32 KB, 1 MB), too.
  constexpr int64_t kAtOnce = 16 << 10, kBand = 128 << 10;
  Bands b;
  b.step = std::clamp<int64_t>(kAtOnce / row / w.stride[1], 1, w.out[1]);
  const int64_t least = (b.step - 1) * w.stride[1] + reach + 1;
  b.rows = std::min(std::max(least, kBand / row), std::max(w.in[1], least));
  return b;
}

ConvSweep sweep_of(const Window& w, RegisterTile tile, bool columns) {
  ConvSweep s;
  s.taps = w.taps();
  s.rows_lo = w.out[1], s.cols = w.out[2];
  s.tiles = ceil_div(s.cols, tile.pixels);
  s.edges = edges_of(w, columns);
  return s;
}

void bind_sweep(BindContext& c, const ConvSweep& sweep, const std::vector<int64_t>& taps, ConvArgs& a) {
  a.sweep_count = 1;
  c.set(a.sweeps, c.table<ConvSweep>(1, [&](ConvSweep* s) { *s = sweep; }));
  c.set(a.tap, c.table<int64_t>(static_cast<int64_t>(taps.size()), [&](int64_t* to) { std::copy(taps.begin(), taps.end(), to); }));
}

// x, weights and epilogue of the first convolution.
Status bind_expand(BindContext& c, RegisterTile tile, ConvArgs& a) {
  const TensorView &x = c.in(kX), &w = c.in(kExpandW);
  ConvProblem p;
  p.window.in = p.window.out = {1, x.dims[2], x.dims[3]};
  p.ics = x.dims[1], p.ocs = w.dims[0];
  p.w_ic = 1, p.w_oc = p.ics, p.w_group = p.ics * p.ocs;
  const BlockedMap m(x);
  c.set(a.x, c.input<const float>(kX) + m.first);
  a.x_image = m.image(), a.x_block = m.block(), a.x_lo = m.row(), a.x_col = kBlock;
  a.ics = p.ics, a.ocs = p.ocs;
  a.ic_step = p.ics >= kBlock ? kBlock : 1;
  a.pack = {nullptr, p.w_group, p.w_oc, p.w_ic, 1, p.ocs, p.ics, tile.blocks};
  bind_conv_weights(c, kExpandW, p, phases_of(p), a);
  bind_sweep(c, sweep_of(p.window, tile, true), {0}, a);
  c.set(a.bias, c.input<const float>(kExpandBias));
  const auto act = fused_activation(c.attrs, "expand_");
  if (!act) return unsupported("activation " + c.attrs.s("expand_activation") + " is unknown");
  a.activation = *act;
  return {};
}

// y, weights and epilogue of the second one. row: floats from a row of the band to the next.
Status bind_depthwise(BindContext& c, const ConvProblem& p, RegisterTile tile, int64_t row, ConvArgs& a) {
  const Window& w = p.window;
  a.lanewise = true;
  a.ics = a.ocs = p.groups;
  a.x_lo = w.stride[1] * row, a.x_col = w.stride[2] * kBlock;
  a.pack = {nullptr, p.w_group, p.w_group, p.w_ic, 1, p.groups, 1, 1};
  bind_conv_weights(c, kW, p, phases_of(p), a);
  std::vector<int64_t> taps;
  for (int64_t y = 0; y < w.kernel[1]; ++y) {
    for (int64_t x = 0; x < w.kernel[2]; ++x) taps.push_back(y * w.dilation[1] * row + x * w.dilation[2] * kBlock);
  }
  bind_sweep(c, sweep_of(w, tile, false), taps, a);
  set_pixels(c, a.y, c.out(0), false, c.output<float>(0), p);
  const TensorView& y = c.out(0);
  const BlockedMap m(y);
  const Layout& l = y.layout;
  a.halo = m.halo(l);
  const auto [first, last] = c.range(l.top + l.bottom + l.left + l.right == 0 ? 0 : y.dims[0] * m.blocks);
  a.first_map = first, a.last_map = last;
  c.set(a.bias, c.input<const float>(kBias));
  const auto act = fused_activation(c.attrs);
  if (!act) return unsupported("activation " + c.attrs.s("activation") + " is unknown");
  a.activation = *act;
  return {};
}

Status bind_pair(BindContext& c) {
  const TensorView &x = c.in(kX), &y = c.out(0);
  if (!x.layout.blocked || !y.layout.blocked) return unsupported("works on blocked values only");
  if (!c.in(kExpandW).constant || !c.in(kW).constant) return unsupported("the weights must be constants");
  const auto p = conv_problem(c.attrs, dims_between(x.dims, c.in(kExpandW).dims), c.in(kW).dims);
  if (!p) return p.error();
  const Window& w = p->window;
  if (w.out[2] < 2) return unsupported("works on more than one column");
  const KernelRow& kernel = *c.pick(DType::f32);
  ExpandDepthwiseArgs& a = c.args<ExpandDepthwiseArgs>();
  a.left = w.begin[2], a.right = std::max<int64_t>(0, w.swept(2) - w.begin[2] - w.in[2]);
  a.reach = (w.kernel[1] - 1) * w.dilation[1];
  const int64_t row = (a.left + w.in[2] + a.right) * kBlock;
  const Bands bands = bands_of(row * kernel.tile.blocks * static_cast<int64_t>(sizeof(float)), a.reach, w);
  a.step = bands.step, a.rows = bands.rows;
  // Above the band lie as many rows that nobody touches as a window has above m, so that it begins inside.
  const auto block = checked_mul(w.begin[1] + a.rows, row);
  const auto floats = block ? checked_mul(*block, kernel.tile.blocks) : std::nullopt;
  if (!floats || *floats > (int64_t(1) << 58)) return unsupported("the rows between the convolutions are too large");
  const Address<float> at = c.workspace<float>(*floats), band = at + w.begin[1] * row;
  c.set(a.band, band);
  if (Status s = bind_expand(c, kernel.tile, a.expand); !s) return s;
  if (Status s = bind_depthwise(c, *p, kernel.tile, row, a.depthwise); !s) return s;
  c.set(a.expand.y.data, band + a.left * kBlock);
  a.expand.y.blocked = true;
  a.expand.y.block = a.depthwise.x_block = *block;
  a.expand.y.lo = row, a.expand.y.col = kBlock;
  c.set(a.depthwise.x, at);
  a.stripes = c.parts == 1 ? 1 : 4;  // few groups of channels would leave a thread without work
  const auto [begin, end] = c.range(y.dims[0] * ceil_div(ceil_div(p->groups, kBlock), kernel.tile.blocks) * a.stripes);
  a.begin = begin, a.end = end;
  if (begin != end || a.depthwise.first_map != a.depthwise.last_map) c.run(kernel);
  return {};
}

int64_t pair_macs(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) {
  const int64_t first = in[kX].count() * in[kExpandW].dims[0], second = out[0].count() * in[kW].dims.count(2, 4);
  return checked_add(first, second).value_or(INT64_MAX);
}

}  // namespace

bool suits_expand_depthwise(const ConvNode& expand, const ConvNode& depthwise) {
  if (expand.x.rank != 4 || channels_last(expand.attrs, kLastX + kLastY) || channels_last(depthwise.attrs, kLastX + kLastY)) return false;
  const auto one = conv_problem(expand.attrs, expand.x, expand.w), second = conv_problem(depthwise.attrs, depthwise.x, depthwise.w);
  if (!one || !second || one->groups != 1 || second->groups != depthwise.x[1] || second->ics != 1 || second->ocs != 1) return false;
  const Window &first = one->window, &w = second->window;
  if (first.taps() != 1 || first.stride != Extent3{1, 1, 1} || first.in != first.out || first.begin != Extent3{0, 0, 0}) return false;
  return w.out[2] > 1 && w.kernel[1] <= w.in[1];
}

constinit const OpDef kFusedExpandDepthwise = {.name = "FusedExpandDepthwise",
                                               .inputs = {3, 5},
                                               .outputs = {1, 1},
                                               .attrs = kPairAttrs,
                                               .infer = infer_pair,
                                               .bind = bind_pair,
                                               .kernels = rows_of<TERN_ON_EACH_ISA(expand_depthwise_f32)>,
                                               .macs = pair_macs,
                                               .tern_only = true};

}  // namespace tern
