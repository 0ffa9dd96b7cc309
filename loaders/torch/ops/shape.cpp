// Views and movements: what changes shapes and places, not values. See operator.h. Next: join.cpp, pad.cpp.
#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

IValue reshape(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (const auto* to = a["shape"].get<DType>()) return tensor_of(b.fail(unsupported(std::string("view as ") + name(*to) + " is not supported")));
  return tensor_of(b.reshape(x, a.sizes("shape")));
}

IValue view_as(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), other = a.tensor("other");
  return tensor_of(b.reshape(x, sizes_of(b, other)));
}

IValue flatten(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int rank = b.rank(x), begin = b.axis(x, a.integer("start_dim")), end = b.axis(x, a.integer("end_dim"));
  if (!b.ok()) return {};
  if (rank == 0) return tensor_of(unsqueeze(b, x, {0}));
  if (begin > end) return tensor_of(b.fail(invalid("flatten: start_dim comes after end_dim")));
  if (begin == end) return tensor_of(x);
  std::vector<Int> sizes;
  for (int i = 0; i < begin; ++i) sizes.push_back(b.size(x, i));
  Int n = 1;
  for (int i = begin; i <= end; ++i) n = b.mul(n, b.size(x, i));
  sizes.push_back(n);
  for (int i = end + 1; i < rank; ++i) sizes.push_back(b.size(x, i));
  return tensor_of(b.reshape(x, sizes));
}

IValue unflatten(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int rank = b.rank(x), axis = b.axis(x, a.integer("dim"));
  std::vector<Int> sizes, parts = a.sizes("sizes");
  if (!b.ok()) return {};
  Int known = 1, missing_at = -1;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].known() && parts[i].value() == -1) missing_at = static_cast<int64_t>(i);
    else known = b.mul(known, parts[i]);
  }
  if (missing_at.value() >= 0) parts[static_cast<size_t>(missing_at.value())] = b.floor_div(b.size(x, axis), known);
  for (int i = 0; i < rank; ++i) {
    if (i == axis) sizes.insert(sizes.end(), parts.begin(), parts.end());
    else sizes.push_back(b.size(x, i));
  }
  return tensor_of(b.reshape(x, sizes));
}

IValue permute_to(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  std::vector<int64_t> order;
  std::vector<bool> seen(static_cast<size_t>(b.rank(x)), false);
  for (int64_t d : a.ints("dims")) {
    order.push_back(b.axis(x, d));
    if (!b.ok()) return {};
    if (seen[static_cast<size_t>(order.back())]) return tensor_of(b.fail(invalid("permute: a dim is repeated")));
    seen[static_cast<size_t>(order.back())] = true;
  }
  if (order.size() != seen.size())
    return tensor_of(b.fail(invalid("permute: " + std::to_string(order.size()) + " dims for a tensor of " + std::to_string(seen.size()))));
  return tensor_of(permute(b, x, order));
}

IValue transpose_dims(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int d0 = b.axis(x, a.integer("dim0")), d1 = b.axis(x, a.integer("dim1"));
  return tensor_of(b.ok() ? transpose(b, x, d0, d1) : kNone);
}

IValue t(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.rank(x) < 2 ? x : transpose(b, x, 0, 1));
}

IValue reverse_dims(Builder& b, const Arguments& a) {  // x.T
  const ValueId x = a.tensor("input");
  std::vector<int64_t> order;
  for (int i = b.rank(x); i-- > 0;) order.push_back(i);
  return tensor_of(permute(b, x, order));
}

IValue matrix_transpose(Builder& b, const Arguments& a) {  // x.mT
  const ValueId x = a.tensor("input");
  const int rank = b.rank(x);
  return tensor_of(rank < 2 ? x : transpose(b, x, rank - 2, rank - 1));
}

IValue movedim(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const std::vector<int64_t> from = a.ints("source"), to = a.ints("destination");
  const int rank = b.rank(x);
  if (!b.ok() || from.size() != to.size()) return tensor_of(b.ok() ? b.fail(invalid("movedim: as many sources as destinations are needed")) : kNone);
  std::vector<int64_t> order(static_cast<size_t>(rank), -1);
  std::vector<bool> used(static_cast<size_t>(rank), false);
  for (size_t i = 0; i < from.size(); ++i) {
    const int s = b.axis(x, from[i]), d = b.axis(x, to[i]);
    if (!b.ok()) return {};
    order[static_cast<size_t>(d)] = s;
    used[static_cast<size_t>(s)] = true;
  }
  int next = 0;
  for (int64_t& o : order) {
    if (o >= 0) continue;
    while (used[static_cast<size_t>(next)]) ++next;
    o = next++;
  }
  return tensor_of(permute(b, x, order));
}

// Sizes that are not known to be 1 stay.
IValue squeeze_dims(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  std::vector<int64_t> axes;
  if (!a.has("dim")) {
    for (int i = 0; i < b.rank(x); ++i) axes.push_back(i);
  } else {
    for (int64_t d : a.ints("dim")) axes.push_back(b.axis(x, d));
  }
  if (!b.ok()) return {};
  std::erase_if(axes, [&](int64_t i) { return b.rank(x) == 0 || !b.shape(x)[static_cast<int>(i)].is(1); });
  return tensor_of(squeeze(b, x, axes));
}

IValue unsqueeze_dim(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis_of(a.integer("dim"), b.rank(x) + 1);
  return tensor_of(b.ok() ? unsqueeze(b, x, {axis}) : kNone);
}

ValueId expand_to(Builder& b, ValueId x, std::vector<Int> sizes) {
  const int rank = b.rank(x), more = static_cast<int>(sizes.size()) - rank;
  if (more < 0) return b.fail(invalid("expand: fewer sizes than dimensions"));
  bool same = more == 0;
  for (int i = 0; i < rank && b.ok(); ++i) {
    Int& s = sizes[static_cast<size_t>(i + more)];
    if (s.known() && s.value() == -1) s = b.size(x, i);
    same = same && s.node == kNone && s.dim == b.shape(x)[i];
  }
  return same || !b.ok() ? x : b.emit("Expand", {x, b.ints(sizes)});
}

IValue expand(Builder& b, const Arguments& a) { return tensor_of(expand_to(b, a.tensor("input"), a.sizes("size"))); }

IValue expand_as(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), other = a.tensor("other");
  return tensor_of(expand_to(b, x, sizes_of(b, other)));
}

IValue repeat(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  std::vector<Int> repeats = a.sizes("repeats");
  const int more = static_cast<int>(repeats.size()) - b.rank(x);
  if (!b.ok()) return {};
  if (more < 0) {
    if (!a.boolean("tile")) return tensor_of(b.fail(invalid("repeat: fewer numbers than dimensions")));
    repeats.insert(repeats.begin(), static_cast<size_t>(-more), Int(1));
  }
  std::vector<int64_t> axes;
  for (int i = 0; i < more; ++i) axes.push_back(i);
  if (!axes.empty()) x = unsqueeze(b, x, axes);
  return tensor_of(b.emit("Tile", {x, b.ints(repeats)}));
}

// Each element n times: one more axis, expanded, flattened away.
IValue repeat_interleave(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  const Int n = a.size("repeats");
  if (!a.has("dim")) x = b.reshape(x, {Int(-1)});
  const int axis = a.has("dim") ? b.axis(x, a.integer("dim")) : 0;
  std::vector<Int> sizes, flat;
  for (int i = 0; i < b.rank(x); ++i) {
    const Int s = b.size(x, i);
    sizes.push_back(s);
    flat.push_back(i == axis ? b.mul(s, n) : s);
    if (i == axis) sizes.push_back(n);
  }
  if (!b.ok()) return {};
  return tensor_of(b.reshape(b.emit("Expand", {unsqueeze(b, x, {axis + 1}), b.ints(sizes)}), flat));
}

IValue flip(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  for (int64_t d : a.ints("dims")) {
    const int axis = b.axis(x, d);
    if (b.ok()) x = reverse(b, x, axis);
  }
  return tensor_of(x);
}

// Element i moves to i + by, around the end.
ValueId rolled(Builder& b, ValueId x, int axis, int64_t by) {
  if (!b.ok() || by == 0) return x;
  if (const Dim& n = b.shape(x)[axis]; n.known()) {
    if (n.value() == 0 || by % n.value() == 0) return x;
    by = ((by % n.value()) + n.value()) % n.value();
    return concat(b, {slice(b, x, axis, n.value() - by, INT64_MAX), slice(b, x, axis, 0, n.value() - by)}, axis);
  }
  return b.fail(unsupported("roll along a dimension that is not known when the model is loaded"));
}

IValue roll(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  const std::vector<int64_t> shifts = a.ints("shifts"), dims = a.ints("dims");
  if (!b.ok()) return {};
  if (dims.empty() && shifts.size() == 1) return tensor_of(b.reshape(rolled(b, b.reshape(x, {Int(-1)}), 0, shifts[0]), sizes_of(b, x)));
  if (dims.size() != shifts.size()) return tensor_of(b.fail(invalid("roll: as many shifts as dims are needed")));
  for (size_t i = 0; i < dims.size(); ++i) {
    const int axis = b.axis(x, dims[i]);
    x = rolled(b, x, axis, shifts[i]);
  }
  return tensor_of(x);
}

template <int Axis>
IValue flip_axis(Builder& b, const Arguments& a) {  // flipud, fliplr
  const ValueId x = a.tensor("input");
  if (b.ok() && b.rank(x) <= Axis) return tensor_of(b.fail(invalid("the input needs at least " + std::to_string(Axis + 1) + " dimensions")));
  return tensor_of(reverse(b, x, Axis));
}

// By k quarter turns, from the first dim towards the second.
IValue rot90(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const std::vector<int64_t> dims = a.ints("dims", 2);
  const int d0 = b.axis(x, dims[0]), d1 = b.axis(x, dims[1]);
  const int64_t k = ((a.integer("k") % 4) + 4) % 4;
  if (!b.ok()) return {};
  if (d0 == d1) return tensor_of(b.fail(invalid("rot90 needs two different dims")));
  auto turned = [&](ValueId v, int axis) { return slice(b, v, axis, -1, INT64_MIN, -1); };
  if (k == 0) return tensor_of(x);
  if (k == 2) return tensor_of(turned(turned(x, d0), d1));
  return tensor_of(transpose(b, turned(x, k == 1 ? d1 : d0), d0, d1));
}

template <int Rank>
IValue at_least(Builder& b, const Arguments& a) {  // atleast_1d, 2d, 3d
  return tensor_of(with_rank(b, a.tensor("input"), Rank));
}

IValue broadcast_tensors(Builder& b, const Arguments& a) {
  IValues out;
  const std::vector<ValueId> all = a.tensors("tensors");
  for (ValueId v : all) {
    for (ValueId other : all) {  // Expand broadcasts both ways
      if (b.ok() && !(b.shape(v) == b.shape(other))) v = b.emit("Expand", {v, b.ints(sizes_of(b, other))});
    }
    out.push_back(tensor_of(v));
  }
  return IValue::tuple(std::move(out));
}

template <int Upper>
IValue triangle(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Trilu", {x, b.scalar(a.size("diagonal"))}, attributes({{"upper", int64_t(Upper)}})));
}

IValue size(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (a.has("dim")) return b.size(x, b.axis(x, a.integer("dim")));
  const std::vector<Int> sizes = sizes_of(b, x);
  return IValue::tuple(IValues(sizes.begin(), sizes.end()));
}

IValue dim(Builder& b, const Arguments& a) { return Int(b.rank(a.tensor("input"))); }

IValue numel(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  Int n = 1;
  for (int i = 0; i < b.rank(x); ++i) n = b.mul(n, b.size(x, i));
  return n;
}

// A view that has all elements in their order, put back.
ValueId put_reshaped(Builder& b, const Arguments&, ValueId whole, ValueId part) {
  std::vector<Int> sizes;
  for (int axis = 0; axis < b.rank(whole); ++axis) sizes.push_back(b.size(whole, axis));
  return b.reshape(part, sizes);
}

ValueId put_transposed(Builder& b, const Arguments& a, ValueId, ValueId part) {
  return call(b, "aten.transpose.int", {IValue::tensor(part), a["dim0"], a["dim1"]}).id();
}

ValueId put_t(Builder& b, const Arguments&, ValueId, ValueId part) { return call(b, "aten.t.default", {IValue::tensor(part)}).id(); }

ValueId put_permuted(Builder& b, const Arguments& a, ValueId, ValueId part) {
  const std::vector<int64_t> dims = a.ints("dims");
  IValues inverse(dims.size());
  for (size_t i = 0; b.ok() && i < dims.size(); ++i) {
    const int axis = b.axis(part, dims[i]);
    if (b.ok()) inverse[static_cast<size_t>(axis)] = Int(static_cast<int64_t>(i));
  }
  return b.ok() ? call(b, "aten.permute.default", {IValue::tensor(part), IValue::list(std::move(inverse))}).id() : kNone;
}

constexpr Operator kShapeRows[] = {
    {"aten.view.default Tensor.view", "input|self, *shape|size", reshape, Shares::view, put_reshaped},
    {"aten.reshape.default torch.reshape Tensor.reshape", "input|self, *shape|size", reshape, Shares::perhaps},
    {"aten._unsafe_view.default", "input|self, *shape|size", reshape},
    {"Tensor.view_as Tensor.reshape_as aten.view_as.default aten.reshape_as.default", "input|self, other", view_as, Shares::perhaps},
    {"aten.flatten.using_ints torch.flatten Tensor.flatten", "input|self, start_dim=0, end_dim=-1", flatten, Shares::perhaps},
    {"torch.ravel Tensor.ravel aten.ravel.default", "input|self, start_dim=0, end_dim=-1", flatten, Shares::perhaps},
    {"aten.unflatten.int torch.unflatten Tensor.unflatten", "input|self, dim, sizes", unflatten, Shares::view, put_reshaped},
    {"aten.permute.default Tensor.permute torch.permute", "input|self, *dims", permute_to, Shares::view, put_permuted},
    {"aten.transpose.int aten.swapaxes.default aten.swapdims.default torch.transpose torch.swapaxes torch.swapdims Tensor.transpose "
     "Tensor.swapaxes Tensor.swapdims",
     "input|self, dim0|axis0, dim1|axis1", transpose_dims, Shares::view, put_transposed},
    {"aten.t.default torch.t Tensor.t", "input|self", t, Shares::view, put_t},
    {"aten.numpy_T.default Tensor.T", "input|self", reverse_dims, Shares::view},
    {"aten.mT.default aten.adjoint.default Tensor.mT torch.adjoint Tensor.adjoint Tensor.H Tensor.mH", "input|self", matrix_transpose, Shares::view},
    {"aten.movedim.int aten.moveaxis.int aten.moveaxis.intlist aten.movedim.intlist torch.movedim torch.moveaxis Tensor.movedim "
     "Tensor.moveaxis",
     "input|self, source, destination", movedim, Shares::view},
    {"aten.squeeze.default aten.squeeze.dim aten.squeeze.dims torch.squeeze Tensor.squeeze", "input|self, dim=None", squeeze_dims, Shares::view,
     put_reshaped},
    {"aten.unsqueeze.default torch.unsqueeze Tensor.unsqueeze", "input|self, dim", unsqueeze_dim, Shares::view, put_reshaped},
    {"aten.expand.default Tensor.expand", "input|self, *size, implicit=False", expand, Shares::view},
    {"torch.broadcast_to Tensor.broadcast_to aten.broadcast_to.default", "input|self, size", expand, Shares::view},
    {"aten.expand_as.default Tensor.expand_as", "input|self, other", expand_as, Shares::view},
    {"aten.repeat.default Tensor.repeat", "input|self, *repeats, tile=False", repeat},
    {"aten.tile.default torch.tile Tensor.tile", "input|self, *repeats|dims, tile=True", repeat},
    {"aten.repeat_interleave.self_int torch.repeat_interleave Tensor.repeat_interleave", "input|self, repeats, dim=None, *, output_size=None",
     repeat_interleave},
    {"aten.flip.default torch.flip Tensor.flip", "input|self, *dims", flip},
    {"aten.roll.default torch.roll Tensor.roll", "input|self, shifts, dims=()", roll},
    {"aten.tril.default torch.tril Tensor.tril", "input|self, diagonal=0", triangle<0>},
    {"aten.triu.default torch.triu Tensor.triu", "input|self, diagonal=0", triangle<1>},
    {"Tensor.size aten.sym_size.int aten.size.int", "input|self, dim=None", size},
    {"Tensor.dim Tensor.ndimension aten.dim.default", "input|self", dim},
    {"Tensor.numel Tensor.nelement torch.numel aten.sym_numel.default aten.numel.default", "input|self", numel},
    {"aten.flipud.default torch.flipud Tensor.flipud", "input|self", flip_axis<0>},
    {"aten.fliplr.default torch.fliplr Tensor.fliplr", "input|self", flip_axis<1>},
    {"aten.rot90.default torch.rot90 Tensor.rot90", "input|self, k=1, dims=(0, 1)", rot90},
    {"aten.atleast_1d.default torch.atleast_1d", "input|self", at_least<1>, Shares::view},
    {"aten.atleast_2d.default torch.atleast_2d", "input|self", at_least<2>, Shares::view},
    {"aten.atleast_3d.default torch.atleast_3d", "input|self", at_least<3>, Shares::view},
    {"torch.broadcast_tensors", "*tensors", broadcast_tensors, Shares::view},
    {"aten.broadcast_tensors.default", "tensors", broadcast_tensors, Shares::view},
};

}  // namespace

std::span<const Operator> shape_operators() { return kShapeRows; }

}  // namespace tern::torch
