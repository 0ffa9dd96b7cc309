// Shapes as tensors, and other dims for the same elements. See operator.h. Next: slice.cpp.
#include "loaders/tensorflow/ops/complex.h"

namespace tern::tensorflow {
namespace {

ValueId shape_of(Call& c, ValueId v) { return c.b.cast(c.b.emit("Shape", {v}), c.dtype("out_type", DType::i32)); }

// Of complex numbers too: their parts have it.
Values shape(Call& c) { return {shape_of(c, c.value(0).imaginary() == kNone ? c.tensor(0) : c.value(0).id())}; }

Values shape_n(Call& c) {
  Values out;
  for (size_t i = 0; i < c.count(); ++i) out.push_back(shape_of(c, c.tensor(i)));
  return out;
}

Values variable_shape(Call& c) { return {shape_of(c, c.variable(0))}; }

Values size(Call& c) { return {c.b.cast(c.b.emit("Size", {c.tensor(0)}), c.dtype("out_type", DType::i32))}; }

Values rank(Call& c) {
  const int rank = c.b.rank(c.tensor(0));
  return {c.b.scalar(DType::i32, rank)};
}

Values reshape(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), to = c.tensor(1);
  if (b.rank(to) == 1 && b.shape(to)[0].known()) return {b.reshape(x, b.elements(to))};
  return {b.emit("Reshape", {x, b.cast(to, DType::i64)}, attributes({{"allowzero", int64_t(1)}}))};
}

Values expand_dims(Call& c) {
  const ValueId x = c.tensor(0);
  const int rank = c.b.rank(x);
  return {c.b.ok() ? unsqueeze(c.b, x, {axis_input(c, 1, rank + 1)}) : kNone};
}

Values squeeze_dims(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  std::vector<int64_t> axes = c.ints(c.has("axis") ? "axis" : "squeeze_dims");
  const int rank = b.rank(x);
  if (!b.ok()) return {};
  for (int64_t& axis : axes) axis = axis_of(c, axis, rank);
  for (int i = 0; axes.empty() && i < rank; ++i) {
    if (!b.shape(x)[i].known()) return c.fail(unsupported("without squeeze_dims, extents must be known when the model is loaded"));
    if (b.shape(x)[i].is(1)) return {b.emit("Squeeze", {x})};  // all of them
  }
  return {squeeze(b, x, axes)};
}

Values transposed(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int rank = b.rank(x);
  std::vector<int64_t> order = c.known_ints(1);
  if (!b.ok()) return {};
  for (int64_t& axis : order) axis = axis_of(c, axis, rank);
  if (order.size() != static_cast<size_t>(rank)) return c.fail(invalid("perm has " + std::to_string(order.size()) + " axes"));
  return {permute(b, x, order)};
}

Values broadcast_to(Call& c) { return {c.b.emit("Expand", {c.tensor(0), c.b.cast(c.tensor(1), DType::i64)})}; }

// The shape that two shapes broadcast to: of each extent the one that is not 1.
Values broadcast_args(Call& c) {
  GraphBuilder& b = c.b;
  const DType dtype = b.dtype(c.tensor(0));
  std::vector<Int> x = b.elements(c.tensor(0)), y = b.elements(c.tensor(1)), out;
  if (!b.ok()) return {};
  while (x.size() < y.size()) x.insert(x.begin(), Int(1));
  while (y.size() < x.size()) y.insert(y.begin(), Int(1));
  for (size_t i = 0; i < x.size(); ++i) {
    const Int &p = x[i], &q = y[i];
    if (p.known() && q.known()) {
      if (p.value() != q.value() && p.value() != 1 && q.value() != 1)
        return c.fail(invalid("extents of " + std::to_string(p.value()) + " and " + std::to_string(q.value()) + " do not broadcast"));
      out.push_back(p.value() == 1 ? q : p);
    } else if (p.known() || q.known()) {
      const Int &known = p.known() ? p : q, &other = p.known() ? q : p;
      out.push_back(known.value() == 1 ? other : known);
    } else if (p.node == kNone && q.node == kNone && p.dim == q.dim) {
      out.push_back(p);
    } else {
      const ValueId one = b.emit("Equal", {b.scalar(p), b.scalar(Int(1))});
      out.push_back(Int::computed(select(b, one, b.scalar(q), b.scalar(p))));
    }
  }
  return {b.cast(b.ints(out), dtype)};
}

// y[x[i]] = i
Values invert_permutation(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (!has_rank(c, 0, 1)) return {};
  const ValueId places = counted(b, b.size(x, 0));
  return {b.cast(b.emit("ScatterElements", {places, b.cast(x, DType::i64), places}), b.dtype(x))};
}

// Where each of several pieces begins along an axis, as a shape each.
Values concat_offset(Call& c) {
  GraphBuilder& b = c.b;
  const int64_t axis = known_int(c, 0);
  Values out;
  std::vector<Int> at;
  for (size_t i = 1; i < c.count() && b.ok(); ++i) {
    const std::vector<Int> sizes = b.elements(c.tensor(i));
    const int k = axis_of(c, axis, static_cast<int>(sizes.size()));
    if (!b.ok()) return {};
    if (i == 1) at.assign(sizes.size(), Int(0));
    if (at.size() != sizes.size()) return c.fail(invalid("shapes have different numbers of dimensions"));
    out.push_back(b.cast(b.ints(at), b.dtype(c.tensor(i))));
    at[static_cast<size_t>(k)] = b.add(at[static_cast<size_t>(k)], sizes[static_cast<size_t>(k)]);
  }
  return out;
}

constexpr Operator kShapeRows[] = {
    {"Shape", nullptr, shape},
    {"ShapeN", nullptr, shape_n},
    {"VariableShape", nullptr, variable_shape},
    {"Size", nullptr, size},
    {"Rank", nullptr, rank},
    {"Reshape", nullptr, each_part<reshape>},
    {"ExpandDims", nullptr, each_part<expand_dims>},
    {"Squeeze", nullptr, each_part<squeeze_dims>},
    {"Transpose", nullptr, each_part<transposed>},
    {"ConjugateTranspose", nullptr, transposed},
    {"BroadcastTo", nullptr, each_part<broadcast_to>},
    {"BroadcastArgs", nullptr, broadcast_args},
    {"InvertPermutation", nullptr, invert_permutation},
    {"ConcatOffset", nullptr, concat_offset},
};

}  // namespace

std::span<const Operator> shape_operators() { return kShapeRows; }

}  // namespace tern::tensorflow
