// Colours of images, the last axis; in f32 whatever comes in. See operator.h. Next: patches.cpp.
#include "loaders/tensorflow/ops/fused.h"

namespace tern::tensorflow {
namespace {

struct Triple {
  ValueId first = kNone, second = kNone, third = kNone;
};

Triple apart(Call& c, ValueId x) {
  const int rank = c.b.rank(x);
  if (!c.b.ok() || rank < 1) return {};
  auto part = [&](int64_t i) { return slice(c.b, x, rank - 1, i, i + 1); };
  return {part(0), part(1), part(2)};
}

ValueId together(GraphBuilder& b, const Triple& t) { return concat(b, {t.first, t.second, t.third}, -1); }

// Hue in [0, 1), saturation, value.
Triple hsv_of(GraphBuilder& b, const Triple& rgb) {
  const ValueId red = rgb.first, green = rgb.second, blue = rgb.third;
  const ValueId value = b.emit("Max", {b.emit("Max", {red, green}), blue}), least = b.emit("Min", {b.emit("Min", {red, green}), blue});
  const ValueId range = b.emit("Sub", {value, least}), none = b.scalar_like(value, 0);
  const ValueId saturation = select(b, with(b, "Greater", value, 0), b.emit("Div", {range, value}), none);
  const ValueId norm = with(b, "Mul", b.emit("Reciprocal", {range}), 1.0 / 6);
  auto hue_from = [&](ValueId p, ValueId q, double turn) { return with(b, "Add", b.emit("Mul", {norm, b.emit("Sub", {p, q})}), turn); };
  ValueId hue = select(b, b.emit("Equal", {green, value}), hue_from(blue, red, 2.0 / 6), hue_from(red, green, 4.0 / 6));
  hue = select(b, b.emit("Equal", {red, value}), hue_from(green, blue, 0), hue);
  hue = select(b, with(b, "Greater", range, 0), hue, none);
  return {select(b, with(b, "Less", hue, 0), with(b, "Add", hue, 1), hue), saturation, value};
}

Triple rgb_of(GraphBuilder& b, const Triple& hsv) {
  const ValueId hue = hsv.first, saturation = hsv.second, value = hsv.third;
  const ValueId turn = with(b, "Mul", hue, 6), one = b.scalar_like(hue, 1), zero = b.scalar_like(hue, 0);
  auto channel = [&](double from, bool inverted) {  // |6 h - from| - 1, or 2 less that, between 0 and 1
    const ValueId far = b.emit("Abs", {with(b, "Sub", turn, from)});
    const ValueId level = b.emit("Clip", {inverted ? b.emit("Sub", {b.scalar_like(hue, 2), far}) : with(b, "Sub", far, 1), zero, one});
    const ValueId rest = b.emit("Sub", {one, saturation});
    return b.emit("Mul", {b.emit("Add", {rest, b.emit("Mul", {saturation, level})}), value});
  };
  return {channel(3, false), channel(2, true), channel(4, true)};
}

Values rgb_to_hsv(Call& c) { return {together(c.b, hsv_of(c.b, apart(c, c.tensor(0))))}; }
Values hsv_to_rgb(Call& c) { return {together(c.b, rgb_of(c.b, apart(c, c.tensor(0))))}; }

// The hue turned by delta.
Values adjust_hue(Call& c) {
  GraphBuilder& b = c.b;
  return {in_dtype(b, c.tensor(0), DType::f32, [&](ValueId x) {
    Triple hsv = hsv_of(b, apart(c, x));
    hsv.first = b.emit("Add", {hsv.first, c.tensor(1)});
    hsv.first = b.emit("Sub", {hsv.first, b.emit("Floor", {hsv.first})});
    return together(b, rgb_of(b, hsv));
  })};
}

Values adjust_saturation(Call& c) {
  GraphBuilder& b = c.b;
  return {in_dtype(b, c.tensor(0), DType::f32, [&](ValueId x) {
    Triple hsv = hsv_of(b, apart(c, x));
    hsv.second = b.emit("Clip", {b.emit("Mul", {hsv.second, c.tensor(1)}), b.scalar_like(x, 0), b.scalar_like(x, 1)});
    return together(b, rgb_of(b, hsv));
  })};
}

// (x - mean) * factor + mean, with the mean of each image's channel.
Values adjust_contrast(Call& c) {
  GraphBuilder& b = c.b;
  const int rank = c.b.rank(c.tensor(0));
  if (b.ok() && rank < 3) return c.fail(invalid("an image must have three dimensions"));
  return {in_dtype(b, c.tensor(0), DType::f32, [&](ValueId x) {
    const ValueId mean = reduced(b, "ReduceMean", x, {rank - 3, rank - 2}, true);
    return b.emit("Add", {b.emit("Mul", {b.emit("Sub", {x, mean}), c.tensor(1)}), mean});
  })};
}

constexpr Operator kColorsRows[] = {
    {"RGBToHSV", nullptr, rgb_to_hsv},
    {"HSVToRGB", nullptr, hsv_to_rgb},
    {"AdjustHue", nullptr, adjust_hue},
    {"AdjustSaturation", nullptr, adjust_saturation},
    {"AdjustContrastv2", nullptr, adjust_contrast},
};

}  // namespace

std::span<const Operator> color_operators() { return kColorsRows; }

}  // namespace tern::tensorflow
