// Contrast by tiles: ContrastLimitedAdaptiveHistogramEqualization. See layer.h. Next: spectrogram.cpp.
// Each tile of an image has a histogram, cut off at a limit, whose sums so far say which grey becomes which; between the centres of four tiles what they
// say is interpolated. Source: Zuiderveld 1994 (Graphics Gems IV), as Keras computes it.
#include <algorithm>
#include <cmath>

#include "loaders/keras/layers/pieces.h"

namespace tern::keras {
namespace {

using channels_last::Channels;

constexpr int64_t kGreys = 256, kMostCounts = int64_t(1) << 24;

struct Tiles {
  int64_t height = 0, width = 0, channels = 0;  // of an image
  int64_t rows = 0, columns = 0;                // tiles
  int64_t tall = 0, wide = 0;                   // of a tile
};

ValueId along(Call& c, ValueId x, int axis, const std::vector<int64_t>& places) {
  return c.emit("Gather", {x, c.b.ints(places)}, attributes({{"axis", int64_t(axis)}}));
}

// The axis mirrored behind its end, to be `want` long.
ValueId mirrored(Call& c, ValueId x, int axis, int64_t have, int64_t want) {
  std::vector<int64_t> places;
  for (int64_t i = 0; i < want; ++i) places.push_back(i < have ? i : 2 * have - 1 - i);
  return have == want ? x : along(c, x, axis, places);
}

// Where in [N, rows, columns, channels, greys], made flat, the grey of each pixel is, as the tile of its row and column says. pixels [N, H, W, C] i64.
ValueId places(Call& c, ValueId pixels, const std::vector<int64_t>& row, const std::vector<int64_t>& column, int64_t rows, int64_t columns,
               int64_t channels) {
  std::vector<int64_t> own;
  for (int64_t i = 0; i < channels; ++i) own.push_back(i * kGreys);
  const int64_t step = channels * kGreys;
  const auto wide = [&](std::vector<int64_t> v, int64_t by, std::vector<Int> sizes) {
    for (int64_t& n : v) n *= by;
    return c.b.reshape(c.b.ints(v), sizes);
  };
  const auto n = static_cast<int64_t>(row.size()), m = static_cast<int64_t>(column.size());
  const ValueId range = c.emit("Range", {c.b.scalar(Int(0)), c.b.scalar(c.b.size(pixels, 0)), c.b.scalar(Int(1))});
  const ValueId image = c.b.reshape(c.emit("Mul", {range, c.b.scalar(Int(rows * columns * step))}), {Int(-1), Int(1), Int(1), Int(1)});
  const ValueId tile = c.emit("Add", {wide(row, columns * step, {Int(n), Int(1), Int(1)}), wide(column, step, {Int(m), Int(1)})});
  return c.emit("Add", {c.emit("Add", {pixels, image}), c.emit("Add", {tile, c.b.ints(own)})});
}

// [N, rows, columns, channels, greys]: what each grey becomes in each tile, f32.
ValueId curves(Call& c, ValueId pixels, const Tiles& t, double clip_limit) {
  std::vector<int64_t> row, column;
  for (int64_t i = 0; i < t.rows * t.tall; ++i) row.push_back(i / t.tall);
  for (int64_t i = 0; i < t.columns * t.wide; ++i) column.push_back(i / t.wide);
  const ValueId at = c.b.reshape(places(c, pixels, row, column, t.rows, t.columns, t.channels), {Int(-1), Int(1)});
  const Int all = c.b.mul(c.b.size(pixels, 0), t.rows * t.columns * t.channels * kGreys);
  const ValueId zeros = c.emit("Expand", {c.b.scalar(DType::f32, 0), c.b.ints(std::vector<Int>{all})});
  const ValueId ones = c.emit("Expand", {c.b.scalar(DType::f32, 1), c.b.ints(std::vector<Int>{c.b.size(at, 0)})});
  ValueId h = c.emit("ScatterND", {zeros, at, ones}, attributes({{"reduction", std::string("add")}}));
  h = c.b.reshape(h, {Int(-1), Int(t.rows), Int(t.columns), Int(t.channels), Int(kGreys)});
  const double pixels_of_tile = static_cast<double>(t.tall * t.wide);
  if (clip_limit > 0) {
    const ValueId clipped = c.emit("Min", {h, number(c, h, clip_limit * pixels_of_tile / kGreys)});
    const ValueId excess = reduce(c, "ReduceSum", c.emit("Sub", {h, clipped}), {-1}, true);
    h = c.emit("Add", {clipped, c.emit("Mul", {excess, number(c, h, 1.0 / kGreys)})});
  }
  const ValueId sums = c.emit("CumSum", {h, c.b.scalar(Int(-1))}), least = reduce(c, "ReduceMin", sums, {-1}, true);
  const ValueId above = c.emit("Mul", {c.emit("Sub", {sums, least}), number(c, h, 255)});
  ValueId below = c.emit("Sub", {number(c, h, pixels_of_tile), least});
  below = c.emit("Where", {c.emit("Equal", {below, number(c, h, 0)}), number(c, h, 1), below});
  return c.emit("Clip", {c.emit("Div", {above, below}), number(c, h, 0), number(c, h, 255)});
}

// Of n tiles of `size` places along an axis, with one more at each end: which two each place lies between, and how near the second.
struct Between {
  std::vector<int64_t> first, second;
  std::vector<float> share;
};
Between between(int64_t tiles, int64_t size) {
  Between b;
  for (int64_t i = 0; i < tiles * size; ++i) {
    const float at = (static_cast<float>(i) - static_cast<float>(size) / 2.0F) / static_cast<float>(size) + 1.0F, low = std::floor(at);
    b.share.push_back(at - low);
    b.first.push_back(std::clamp(static_cast<int64_t>(low), int64_t(0), tiles + 1));
    b.second.push_back(std::clamp(static_cast<int64_t>(low) + 1, int64_t(0), tiles + 1));
  }
  return b;
}

std::vector<int64_t> with_ends(int64_t n) {
  std::vector<int64_t> out = {0};
  for (int64_t i = 0; i < n; ++i) out.push_back(i);
  out.push_back(n - 1);
  return out;
}

ValueId equalized(Call& c, ValueId x, const Tiles& t) {
  x = mirrored(c, mirrored(c, x, 1, t.height, t.rows * t.tall), 2, t.width, t.columns * t.wide);
  const ValueId pixels = c.b.cast(c.emit("Clip", {x, number(c, x, 0), number(c, x, 255)}), DType::i64);
  const ValueId tiles = curves(c, pixels, t, c.config.number("clip_limit", 4));
  const ValueId flat = c.b.reshape(along(c, along(c, tiles, 1, with_ends(t.rows)), 2, with_ends(t.columns)), {-1});
  const Between down = between(t.rows, t.tall), across = between(t.columns, t.wide);
  const auto said = [&](const std::vector<int64_t>& row, const std::vector<int64_t>& column) {
    return c.emit("Gather", {flat, places(c, pixels, row, column, t.rows + 2, t.columns + 2, t.channels)});
  };
  const auto mix = [&](ValueId a, ValueId b, const std::vector<float>& share, const std::vector<Int>& sizes) {
    const ValueId s = c.b.reshape(c.b.constant(Tensor::of<float>({static_cast<int64_t>(share.size())}, share)), sizes);
    return c.emit("Add", {c.emit("Mul", {a, c.emit("Sub", {number(c, s, 1), s})}), c.emit("Mul", {b, s})});
  };
  const std::vector<Int> columns = {Int(-1), Int(1)}, rows = {Int(-1), Int(1), Int(1)};
  const ValueId top = mix(said(down.first, across.first), said(down.first, across.second), across.share, columns);
  const ValueId bottom = mix(said(down.second, across.first), said(down.second, across.second), across.share, columns);
  return slice(c.b, slice(c.b, mix(top, bottom, down.share, rows), 1, 0, t.height), 2, 0, t.width);
}

Flows clahe(Call& c) {
  const Channels format = channels_of(c);
  const ValueId given = c.x();
  const std::vector<int64_t> grid = c.config.ints("tile_grid_size", 2);
  std::vector<double> range = c.config.numbers("value_range");
  if (range.empty()) range = {0, 255};
  if (c.b.rank(given) != 4 || range.size() != 2 || range[0] == range[1])
    return c.invalid("its input has no four axes, or its value_range makes no sense");
  const ValueId image = format == Channels::last ? given : channels_last::to_last(c.b, given);
  Tiles t{c.known_size(image, 1), c.known_size(image, 2), c.known_size(image, 3), 8, 8, 0, 0};
  if (!grid.empty()) t.rows = grid[0], t.columns = grid[1];
  if (!c.b.ok()) return {};
  if (std::min({t.height, t.width, t.channels, t.rows, t.columns}) < 1 || std::max({t.height, t.width, t.channels, t.rows, t.columns}) > 1 << 15)
    return c.invalid("its tiles or its input have a size that makes no sense");
  t.tall = (t.height + t.rows - 1) / t.rows, t.wide = (t.width + t.columns - 1) / t.columns;
  if (t.rows * t.tall > 2 * t.height || t.columns * t.wide > 2 * t.width) return c.invalid("it has more tiles than its input has pixels");
  if (t.rows * t.columns > kMostCounts / (t.channels * kGreys)) return c.unsupported("so many tiles");
  const bool bytes = range[0] == 0 && range[1] == 255;
  const auto scaled = [&](const char* op, ValueId v, double by) { return c.emit(op, {v, number(c, v, by)}); };
  ValueId x = c.b.cast(image, DType::f32);
  if (!bytes) x = scaled("Mul", scaled("Div", scaled("Sub", x, range[0]), range[1] - range[0]), 255);
  x = equalized(c, x, t);
  if (!bytes) x = scaled("Add", scaled("Mul", scaled("Div", x, 255), range[1] - range[0]), range[0]);
  x = c.b.cast(x, c.b.dtype(given));
  return {{format == Channels::last ? x : channels_last::to_first(c.b, x)}};
}

constexpr LayerRow kEqualizeRows[] = {{"ContrastLimitedAdaptiveHistogramEqualization", clahe}};

}  // namespace

std::span<const LayerRow> equalize_layers() { return kEqualizeRows; }

}  // namespace tern::keras
