// Images on another grid, cut out of each other, and in other colours. See operator.h. Next: colors.cpp.
#include <cmath>

#include "loaders/tensorflow/ops/fused.h"

namespace tern::tensorflow {
namespace {

using channels_last::Resize;

template <Resize::Filter Filter>
Values resize(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, 4)) return {};
  const bool corners = c.boolean("align_corners", false), centers = c.boolean("half_pixel_centers", false);
  if (corners && centers) return c.fail(invalid("align_corners and half_pixel_centers exclude each other"));
  const Resize how{Filter, corners ? Resize::Grid::align_corners : centers ? Resize::Grid::half_pixel : Resize::Grid::legacy, false};
  const std::vector<Int> sizes = b.elements(c.tensor(1));
  if (b.ok() && sizes.size() != 2) return c.fail(invalid("size must be two numbers"));
  const ValueId y = b.ok() ? channels_last::resize(b, c.tensor(0), sizes, how) : kNone;
  return {Filter == Resize::Filter::nearest ? y : b.cast(y, DType::f32)};
}

// What tf.image.resize(antialias=True) writes: the scales are the ratios of the sizes, and nothing is translated.
Values scale_and_translate(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (!has_rank(c, 0, 4)) return {};
  constexpr std::pair<std::string_view, Resize::Filter> kFilters[] = {
      {"lanczos3", Resize::Filter::lanczos3}, {"lanczos5", Resize::Filter::lanczos5},           {"gaussian", Resize::Filter::gaussian},
      {"triangle", Resize::Filter::bilinear}, {"mitchellcubic", Resize::Filter::mitchellcubic}, {"keyscubic", Resize::Filter::bicubic},
  };
  const std::string kind = c.string("kernel_type", "lanczos3");
  const auto* filter = std::find_if(std::begin(kFilters), std::end(kFilters), [&](const auto& f) { return f.first == kind; });
  const bool antialias = c.boolean("antialias", true);
  if (filter == std::end(kFilters) || (!antialias && kind == "keyscubic")) return c.fail(unsupported("kernel_type " + kind + " is not supported"));
  const std::vector<Int> sizes = b.elements(c.tensor(1));
  const Int in[] = {b.size(x, 1), b.size(x, 2)};
  const Tensor *scale = b.contents(c.tensor(2)), *shift = b.contents(c.tensor(3));
  if (!b.ok()) return {};
  if (sizes.size() != 2) return c.fail(invalid("size must be two numbers"));
  bool plain = shift != nullptr && shift->dtype() == DType::f32;
  for (int64_t i = 0; plain && i < shift->count(); ++i) plain = shift->data<float>()[i] == 0;
  for (size_t i = 0; plain && scale != nullptr && i < 2; ++i) {
    if (!in[i].known() || !sizes[i].known() || in[i].value() == 0 || scale->dtype() != DType::f32 || scale->count() != 2) continue;
    const double ratio = static_cast<double>(sizes[i].value()) / static_cast<double>(in[i].value());
    plain = std::abs(scale->data<float>()[i] - ratio) <= 1e-6 * ratio;
  }
  if (!plain) return c.fail(unsupported("other scales than those of the sizes, and translations, are not supported"));
  return {b.cast(channels_last::resize(b, x, sizes, {filter->second, Resize::Grid::half_pixel, antialias}), DType::f32)};
}

// One axis of boxes: where sample i of n lies, [boxes, n] f32.
ValueId sample_places(GraphBuilder& b, ValueId low, ValueId high, const Int& size, int64_t n) {
  const ValueId last = b.cast(b.scalar(b.sub(size, 1)), DType::f32);
  const ValueId from = unsqueeze(b, b.emit("Mul", {low, last}), {1});
  const ValueId reach = unsqueeze(b, b.emit("Mul", {b.emit("Sub", {high, low}), last}), {1});
  if (n == 1) return b.emit("Add", {from, with(b, "Mul", reach, 0.5)});
  const ValueId step = with(b, "Div", reach, static_cast<double>(n - 1));
  return b.emit("Add", {from, b.emit("Mul", {unsqueeze(b, b.cast(counted(b, n), DType::f32), {0}), step})});
}

// boxes [n, 4] (y1, x1, y2, x2 in parts of the image) of image box_ind[n], each sampled as crop_size [2].
Values crop_and_resize(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, 4) || !has_rank(c, 1, 2) || !has_rank(c, 2, 1)) return {};
  const ValueId x = b.cast(c.tensor(0), DType::f32), boxes = c.tensor(1);
  const std::vector<int64_t> crop = c.known_ints(3);
  const std::string method = c.string("method", "bilinear");
  if (!b.ok()) return {};
  if (crop.size() != 2 || crop[0] < 1 || crop[1] < 1 || crop[0] > 1 << 16 || crop[1] > 1 << 16) return c.fail(invalid("crop_size must be two sizes"));
  if (method != "bilinear" && method != "nearest") return c.fail(unsupported("method " + method + " is not supported"));
  const Int height = b.size(x, 1), width = b.size(x, 2), channels = b.size(x, 3);
  auto side = [&](int64_t i) { return squeeze(b, slice(b, boxes, 1, i, i + 1), {1}); };
  const ValueId rows = sample_places(b, side(0), side(2), height, crop[0]), columns = sample_places(b, side(1), side(3), width, crop[1]);
  const ValueId pixels = b.reshape(x, {Int(-1), channels});
  const ValueId image = b.emit("Mul", {b.cast(c.tensor(2), DType::i64), b.scalar(b.mul(height, width))});  // [n]: its first pixel
  auto inside = [&](ValueId at, const Int& size) {
    return b.emit("And", {with(b, "GreaterOrEqual", at, 0), b.emit("LessOrEqual", {at, b.cast(b.scalar(b.sub(size, 1)), DType::f32)})});
  };
  auto clamped = [&](ValueId at, const Int& size) {
    return b.emit("Max", {b.emit("Min", {b.cast(at, DType::i64), b.scalar(b.sub(size, 1))}), b.scalar(Int(0))});
  };
  auto at = [&](ValueId row, ValueId column) {  // [n, rows, columns, channels]
    const ValueId line = b.emit("Add", {b.emit("Mul", {clamped(row, height), b.scalar(width)}), unsqueeze(b, image, {1})});
    return b.emit("Gather", {pixels, b.emit("Add", {unsqueeze(b, line, {2}), unsqueeze(b, clamped(column, width), {1})})});
  };
  ValueId y = kNone;
  if (method == "nearest") {
    auto nearest = [&](ValueId v) { return b.emit("Floor", {with(b, "Add", v, 0.5)}); };  // away from zero at halves, as round() has it
    y = at(nearest(rows), nearest(columns));
  } else {
    const ValueId top = b.emit("Floor", {rows}), left = b.emit("Floor", {columns}), bottom = b.emit("Ceil", {rows}),
                  right = b.emit("Ceil", {columns});
    const ValueId down = unsqueeze(b, b.emit("Sub", {rows, top}), {2, 3}), across = unsqueeze(b, b.emit("Sub", {columns, left}), {1, 3});
    auto between = [&](ValueId p, ValueId q, ValueId part) { return b.emit("Add", {p, b.emit("Mul", {b.emit("Sub", {q, p}), part})}); };
    y = between(between(at(top, left), at(top, right), across), between(at(bottom, left), at(bottom, right), across), down);
  }
  const ValueId seen = b.emit("And", {unsqueeze(b, inside(rows, height), {2, 3}), unsqueeze(b, inside(columns, width), {1, 3})});
  return {select(b, seen, y, b.scalar(DType::f32, c.number("extrapolation_value", 0)))};
}

constexpr Operator kImageRows[] = {
    {"ResizeBilinear", nullptr, resize<Resize::Filter::bilinear>}, {"ResizeNearestNeighbor", nullptr, resize<Resize::Filter::nearest>},
    {"ResizeBicubic", nullptr, resize<Resize::Filter::bicubic>},   {"ResizeArea", nullptr, resize<Resize::Filter::area>},
    {"ScaleAndTranslate", nullptr, scale_and_translate},           {"CropAndResize", nullptr, crop_and_resize},
};

}  // namespace

std::span<const Operator> image_operators() { return kImageRows; }

}  // namespace tern::tensorflow
