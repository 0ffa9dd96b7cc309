// The same elements in other places: reshape, transpose, repeat, flip, roll, pad. See ops.h. Next: join.cpp.
#include <algorithm>

#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

constexpr const char* kShapeX = "x|input|tensor|a|array|inputs";

Flows reshape(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kShapeX);
  return {{c.b.reshape(x, o.sizes("newshape|shape", 1))}};
}

Flows ravel(Call& c) { return {{c.b.reshape(Operands(c).tensor(0, kShapeX), {-1})}}; }

Flows expand_dims(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kShapeX);
  std::vector<int64_t> axes = o.ints("axis|dim", 1);
  const int rank = c.b.rank(x) + static_cast<int>(axes.size());
  for (int64_t& axis : axes) axis = c.axis(axis, rank);
  return {{unsqueeze(c.b, x, axes)}};
}

Flows squeeze_axes(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kShapeX);
  const int rank = c.b.rank(x);
  std::vector<int64_t> axes = o.ints("axis|squeeze_dims", 1);
  if (axes.empty()) {
    for (int i = 0; i < rank && c.b.ok(); ++i) {
      if (c.b.shape(x)[i].is(1)) axes.push_back(i);
    }
  }
  for (int64_t& axis : axes) axis = c.axis(axis, rank);
  return {{squeeze(c.b, x, axes)}};
}

Flows transpose_axes(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kShapeX);
  const int rank = c.b.rank(x);
  std::vector<int64_t> order = o.ints("axes|perm|pattern", 1);
  if (order.empty()) {
    for (int i = rank; i-- > 0;) order.push_back(i);
  }
  for (int64_t& axis : order) axis = c.axis(axis, rank);
  return {{permute(c.b, x, order)}};
}

Flows swap_axes(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kShapeX);
  const int rank = c.b.rank(x);
  return {{transpose(c.b, x, c.axis(o.integer("axis1", 0), rank), c.axis(o.integer("axis2", 0), rank))}};
}

Flows matrix_transpose(Call& c) {
  const ValueId x = Operands(c).tensor(0, kShapeX);
  const int rank = c.b.rank(x);
  return {{transpose(c.b, x, c.axis(-2, rank), c.axis(-1, rank))}};
}

Flows move_axis(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kShapeX);
  const int rank = c.b.rank(x);
  std::vector<int64_t> from = o.ints("source"), to = o.ints("destination");
  if (from.size() != to.size()) return c.invalid("moveaxis has other sources than destinations");
  for (int64_t& axis : from) axis = c.axis(axis, rank);
  for (int64_t& axis : to) axis = c.axis(axis, rank);
  if (!c.b.ok()) return {};
  std::vector<int64_t> order(static_cast<size_t>(rank), -1), rest;
  for (size_t i = 0; i < from.size(); ++i) order[static_cast<size_t>(to[i])] = from[i];
  for (int i = 0; i < rank; ++i) {
    if (std::find(from.begin(), from.end(), i) == from.end()) rest.push_back(i);
  }
  size_t next = 0;
  for (int64_t& axis : order) {
    if (axis < 0 && next < rest.size()) axis = rest[next++];
  }
  return {{permute(c.b, x, order)}};
}

Flows broadcast_to(Call& c) {
  const Operands o(c);
  return {{c.emit("Expand", {o.tensor(0, kShapeX), c.b.ints(o.sizes("shape", 1))})}};
}

Flows tile(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kShapeX);
  std::vector<Int> times = o.sizes("repeats|multiples", 1);
  const auto rank = static_cast<size_t>(c.b.rank(x));
  if (times.size() < rank) times.insert(times.begin(), rank - times.size(), Int(1));
  std::vector<int64_t> added;
  for (size_t i = 0; i + rank < times.size(); ++i) added.push_back(static_cast<int64_t>(i));
  if (!added.empty()) x = unsqueeze(c.b, x, added);
  return {{c.emit("Tile", {x, c.b.ints(times)})}};
}

// Every element (of an axis) `repeats` times after itself.
Flows repeat(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kShapeX);
  const std::vector<int64_t> repeats = o.ints("repeats|rep", 1);
  const Argument given = o.get(2, "axis");
  if (given.is_none()) x = c.b.reshape(x, {-1});
  const int axis = given.is_none() ? 0 : c.axis(given.integer, c.b.rank(x));
  if (repeats.empty() || *std::min_element(repeats.begin(), repeats.end()) < 0) return c.invalid("it repeats less than 0 times");
  if (repeats.size() > 1) {  // each element its own number of times
    std::vector<int64_t> places;
    for (size_t i = 0; i < repeats.size(); ++i) {
      if (repeats[i] > 1 << 20) return c.unsupported("so many repeats");
      places.insert(places.end(), static_cast<size_t>(repeats[i]), static_cast<int64_t>(i));
    }
    if (static_cast<int64_t>(repeats.size()) != c.known_size(x, axis)) return c.invalid("it has not a number of repeats for each element");
    return {{c.emit("Gather", {x, c.b.ints(places)}, attributes({{"axis", int64_t(axis)}}))}};
  }
  std::vector<Int> sizes = sizes_of(c.b, x);
  if (!c.b.ok()) return {};
  const ValueId wide = unsqueeze(c.b, x, {axis + 1});
  std::vector<int64_t> times(sizes.size() + 1, 1);
  times[static_cast<size_t>(axis) + 1] = repeats[0];
  sizes[static_cast<size_t>(axis)] = c.b.mul(sizes[static_cast<size_t>(axis)], repeats[0]);
  return {{c.b.reshape(c.emit("Tile", {wide, c.b.ints(times)}), sizes)}};
}

Flows flip(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kShapeX);
  for (int64_t axis : o.axes("axis", c.b.rank(x), 1)) x = reverse(c.b, x, static_cast<int>(axis));
  return {{x}};
}

// Along the second axis, or the first.
template <int axis>
Flows flip_axis(Call& c) {
  const ValueId x = Operands(c).tensor(0, kShapeX);
  return {{reverse(c.b, x, c.axis(axis, c.b.rank(x)))}};
}

// k quarter turns, from the first of two axes to the second.
Flows rot90(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kShapeX);
  const int rank = c.b.rank(x);
  std::vector<int64_t> axes = o.ints("axes");
  if (axes.empty()) axes = {0, 1};
  if (axes.size() != 2) return c.invalid("its config: axes are not two");
  const int from = c.axis(axes[0], rank), to = c.axis(axes[1], rank);
  const int64_t k = ((o.integer("k", 1) % 4) + 4) % 4;
  if (k == 0) return {{x}};
  if (k == 2) return {{reverse(c.b, reverse(c.b, x, from), to)}};
  return {{k == 1 ? transpose(c.b, reverse(c.b, x, to), from, to) : reverse(c.b, transpose(c.b, x, from, to), to)}};
}

// (i - shift) mod n for all n places.
ValueId rolled(Call& c, const Int& n, int64_t shift) {
  const ValueId size = c.b.scalar(n), places = c.emit("Range", {c.b.scalar(Int(0)), size, c.b.scalar(Int(1))});
  return c.emit("Mod", {c.emit("Sub", {places, c.b.scalar(Int(shift))}), size});
}

// What leaves at the end comes in at the beginning.
Flows roll(Call& c) {
  const Operands o(c);
  const ValueId input = o.tensor(0, kShapeX);
  const std::vector<int64_t> shifts = o.ints("shift", 1), axes = o.ints("axis", 2);
  ValueId x = axes.empty() ? c.b.reshape(input, {-1}) : input;
  for (size_t i = 0; i < shifts.size(); ++i) {
    const int axis = axes.empty() ? 0 : c.axis(axes[std::min(i, axes.size() - 1)], c.b.rank(x));
    if (c.b.ok() && !c.b.shape(x)[axis].known()) {
      x = c.emit("Gather", {x, rolled(c, c.b.size(x, axis), shifts[i])}, attributes({{"axis", int64_t(axis)}}));
      continue;
    }
    const int64_t n = c.known_size(x, axis);
    if (n == 0) continue;
    const int64_t s = ((shifts[i] % n) + n) % n;
    if (s != 0) x = concat(c.b, {slice(c.b, x, axis, n - s, INT64_MAX), slice(c.b, x, axis, 0, n - s)}, axis);
  }
  return {{axes.empty() ? c.b.reshape(x, sizes_of(c.b, input)) : x}};
}

// [axes, 2].
ValueId margins(Call& c, const std::vector<int64_t>& before, const std::vector<int64_t>& after) {
  std::vector<int64_t> pairs;
  for (size_t i = 0; i < before.size(); ++i) pairs.insert(pairs.end(), {before[i], after[i]});
  return c.b.reshape(c.b.ints(pairs), {Int(static_cast<int64_t>(before.size())), Int(2)});
}

// Pairs before and after for each axis; one pair, or one number, for all.
Flows pad(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kShapeX);
  const auto rank = static_cast<size_t>(c.b.rank(x));
  const Argument width = o.get(1, "pad_width|paddings");
  std::vector<int64_t> before, after;
  std::vector<Argument> rows = width.is(Argument::Kind::list) ? width.items : std::vector<Argument>{width};
  if (rows.size() == 2 && rank != 2 && rows[0].is(Argument::Kind::integer)) rows = {width};
  for (const Argument& row : rows) {
    const bool pair = row.is(Argument::Kind::list) && row.items.size() == 2;
    if (!pair && !row.is(Argument::Kind::integer)) return c.unsupported("padding that is no number");
    before.push_back(pair ? row.items[0].integer : row.integer);
    after.push_back(pair ? row.items[1].integer : row.integer);
  }
  if (before.size() == 1) before.resize(rank, before[0]), after.resize(rank, after[0]);
  if (before.size() != rank) return c.invalid("its pads are not one for each axis");
  std::string mode = o.text("mode", "constant");
  std::transform(mode.begin(), mode.end(), mode.begin(), [](char ch) { return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch; });
  if (mode == "symmetric") return {{by_tensorflow(c, "MirrorPad", {x, margins(c, before, after)}, {{"mode", std::string("SYMMETRIC")}})[0].value}};
  if (mode != "constant" && mode != "reflect" && mode != "edge") return c.unsupported("padding of mode " + mode);
  const double value = o.number("constant_values", 0);
  before.insert(before.end(), after.begin(), after.end());
  return {{c.emit("Pad", {x, c.b.ints(before), c.b.scalar_like(x, value)}, attributes({{"mode", mode}}))}};
}

template <int64_t upper>
Flows triangle(Call& c) {
  const Operands o(c);
  return {{c.emit("Trilu", {o.tensor(0, kShapeX), c.b.constant(Tensor::scalar(o.integer("k", 0)))}, attributes({{"upper", upper}}))}};
}

constexpr LayerRow kShapeRows[] = {
    {"ops.Reshape tf.reshape", reshape},
    {"ops.Ravel", ravel},
    {"ops.ExpandDims tf.expand_dims", expand_dims},
    {"ops.Squeeze tf.squeeze tf.compat.v1.squeeze", squeeze_axes},
    {"ops.Transpose tf.transpose tf.compat.v1.transpose", transpose_axes},
    {"tf.linalg.matrix_transpose", matrix_transpose},
    {"ops.Swapaxes", swap_axes},
    {"ops.Moveaxis", move_axis},
    {"ops.BroadcastTo tf.broadcast_to", broadcast_to},
    {"ops.Tile tf.tile", tile},
    {"ops.Repeat tf.repeat", repeat},
    {"ops.Flip tf.reverse", flip},
    {"ops.Fliplr", flip_axis<1>},
    {"ops.Flipud", flip_axis<0>},
    {"ops.Rot90", rot90},
    {"ops.Roll tf.roll", roll},
    {"ops.Pad tf.pad tf.compat.v1.pad", pad},
    {"ops.Tril", triangle<0>},
    {"ops.Triu", triangle<1>},
};

}  // namespace

std::span<const LayerRow> shape_operations() { return kShapeRows; }

}  // namespace tern::keras
