// See map_blocks.h. Only assign_layouts makes these nodes.
#include "kernels/conv/map_blocks.h"

#include <algorithm>
#include <array>

#include "kernels/conv/conv_bind.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr EpilogueSlots kEpilogue{&kMapBlocks};

std::optional<BlockMap> map_of(const AttrReader& attrs) {
  constexpr std::pair<std::string_view, BlockMap> kMaps[] = {
      {"", BlockMap::none},   {"Add", BlockMap::add},     {"BatchNormalization", BlockMap::norm},
      {"Div", BlockMap::div}, {"Max", BlockMap::max},     {"Min", BlockMap::min},
      {"Mul", BlockMap::mul}, {"PRelu", BlockMap::prelu}, {"Sub", BlockMap::sub}};
  for (const auto& [name, map] : kMaps) {
    if (attrs.s("map") == name) return map;
  }
  return std::nullopt;
}
// Of rows and columns; of one spatial axis, columns.
struct Surroundings {
  std::array<int64_t, 2> before{0, 0}, after{0, 0}, repeats{1, 1}, steps{1, 1};
};
Result<Surroundings> surroundings(const AttrReader& attrs, int spatial) {
  constexpr int64_t kMost = 1 << 20;
  Surroundings s;
  const std::vector<int64_t> pads = attrs.ints("pads"), repeats = attrs.ints("repeats"), steps = attrs.ints("steps");
  const auto n = static_cast<size_t>(std::clamp(spatial, 1, 2)), first = 2 - n;
  auto fits = [](const std::vector<int64_t>& list, size_t size) { return list.empty() || list.size() == size; };
  if (!fits(pads, 2 * n) || !fits(repeats, n) || !fits(steps, n)) return invalid("pads, repeats and steps are of all spatial axes");
  for (size_t i = 0; i < pads.size(); ++i) (i < n ? s.before[first + i] : s.after[first + i - n]) = pads[i];
  std::copy(repeats.begin(), repeats.end(), s.repeats.begin() + static_cast<int64_t>(2 - repeats.size()));
  std::copy(steps.begin(), steps.end(), s.steps.begin() + static_cast<int64_t>(2 - steps.size()));
  for (size_t i = 0; i < 2; ++i) {
    const bool ones = s.repeats[i] >= 1 && s.steps[i] >= 1 && (s.repeats[i] == 1 || (pads.empty() && steps.empty()));
    const bool large = std::max({std::abs(s.before[i]), std::abs(s.after[i]), s.repeats[i], s.steps[i]}) > kMost;
    if (!ones || large || (s.steps[i] != 1 && (s.before[i] > 0 || s.after[i] > 0))) return unsupported("these pads, repeats or steps");
  }
  const bool alone = attrs.s("map").empty() && attrs.s("activation").empty();
  if ((!pads.empty() || !repeats.empty() || !steps.empty()) && !alone) return unsupported("pads, repeats and steps stand alone");
  return s;
}
size_t inputs_of(BlockMap map) { return map == BlockMap::none ? 1 : map == BlockMap::norm ? 5 : 2; }

Status infer_map_blocks(InferContext& c) {
  const auto map = map_of(c.attrs);
  if (!map) return unsupported("does not map " + c.attrs.s("map"));
  if (c.inputs.size() != inputs_of(*map)) return invalid("has " + std::to_string(c.inputs.size()) + " inputs");
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
  }
  const Shape& x = c.shape(0);
  if (x.ranked() && x.rank() != 3 && x.rank() != 4) return invalid("blocked layouts are for 3 or 4 axes, not " + x.text());
  const auto around = surroundings(c.attrs, x.rank() - 2);
  if (!around) return around.error();
  Shape y = x;
  for (int i = 2; i < y.rank(); ++i) {
    const auto a = static_cast<size_t>(i + 2 - y.rank());
    const auto repeated = mul(x[i], Dim(around->repeats[a]));
    const auto padded = repeated ? add(*repeated, Dim(around->before[a] + around->after[a])) : std::nullopt;
    if (!padded) return unsupported("the size of " + x.text() + " is too large");
    if (padded->known() && padded->value() < 1) return invalid("cuts more from " + x.text() + " than there is");
    y[i] = around->steps[a] == 1 ? *padded : padded->known() ? Dim(ceil_div(padded->value(), around->steps[a])) : c.fresh();
  }
  if (Status s = check_epilogue(c, kEpilogue, y); !s) return s;
  c.set(0, DType::f32, std::move(y));
  return {};
}

MapBlocksArgs::Map place(const TensorView& v) {
  const BlockedMap m(v);
  return {nullptr, m.image(), m.block(), m.row()};
}

// The other operand of an operator of two.
Status bind_other(BindContext& c, MapBlocksArgs& a) {
  const TensorView &x = c.in(0), &o = c.in(1);
  if (o.layout.blocked) {
    if (o.dims != x.dims) return unsupported("joins values of the same dims only");
    a.other = place(o);
    c.set(a.other.data, c.input<const float>(1) + BlockedMap(o).first);
    return {};
  }
  if (o.count() == 1) {
    a.single = true;
    c.set(a.other.data, c.input<const float>(1));
    return {};
  }
  const int64_t images = o.dims.rank == x.dims.rank ? o.dims[0] : 1;
  const int axis = o.dims.rank - x.dims.rank + 1;  // of the channels
  if (axis < 0 || o.dims[axis] != x.dims[1] || o.count() != images * x.dims[1] || (images != 1 && images != x.dims[0]))
    return unsupported("takes one element a channel of a plain operand");
  a.per_channel = true;
  a.other.image = images == 1 ? 0 : x.dims[1];
  c.set(a.other.data, c.input<const float>(1));
  return {};
}

Status bind_map_blocks(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  if (!x.layout.blocked || !y.layout.blocked) return unsupported("maps blocked values only");
  MapBlocksArgs& a = c.args<MapBlocksArgs>();
  a.map = *map_of(c.attrs);
  const auto around = surroundings(c.attrs, x.dims.rank - 2);
  if (!around) return around.error();
  auto pad = [](int64_t n) { return std::max<int64_t>(0, n); };
  const int64_t top = pad(around->before[0]), bottom = pad(around->after[0]), left = pad(around->before[1]), right = pad(around->after[1]);
  a.x = place(x);
  c.set(a.x.data, c.input<const float>(0) + (BlockedMap(x).first + pad(-around->before[0]) * a.x.row + pad(-around->before[1]) * kBlock));
  a.x.row *= around->steps[0];
  a.x_col = around->steps[1] * kBlock;
  a.repeat_row = around->repeats[0], a.repeat_col = around->repeats[1];
  if (a.map == BlockMap::norm) {
    for (size_t i = 1; i < 5; ++i) {
      if (c.in(i).count() != x.dims[1]) return invalid("a parameter is " + to_string(c.in(i).dims) + ", the input " + to_string(x.dims));
    }
    c.set(a.scale, c.input<const float>(1));
    c.set(a.bias, c.input<const float>(2));
    c.set(a.mean, c.input<const float>(3));
    c.set(a.variance, c.input<const float>(4));
    a.epsilon = c.attrs.f("epsilon");
  } else if (a.map != BlockMap::none) {
    if (Status s = bind_other(c, a); !s) return s;
  }
  set_epilogue(c, kEpilogue, a);
  const BlockedMap m(y);
  a.y_image = m.image(), a.y_block = m.block(), a.y_row = m.row();
  a.halo = {y.layout.top + top, y.layout.bottom + bottom, y.layout.left + left, y.layout.right + right, m.height, m.width};
  a.channels = x.dims[1];
  a.blocks = m.blocks;
  a.height = (y.dims.rank == 4 ? y.dims[2] : 1) - top - bottom;
  a.width = y.dims.back() - left - right;
  c.set(a.y, c.output<float>(0) + (m.first + (top * m.width + left) * kBlock));
  const auto [begin, end] = c.range(x.dims[0] * m.blocks);
  if (begin == end) return {};
  a.begin = begin;
  a.end = end;
  c.run(*c.pick(DType::f32));
  return {};
}

constexpr AttrSpec kOwnAttrs[] = {
    {"epsilon", AttrKind::f, 1e-5f}, {"map", AttrKind::s, ""}, {"pads", AttrKind::ints}, {"repeats", AttrKind::ints}, {"steps", AttrKind::ints}};
constexpr auto kMapBlocksAttrs = with_epilogue(kOwnAttrs);

}  // namespace

constinit const OpDef kMapBlocks = {.name = "MapBlocks",
                                    .inputs = {1, 5},
                                    .outputs = {1, 1},
                                    .attrs = kMapBlocksAttrs,
                                    .infer = infer_map_blocks,
                                    .bind = bind_map_blocks,
                                    .kernels = rows_of<TERN_ON_EACH_ISA(map_blocks_f32)>,
                                    .inplace_inputs = 1,
                                    .tern_only = true,
                                    .epilogue = &kEpilogue};

}  // namespace tern
