// Views and movements: what changes shapes and places, not values. See operator.h. Next: pad.cpp, index.cpp.
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
  std::vector<Int> sizes;
  for (int i = 0; i < b.rank(other); ++i) sizes.push_back(b.size(other, i));
  return tensor_of(b.reshape(x, sizes));
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
  if (order.size() != seen.size()) return tensor_of(b.fail(invalid("permute: " + std::to_string(order.size()) + " dims for a tensor of " + std::to_string(seen.size()))));
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
  std::vector<Int> sizes;
  for (int i = 0; i < b.rank(other); ++i) sizes.push_back(b.size(other, i));
  return tensor_of(expand_to(b, x, sizes));
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

IValue cat(Builder& b, const Arguments& a) {
  std::vector<ValueId> all = a.tensors("tensors"), parts;
  if (!b.ok() || all.empty()) return tensor_of(b.ok() ? b.fail(invalid("cat: there are no tensors")) : kNone);
  DType type = DType::none;
  for (ValueId v : all) {
    const bool legacy = b.rank(v) == 1 && b.shape(v)[0].is(0) && all.size() > 1;  // torch skips empty vectors
    if (!legacy) parts.push_back(v);
    type = promote(type, b.dtype(v));
  }
  if (parts.empty()) parts.push_back(all[0]);
  for (ValueId& v : parts) v = b.cast(v, type);
  const int axis = b.axis(parts[0], a.integer("dim"));
  return tensor_of(b.ok() ? concat(b, parts, axis) : kNone);
}

IValue stack(Builder& b, const Arguments& a) {
  std::vector<ValueId> parts = a.tensors("tensors");
  if (!b.ok() || parts.empty()) return tensor_of(b.ok() ? b.fail(invalid("stack: there are no tensors")) : kNone);
  const int axis = b.axis_of(a.integer("dim"), b.rank(parts[0]) + 1);
  if (!b.ok()) return {};
  for (ValueId& v : parts) v = unsqueeze(b, v, {axis});
  return tensor_of(concat(b, parts, axis));
}

IValue pieces(Builder& b, ValueId x, int axis, const std::vector<int64_t>& sizes) {
  if (!b.ok()) return {};
  if (sizes.size() == 1) return IValue::tuple({tensor_of(x)});
  IValues out;
  for (ValueId v : b.emit("Split", {x, b.ints(sizes)}, attributes({{"axis", int64_t(axis)}}), sizes.size())) out.push_back(tensor_of(v));
  return IValue::tuple(std::move(out));
}

// The size of an axis that must be a number now.
int64_t known_size(Builder& b, ValueId x, int axis, const char* who) {
  const Int n = b.size(x, axis);
  if (n.known()) return n.value();
  if (b.ok()) b.fail(unsupported(std::string(who) + " along a dimension that is not known when the model is loaded"));
  return 0;
}

constexpr int64_t kMostPieces = 65536;

IValue split(Builder& b, const Arguments& a) {  // an int: pieces of that size; a list: pieces of these sizes
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  if (a["sizes"].items() != nullptr) return pieces(b, x, axis, a.ints("sizes"));
  const int64_t each = a.integer("sizes"), n = known_size(b, x, axis, "split");
  if (!b.ok()) return {};
  if (each <= 0 || n / each > kMostPieces) return tensor_of(b.fail(invalid("split: pieces of size " + std::to_string(each))));
  std::vector<int64_t> sizes;
  for (int64_t at = 0; at < std::max<int64_t>(n, 1); at += each) sizes.push_back(std::min(each, n - at));
  return pieces(b, x, axis, sizes);
}

IValue chunk(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  const int64_t n = known_size(b, x, axis, "chunk"), chunks = a.integer("chunks");
  if (!b.ok()) return {};
  if (chunks <= 0 || chunks > kMostPieces) return tensor_of(b.fail(invalid("chunk: " + std::to_string(chunks) + " chunks")));
  const int64_t each = std::max<int64_t>((n + chunks - 1) / chunks, 1);
  std::vector<int64_t> sizes;
  for (int64_t at = 0; at < n; at += each) sizes.push_back(std::min(each, n - at));
  return pieces(b, x, axis, sizes);
}

IValue unbind(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  const int64_t n = known_size(b, x, axis, "unbind");
  if (!b.ok()) return {};
  if (n > kMostPieces) return tensor_of(b.fail(unsupported("unbind: " + std::to_string(n) + " pieces")));
  IValues out;
  const IValue parts = pieces(b, x, axis, std::vector<int64_t>(static_cast<size_t>(n), 1));
  for (size_t i = 0; parts.items() != nullptr && i < parts.items()->size(); ++i) out.push_back(tensor_of(squeeze(b, (*parts.items())[i].id(), {axis})));
  return IValue::tuple(std::move(out));
}

IValue flip(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  for (int64_t d : a.ints("dims")) {
    const int axis = b.axis(x, d);
    if (b.ok()) x = slice(b, x, axis, -1, INT64_MIN, -1);
  }
  return tensor_of(x);
}

IValue roll(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  const std::vector<int64_t> shifts = a.ints("shifts"), dims = a.ints("dims");
  if (!b.ok()) return {};
  if (dims.size() != shifts.size()) return tensor_of(b.fail(unsupported("roll without dims is not supported")));
  for (size_t i = 0; i < dims.size(); ++i) {
    const int axis = b.axis(x, dims[i]);
    const int64_t n = known_size(b, x, axis, "roll");
    if (!b.ok() || n == 0) return tensor_of(x);
    const int64_t by = ((shifts[i] % n) + n) % n;
    if (by != 0) x = concat(b, {slice(b, x, axis, n - by, INT64_MAX), slice(b, x, axis, 0, n - by)}, axis);
  }
  return tensor_of(x);
}

template <int Upper>
IValue triangle(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Trilu", {x, b.scalar(a.size("diagonal"))}, attributes({{"upper", int64_t(Upper)}})));
}

IValue size(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (a.has("dim")) return b.size(x, b.axis(x, a.integer("dim")));
  IValues sizes;
  for (int i = 0; i < b.rank(x); ++i) sizes.push_back(b.size(x, i));
  return IValue::tuple(std::move(sizes));
}

IValue dim(Builder& b, const Arguments& a) { return Int(b.rank(a.tensor("input"))); }

IValue numel(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  Int n = 1;
  for (int i = 0; i < b.rank(x); ++i) n = b.mul(n, b.size(x, i));
  return n;
}

constexpr Operator kRows[] = {
    {"aten.view.default aten._unsafe_view.default aten.reshape.default torch.reshape Tensor.view Tensor.reshape", "input|self, *shape|size", reshape},
    {"Tensor.view_as Tensor.reshape_as aten.view_as.default", "input|self, other", view_as},
    {"aten.flatten.using_ints torch.flatten Tensor.flatten", "input|self, start_dim=0, end_dim=-1", flatten},
    {"torch.ravel Tensor.ravel aten.ravel.default", "input|self, start_dim=0, end_dim=-1", flatten},
    {"aten.unflatten.int torch.unflatten Tensor.unflatten", "input|self, dim, sizes", unflatten},
    {"aten.permute.default Tensor.permute torch.permute", "input|self, *dims", permute_to},
    {"aten.transpose.int torch.transpose torch.swapaxes torch.swapdims Tensor.transpose Tensor.swapaxes Tensor.swapdims", "input|self, dim0|axis0, dim1|axis1",
     transpose_dims},
    {"aten.t.default torch.t Tensor.t", "input|self", t},
    {"aten.numpy_T.default Tensor.T", "input|self", reverse_dims},
    {"aten.mT.default aten.adjoint.default Tensor.mT torch.adjoint Tensor.adjoint Tensor.H Tensor.mH", "input|self", matrix_transpose},
    {"aten.movedim.int aten.movedim.intlist torch.movedim torch.moveaxis Tensor.movedim Tensor.moveaxis", "input|self, source, destination", movedim},
    {"aten.squeeze.default aten.squeeze.dim aten.squeeze.dims torch.squeeze Tensor.squeeze", "input|self, dim=None", squeeze_dims},
    {"aten.unsqueeze.default torch.unsqueeze Tensor.unsqueeze", "input|self, dim", unsqueeze_dim},
    {"aten.expand.default Tensor.expand", "input|self, *size, implicit=False", expand},
    {"torch.broadcast_to Tensor.broadcast_to aten.broadcast_to.default", "input|self, size", expand},
    {"aten.expand_as.default Tensor.expand_as", "input|self, other", expand_as},
    {"aten.repeat.default Tensor.repeat", "input|self, *repeats, tile=False", repeat},
    {"aten.tile.default torch.tile Tensor.tile", "input|self, *repeats|dims, tile=True", repeat},
    {"aten.repeat_interleave.self_int torch.repeat_interleave Tensor.repeat_interleave", "input|self, repeats, dim=None, *, output_size=None", repeat_interleave},
    {"aten.cat.default aten.concat.default torch.cat torch.concat torch.concatenate", "tensors, dim|axis=0", cat},
    {"aten.stack.default torch.stack", "tensors, dim=0", stack},
    {"aten.split.Tensor aten.split_with_sizes.default aten.split.sizes torch.split torch.split_with_sizes Tensor.split Tensor.split_with_sizes",
     "input|self, sizes|split_size|split_sizes|split_size_or_sections, dim=0", split},
    {"aten.chunk.default torch.chunk Tensor.chunk", "input|self, chunks, dim=0", chunk},
    {"aten.unbind.int torch.unbind Tensor.unbind", "input|self, dim=0", unbind},
    {"aten.flip.default torch.flip Tensor.flip", "input|self, *dims", flip},
    {"aten.roll.default torch.roll Tensor.roll", "input|self, shifts, dims=()", roll},
    {"aten.tril.default torch.tril Tensor.tril", "input|self, diagonal=0", triangle<0>},
    {"aten.triu.default torch.triu Tensor.triu", "input|self, diagonal=0", triangle<1>},
    {"Tensor.size aten.sym_size.int aten.size.int", "input|self, dim=None", size},
    {"Tensor.dim Tensor.ndimension aten.dim.default", "input|self", dim},
    {"Tensor.numel torch.numel aten.sym_numel.default aten.numel.default", "input|self", numel},
};

}  // namespace

std::span<const Operator> shape_operators() { return kRows; }

}  // namespace tern::torch
