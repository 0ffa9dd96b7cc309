// Images seen from elsewhere, and tensors read at places between their elements. See ops.h. Next: loss.cpp.
#include "loaders/keras/layers/pieces.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

// x [batch, height, width, C] (or one image) through transforms [batch or 1, 8].
Flows projected(Call& c, ValueId transforms) {
  const Operands o(c);
  const ValueId given = o.tensor(0, "images");
  const int rank = c.b.rank(given);
  if (c.b.ok() && rank != 3 && rank != 4) return c.invalid("its input has " + std::to_string(rank) + " axes, not three or four");
  const bool first = o.text("data_format") == "channels_first";
  ValueId x = rank == 3 ? unsqueeze(c.b, given, {0}) : given;
  if (first) x = channels_last::to_last(c.b, x);
  const auto upper = [](std::string s) {
    for (char& ch : s) ch = ch >= 'a' && ch <= 'z' ? static_cast<char>(ch - 32) : ch;
    return s;
  };
  const ValueId sizes = c.b.cast(c.b.ints(std::vector<Int>{c.b.size(x, 1), c.b.size(x, 2)}), DType::i32);
  ValueId y =
      by_tensorflow(c, "ImageProjectiveTransformV3", {x, c.b.cast(transforms, DType::f32), sizes, c.b.scalar(DType::f32, o.number("fill_value", 0))},
                    {{"interpolation", upper(o.text("interpolation", "bilinear"))}, {"fill_mode", upper(o.text("fill_mode", "constant"))}})[0]
          .value;
  if (first) y = channels_last::to_first(c.b, y);
  return {{rank == 3 ? squeeze(c.b, y, {0}) : y}};
}

Flows affine_transform(Call& c) {
  const Operands o(c);
  const ValueId t = o.tensor(1, "transform");
  return projected(c, c.b.rank(t) == 1 ? unsqueeze(c.b, t, {0}) : t);
}

// Four corners and where they are to lie [batch, 4, 2]: of each pair x = (a u + b v + c) / (g u + h v + 1), y = (d u + e v + f) / (g u + h v + 1).
Flows perspective_transform(Call& c) {
  const Operands o(c);
  const auto points = [&](size_t place, const char* name) {
    const ValueId p = o.tensor(o.get(place, name), DType::f32);
    return c.b.rank(p) == 2 ? unsqueeze(c.b, p, {0}) : p;
  };
  const ValueId from = points(1, "start_points"), to = points(2, "end_points");
  if (c.b.rank(from) != 3 || c.b.rank(to) != 3) return c.b.ok() ? c.invalid("its points are no corners [batch, 4, 2]") : Flows();
  const auto part = [&](ValueId p, int64_t i) { return slice(c.b, p, 2, i, i + 1); };  // [batch, 4, 1]
  const ValueId x = part(from, 0), y = part(from, 1), u = part(to, 0), v = part(to, 1), zero = c.emit("Sub", {u, u}), one = with(c, "Add", zero, 1);
  const auto minus = [&](ValueId a, ValueId b) { return c.emit("Neg", {c.emit("Mul", {a, b})}); };
  const ValueId of_x = concat(c.b, {u, v, one, zero, zero, zero, minus(x, u), minus(x, v)}, 2);
  const ValueId of_y = concat(c.b, {zero, zero, zero, u, v, one, minus(y, u), minus(y, v)}, 2);
  const ValueId solved = c.emit("Solve", {concat(c.b, {of_x, of_y}, 1), concat(c.b, {x, y}, 1)});  // [batch, 8, 1]
  return projected(c, squeeze(c.b, solved, {2}));
}

// ---- map_coordinates

// i64 places along an axis of `size`, as the mode has those beyond it.
ValueId folded(const Call& c, ValueId at, const Int& size, const std::string& mode) {
  const ValueId n = c.b.scalar(size), last = c.b.scalar(c.b.sub(size, 1)), zero = c.b.scalar(Int(0));
  if (mode == "wrap") at = c.emit("Mod", {at, n});
  if (mode == "mirror" || mode == "reflect") {
    const ValueId twice = c.emit("Add", {n, n}), rest = c.emit("Mod", {c.emit("Abs", {at}), twice});
    const ValueId back = c.emit("Sub", {c.emit("Sub", {twice, rest}), c.b.scalar(Int(mode == "reflect" ? 1 : 0))});
    at = c.emit("Where", {c.emit("Less", {rest, n}), rest, back});
  }
  return c.emit("Clip", {at, zero, last});
}

// Along one axis: places and their weights, of the nearest element or of both neighbours.
struct Neighbour {
  ValueId at, weight;
};
std::vector<Neighbour> neighbours(const Call& c, ValueId x, bool linear) {
  if (!linear) return {{c.b.cast(is_float(c.b.dtype(x)) ? c.emit("Round", {x}) : x, DType::i64), kNone}};
  const ValueId low = c.emit("Floor", {x}), part = c.emit("Sub", {x, low}), at = c.b.cast(low, DType::i64);
  return {{at, c.emit("Sub", {number(c, x, 1), part})}, {c.emit("Add", {at, c.b.scalar(Int(1))}), part}};
}

// x at coordinates [rank of x, …]: a sum over all the corners around each.
Flows map_coordinates(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "inputs"), places = o.real(o.tensor(1, "coordinates"));
  const int64_t order = o.integer("order", 1, 2);
  const std::string mode = o.text("fill_mode", "constant");
  const int rank = c.b.rank(x);
  if (!c.b.ok() || order < 0 || order > 1 || rank < 1 || rank > 4)
    return c.b.ok() ? c.unsupported("coordinates of this order, or of so many axes") : Flows();
  const auto axis_of = [&](int i) { return squeeze(c.b, slice(c.b, places, 0, i, i + 1), {0}); };
  if (c.known_size(places, 0) != rank) return c.invalid("its coordinates are not as many as its input has axes");
  const DType dtype = c.b.dtype(places);
  const ValueId fill = c.b.scalar(dtype, o.number("fill_value", 0));
  ValueId sum = kNone;
  for (int corner = 0; corner < (order == 1 ? 1 << rank : 1) && c.b.ok(); ++corner) {
    std::vector<ValueId> index;
    ValueId weight = kNone, seen = kNone;
    for (int i = 0; i < rank; ++i) {
      const Neighbour at = neighbours(c, axis_of(i), order == 1)[static_cast<size_t>(corner >> i & 1)];
      const Int size = c.b.size(x, i);
      index.push_back(unsqueeze(c.b, folded(c, at.at, size, mode), {-1}));
      if (at.weight != kNone) weight = weight == kNone ? at.weight : c.emit("Mul", {weight, at.weight});
      if (mode == "constant")
        seen = both(c, seen, c.emit("And", {c.emit("GreaterOrEqual", {at.at, c.b.scalar(Int(0))}), c.emit("Less", {at.at, c.b.scalar(size)})}));
    }
    ValueId y = c.b.cast(c.emit("GatherND", {x, concat(c.b, index, -1)}), dtype);
    if (seen != kNone) y = c.emit("Where", {seen, y, fill});
    if (weight != kNone) y = c.emit("Mul", {weight, y});
    sum = sum == kNone ? y : c.emit("Add", {sum, y});
  }
  if (is_int(c.b.dtype(x))) sum = c.emit("Round", {sum});
  return {{c.b.cast(sum, c.b.dtype(x))}};
}

constexpr LayerRow kWarpRows[] = {
    {"ops.AffineTransform", affine_transform},
    {"ops.PerspectiveTransform", perspective_transform},
    {"ops.MapCoordinates", map_coordinates},
};

}  // namespace

std::span<const LayerRow> warp_operations() { return kWarpRows; }

}  // namespace tern::keras
