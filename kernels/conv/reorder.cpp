// Reorder: the same value in another layout; with `channels_last` the side that is not blocked is [N, spatial, C], and no Transpose stands beside it;
// with `view` what becomes blocked is elements of a plain input as they lie: extents [N,C,spatial], the first element, and how far each axis steps.
// ConcatBlocks: values, blocked or plain, joined along the channels to a blocked one, or some channels of one; at whole blocks as well as between them.
// Only assign_layouts makes these nodes, so `tern dump` shows every one. See conv.h.
#include <algorithm>

#include "kernels/conv/conv_bind.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr AttrSpec kReorderAttrs[] = {{"channels_last", AttrKind::i, 0},  // the side that is not blocked
                                      {"view", AttrKind::ints}};

// The three parts of `view`, each behind the one before.
struct ReorderView {
  std::span<const int64_t> dims, strides;
  int64_t offset;
  explicit ReorderView(std::span<const int64_t> all)
      : dims(all.first(all.size() / 2)), strides(all.last(all.size() / 2)), offset(all[all.size() / 2]) {}
};
bool is_view(std::span<const int64_t> v) { return v.size() == 7 || v.size() == 9; }
bool lies_within(int64_t count, const ReorderView& v) {
  std::optional<int64_t> last = v.offset;
  for (size_t i = 0; last && i < v.dims.size(); ++i) {
    if (v.dims[i] < 1 || v.strides[i] < 0) return false;
    const auto step = checked_mul(v.dims[i] - 1, v.strides[i]);
    last = step ? checked_add(*last, *step) : std::nullopt;
  }
  return last && v.offset >= 0 && *last < count;
}

Status infer_reorder(InferContext& c) {
  if (c.dtype(0) != DType::f32) return bad_dtype(c.dtype(0));
  Shape x = c.shape(0);
  const std::vector<int64_t> view = c.attrs.ints("view");
  if (!view.empty() && !is_view(view)) return invalid("a view has extents, a first element and strides of 3 or 4 axes");
  if (!view.empty()) x = Shape(Dims(ReorderView(view).dims));
  if (x.ranked() && x.rank() != 3 && x.rank() != 4) return invalid("blocked layouts are for 3 or 4 axes, not " + x.text());
  if (channels_last(c.attrs, kLastX)) put_channels_first(x);
  if (channels_last(c.attrs, kLastY)) put_channels_last(x);
  c.set(0, DType::f32, std::move(x));
  return {};
}

// Fills in `a` but for its share; d = [N,C,spatial], x_first the element of a plain x to begin at.
void set_reorder(BindContext& c, ReorderArgs& a, const Dims& d, int64_t x_first) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const int64_t height = d.rank == 4 ? d[2] : 1, width = d.back();
  a.batch = d[0];
  a.channels = d[1];
  a.height = height;
  a.width = width;
  a.from_blocked = x.layout.blocked;
  a.to_blocked = y.layout.blocked;
  c.set(a.x, c.input<const float>(0) + (a.from_blocked ? BlockedMap(x).first : x_first));
  c.set(a.y, c.output<float>(0) + BlockedMap(y).first);
  a.x_channel = a.y_channel = height * width;
  a.x_block = a.y_block = kBlock * height * width;
  a.x_image = a.y_image = d[1] * height * width;
  a.x_row = a.y_row = width;
  a.x_col = a.y_col = 1;
  if (a.from_blocked) {
    const BlockedMap m(x);
    a.x_image = m.image();
    a.x_block = m.block();
    a.x_row = m.row();
  }
  if (a.to_blocked) {
    const BlockedMap m(y);
    a.y_image = m.image();
    a.y_block = m.block();
    a.y_row = m.row();
    a.halo = m.halo(y.layout);
  }
}

Status bind_reorder(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const int64_t last = c.attrs.i("channels_last");
  if (x.layout.blocked == y.layout.blocked) return invalid("both sides are plain, or both blocked");
  if ((last == kLastX && x.layout.blocked) || (last == kLastY && y.layout.blocked)) return invalid("the side whose channels are last is blocked");
  const std::vector<int64_t> view = c.attrs.ints("view");
  if (!view.empty() && (x.layout.blocked || last != 0 || !lies_within(x.count(), ReorderView(view)))) return invalid("the view leaves its input");
  ReorderArgs& a = c.args<ReorderArgs>();
  set_reorder(c, a, last == kLastY ? x.dims : y.dims, view.empty() ? 0 : ReorderView(view).offset);
  if (!view.empty()) {
    const ReorderView v(view);
    a.x_image = v.strides[0], a.x_channel = v.strides[1], a.x_block = kBlock * a.x_channel;
    a.x_row = v.strides.size() == 4 ? v.strides[2] : 0, a.x_col = v.strides.back();
    if (a.x_col != 1 && a.x_channel != 1) return invalid("neither columns nor channels of the view lie beside each other");
  }
  if (last == kLastX) a.x_channel = 1, a.x_col = a.channels, a.x_row = a.width * a.channels, a.x_block = kBlock;
  if (last == kLastY) a.y_channel = 1, a.y_col = a.channels, a.y_row = a.width * a.channels, a.y_block = kBlock;
  const auto [begin, end] = c.range(a.batch * ceil_div(a.channels, kBlock));
  if (begin == end) return {};
  a.begin = begin;
  a.end = end;
  c.run(*c.pick(DType::f32));
  return {};
}

// ---- ConcatBlocks ----

constexpr AttrSpec kConcatAttrs[] = {{"channels", AttrKind::i, int64_t(-1)},  // of a single input: so many of its channels
                                     {"first", AttrKind::i, int64_t(0)}};     // from this one on

Status infer_concat(InferContext& c) {
  Shape y = c.shape(0);
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
    const Shape& x = c.shape(i);
    if (!x.ranked() || !y.ranked() || x.rank() != y.rank() || x.rank() < 3 || x.rank() > 4) return invalid("blocked layouts are for 3 or 4 axes");
    if (!x[1].known()) return invalid("the channels are not known");
    if (i == 0) continue;
    const auto channels = add(y[1], x[1]);
    if (!channels) return invalid("too many channels");
    y[1] = *channels;
  }
  const int64_t first = c.attrs.i("first"), channels = c.attrs.i("channels");
  if (channels >= 0) {
    if (c.inputs.size() != 1 || first < 0 || first > y[1].value() - channels) return invalid("these are no channels of " + y.text());
    y[1] = Dim(channels);
  }
  c.set(0, DType::f32, std::move(y));
  return {};
}

Status bind_concat(BindContext& c) {
  const TensorView& y = c.out(0);
  if (!y.layout.blocked) return unsupported("gives blocked values only");
  const BlockedMap m(y);
  ConcatBlocksArgs& a = c.args<ConcatBlocksArgs>();
  auto is_there = [&](size_t i) { return i < 32 && (c.in_place >> i & 1) != 0; };
  for (size_t i = 0; i < c.inputs.size(); ++i) a.count += !is_there(i);
  if (a.count == 0) return {};
  c.set(a.parts, c.table<CopyChannels>(a.count, [&](CopyChannels* part) {
    int64_t channels = 0;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      const TensorView& x = c.in(i);
      if (is_there(i)) {
        channels += x.dims[1];
        a.fills = channels > (m.blocks - 1) * kBlock;
        continue;
      }
      const BlockedMap mx(x);
      *part = {nullptr, mx.image(), mx.block(), 0, mx.row(), c.attrs.i("first"), channels, std::min(x.dims[1], y.dims[1])};
      if (!x.layout.blocked) part->x_channel = x.dims.count(2, x.dims.rank), part->x_image = x.dims[1] * part->x_channel, part->x_row = x.dims.back();
      c.set(part->x, c.input<const float>(i) + mx.first);
      channels += part++->channels;
    }
  }));
  c.set(a.y, c.output<float>(0) + m.first);
  a.y_image = m.image(), a.y_block = m.block(), a.y_row = m.row();
  a.batch = y.dims[0];
  a.blocks = m.blocks;
  a.height = y.dims.rank == 4 ? y.dims[2] : 1;
  a.width = y.dims.back();
  a.fills |= y.dims[1] % kBlock == 0;
  a.halo = m.halo(y.layout);
  c.run(*c.pick(DType::f32));
  return {};
}

}  // namespace

constinit const OpDef kConcatBlocks = {.name = "ConcatBlocks",
                                       .inputs = {1, -1},
                                       .outputs = {1, 1},
                                       .attrs = kConcatAttrs,
                                       .infer = infer_concat,
                                       .bind = bind_concat,
                                       .kernels = rows_of<TERN_ON_EACH_ISA(concat_blocks_f32)>,
                                       .tern_only = true};
constinit const OpDef kReorder = {.name = "Reorder",
                                  .inputs = {1, 1},
                                  .outputs = {1, 1},
                                  .attrs = kReorderAttrs,
                                  .infer = infer_reorder,
                                  .bind = bind_reorder,
                                  .kernels = rows_of<TERN_ON_EACH_ISA(reorder_f32)>,
                                  .tern_only = true};

}  // namespace tern
