// Pictures seen through a projective transform. See operator.h. Next: colors.cpp.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

// Where a coordinate lies in [0, size) as the mode says; sizes are f32 scalars. Beyond the picture: "abcd" is repeated as dcba|abcd|dcba (REFLECT),
// abcd|abcd|abcd (WRAP), aaaa|abcd|dddd (NEAREST), or not at all (CONSTANT).
ValueId folded(GraphBuilder& b, ValueId x, ValueId size, const std::string& mode) {
  if (mode == "CONSTANT") return x;
  const ValueId last = with(b, "Sub", size, 1), low = with(b, "Less", x, 0), high = b.emit("Greater", {x, last});
  const auto times = [&](ValueId v, ValueId by) { return b.emit("Floor", {b.emit("Div", {v, by})}); };
  const ValueId negative = b.emit("Neg", {x});
  ValueId y = x;
  if (mode == "REFLECT") {
    const ValueId two = with(b, "Mul", size, 2);
    const ValueId near = select(b, b.emit("Less", {x, two}), b.emit("Add", {b.emit("Mul", {two, times(negative, two)}), x}), x);
    const ValueId below =
        select(b, b.emit("Less", {near, b.emit("Neg", {size})}), b.emit("Add", {near, two}), with(b, "Sub", b.emit("Neg", {near}), 1));
    const ValueId rest = b.emit("Sub", {x, b.emit("Mul", {two, times(x, two)})});
    const ValueId above = select(b, b.emit("GreaterOrEqual", {rest, size}), with(b, "Sub", b.emit("Sub", {two, rest}), 1), rest);
    y = select(b, low, below, select(b, high, above, x));
  } else if (mode == "WRAP") {
    const ValueId some = with(b, "Max", last, 1);
    const ValueId below = b.emit("Add", {x, b.emit("Mul", {size, with(b, "Add", times(negative, some), 1)})});
    const ValueId above = b.emit("Sub", {x, b.emit("Mul", {size, times(x, some)})});
    y = select(b, low, below, select(b, high, above, x));
  }
  return b.emit("Min", {with(b, "Max", y, 0), last});
}

// Pixels [batch, height * width, channels] at rows and columns [batch, h, w], f32 whole numbers; `fill` beyond the picture.
struct Pixels {
  GraphBuilder& b;
  ValueId flat, height, width, fill;  // sizes as f32 scalars
  ValueId at(ValueId row, ValueId column) const {
    const auto inside = [&](ValueId v, ValueId size) { return b.emit("And", {with(b, "GreaterOrEqual", v, 0), b.emit("Less", {v, size})}); };
    const ValueId seen = b.emit("And", {inside(row, height), inside(column, width)});
    const auto place = [&](ValueId v) { return b.cast(select(b, seen, v, b.scalar_like(v, 0)), DType::i64); };
    const ValueId index = b.emit("Add", {b.emit("Mul", {place(row), b.cast(width, DType::i64)}), place(column)});
    const ValueId found = b.emit("GatherND", {flat, unsqueeze(b, index, {3})}, attributes({{"batch_dims", int64_t(1)}}));
    return select(b, unsqueeze(b, seen, {3}), found, fill);
  }
};

// images [batch, height, width, channels], transforms [batch or 1, 8], output_shape [2], fill_value: output (x, y) shows the input at
// (t0 x + t1 y + t2, t3 x + t4 y + t5) / (t6 x + t7 y + 1).
Values project(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, 4) || !has_rank(c, 1, 2)) return {};
  const std::string mode = c.string("fill_mode", "CONSTANT"), how = c.string("interpolation", "");
  if (mode != "CONSTANT" && mode != "REFLECT" && mode != "WRAP" && mode != "NEAREST") return c.fail(invalid("fill_mode is '" + mode + "'"));
  if (how != "NEAREST" && how != "BILINEAR") return c.fail(invalid("interpolation is '" + how + "'"));
  const ValueId given = c.tensor(0), x = b.cast(given, DType::f32);
  const std::vector<Int> out = b.elements(c.tensor(2));
  if (!b.ok()) return {};
  if (out.size() != 2) return c.fail(invalid("output_shape must be two sizes"));
  const Int batch = b.size(x, 0), height = b.size(x, 1), width = b.size(x, 2);
  const auto real = [&](const Int& n) { return b.cast(b.scalar(n), DType::f32); };
  const auto line = [&](const Int& n, int64_t axis) { return unsqueeze(b, b.cast(counted(b, n), DType::f32), {0, axis}); };
  const ValueId columns = line(out[1], 1), rows = line(out[0], 2);  // [1, 1, w], [1, h, 1]
  const ValueId transforms = b.emit("Expand", {c.tensor(1), b.ints(std::vector<Int>{batch, Int(8)})});
  const auto of = [&](int64_t i) { return unsqueeze(b, slice(b, transforms, 1, i, i + 1), {2}); };
  const auto plane = [&](int64_t i, ValueId more) {
    return b.emit("Add", {b.emit("Add", {b.emit("Mul", {of(i), columns}), b.emit("Mul", {of(i + 1), rows})}), more});
  };
  const ValueId k = plane(6, b.scalar(DType::f32, 1)), none = is_zero(b, k), by = select(b, none, b.scalar_like(k, 1), k);
  const Pixels pixels{b, b.reshape(x, {batch, b.mul(height, width), b.size(x, 3)}), real(height), real(width),
                      c.count() > 3 ? b.cast(c.tensor(3), DType::f32) : b.scalar(DType::f32, 0)};
  const ValueId column = folded(b, b.emit("Div", {plane(0, of(2)), by}), pixels.width, mode);
  const ValueId row = folded(b, b.emit("Div", {plane(3, of(5)), by}), pixels.height, mode);
  ValueId y = kNone;
  if (how == "NEAREST") {
    const auto rounded = [&](ValueId v) {  // halves away from zero
      return b.emit("Mul", {b.emit("Sign", {v}), b.emit("Floor", {with(b, "Add", b.emit("Abs", {v}), 0.5)})});
    };
    y = pixels.at(rounded(row), rounded(column));
  } else {
    const ValueId top = b.emit("Floor", {row}), left = b.emit("Floor", {column}), bottom = with(b, "Add", top, 1), right = with(b, "Add", left, 1);
    const auto between = [&](ValueId p, ValueId q, ValueId v, ValueId from, ValueId to) {
      const auto part = [&](ValueId high, ValueId low) { return unsqueeze(b, b.emit("Sub", {high, low}), {3}); };
      return b.emit("Add", {b.emit("Mul", {part(to, v), p}), b.emit("Mul", {part(v, from), q})});
    };
    const ValueId above = between(pixels.at(top, left), pixels.at(top, right), column, left, right);
    y = between(above, between(pixels.at(bottom, left), pixels.at(bottom, right), column, left, right), row, top, bottom);
  }
  return {b.cast(select(b, unsqueeze(b, none, {3}), pixels.fill, y), b.dtype(given))};
}

constexpr Operator kProjectRows[] = {{"ImageProjectiveTransformV2 ImageProjectiveTransformV3", nullptr, project}};

}  // namespace

std::span<const Operator> project_operators() { return kProjectRows; }

}  // namespace tern::tensorflow
