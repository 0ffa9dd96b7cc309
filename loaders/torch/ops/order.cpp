// What compares elements: extremes with their places, sorting, medians; and running sums. See operator.h. Next: create.cpp.
#include <cmath>

#include "loaders/torch/ops/reduce.h"

namespace tern::torch {
namespace {

// Comparisons have no kernels for bools and 16-bit integers: those are compared as i32.
ValueId comparable(Builder& b, ValueId x) {
  const DType t = b.dtype(x);
  return t == DType::boolean || t == DType::i16 || t == DType::u16 ? b.cast(x, DType::i32) : x;
}

ValueId extreme_of(Builder& b, const char* op, ValueId x, const std::vector<int64_t>& axes, bool keepdim) {
  for (int64_t axis : axes) {
    if (b.ok() && b.rank(x) > 0 && b.shape(x)[static_cast<int>(axis)].is(0)) return b.fail(invalid("an empty dimension has no extreme_along"));
  }
  return b.ok() ? b.cast(reduced(b, op, comparable(b, x), axes, keepdim), b.dtype(x)) : kNone;
}

template <OpName Op>
IValue extreme_along(Builder& b, const Arguments& a) {  // amax, amin
  const ValueId x = a.tensor("input");
  return tensor_of(extreme_of(b, Op.text, x, reduced_axes(b, a["dim"], b.rank(x)), a.boolean("keepdim")));
}

// The place of the extreme, i64. None: in the flattened tensor.
ValueId place_of(Builder& b, const char* op, ValueId x, const IValue& dim, bool keepdim) {
  const int rank = b.rank(x);
  if (!b.ok()) return kNone;
  x = comparable(b, x);
  if (dim.is_none() || rank == 0) {
    const ValueId y = b.emit(op, {b.reshape(x, {Int(-1)})}, attributes({{"axis", int64_t(0)}, {"keepdims", int64_t(0)}}));
    return keepdim ? b.reshape(y, std::vector<Int>(static_cast<size_t>(rank), Int(1))) : y;
  }
  const std::vector<int64_t> axes = reduced_axes(b, dim, rank);
  return b.emit(op, {x}, attributes({{"axis", axes[0]}, {"keepdims", int64_t(keepdim)}}));
}

template <OpName Op>
IValue place(Builder& b, const Arguments& a) {  // argmax, argmin
  return tensor_of(place_of(b, Op.text, a.tensor("input"), a["dim"], a.boolean("keepdim")));
}

// max(x), max(x, dim) with places, max(x, other)
template <OpName Reduce, OpName Place, OpName Pair>
IValue max_or_min(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const IValue& dim = a["dim"];
  if (dim.is_tensor()) {
    return call(b, Pair.text, {a["input"], dim});
  }
  if (dim.is_none()) return tensor_of(extreme_of(b, Reduce.text, x, reduced_axes(b, dim, b.rank(x)), false));
  const bool keepdim = a.boolean("keepdim");
  const Int axis = a.size("dim");
  const ValueId values = extreme_of(b, Reduce.text, x, reduced_axes(b, axis, b.rank(x)), keepdim);
  return IValue::tuple({tensor_of(values), tensor_of(place_of(b, Place.text, x, axis, keepdim))});
}

IValue aminmax(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const auto axes = reduced_axes(b, a["dim"], b.rank(x));
  const bool keepdim = a.boolean("keepdim");
  return IValue::tuple({tensor_of(extreme_of(b, "ReduceMin", x, axes, keepdim)), tensor_of(extreme_of(b, "ReduceMax", x, axes, keepdim))});
}

// ---- sorting ----

struct Sorted {
  ValueId values = kNone, places = kNone;
};

// The first k in order along an axis; equal elements keep theirs. NaN counts as the largest.
Sorted sorted(Builder& b, ValueId x, int axis, const Int& k, bool largest) {
  if (!b.ok()) return {};
  if (b.rank(x) == 0) {
    const Sorted s = sorted(b, unsqueeze(b, x, {0}), 0, k, largest);
    return {squeeze(b, s.values, {0}), squeeze(b, s.places, {0})};
  }
  const auto made =
      b.emit("TopK", {comparable(b, x), b.ints(std::vector<Int>{k})}, attributes({{"axis", int64_t(axis)}, {"largest", int64_t(largest)}}), 2);
  return {b.cast(made[0], b.dtype(x)), made[1]};
}

Int length_of(Builder& b, ValueId x, int axis) { return b.rank(x) == 0 ? Int(1) : b.size(x, axis); }

IValue topk(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const Sorted s = sorted(b, x, b.axis(x, a.integer("dim")), a.size("k"), a.boolean("largest"));
  return IValue::tuple({tensor_of(s.values), tensor_of(s.places)});
}

Sorted whole_order(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  return sorted(b, x, axis, length_of(b, x, axis), a.boolean("descending"));
}

IValue sort(Builder& b, const Arguments& a) {
  const Sorted s = whole_order(b, a);
  return IValue::tuple({tensor_of(s.values), tensor_of(s.places)});
}

IValue msort(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(sorted(b, x, 0, length_of(b, x, 0), false).values);
}

IValue argsort(Builder& b, const Arguments& a) { return tensor_of(whole_order(b, a).places); }

// Element `rank_of` of the order along an axis, and its place.
Sorted ranked(Builder& b, ValueId x, int axis, const Int& position, bool keepdim) {
  const Sorted s = sorted(b, x, axis, b.add(position, 1), false);
  if (!b.ok() || b.rank(x) == 0) return s;
  auto last = [&](ValueId v) {
    const ValueId y = b.emit("Gather", {v, b.scalar(Int(-1))}, attributes({{"axis", int64_t(axis)}}));
    return keepdim ? unsqueeze(b, y, {axis}) : y;
  };
  return {last(s.values), last(s.places)};
}

IValue kthvalue(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const Sorted s = ranked(b, x, b.axis(x, a.integer("dim")), b.sub(a.size("k"), 1), a.boolean("keepdim"));
  return IValue::tuple({tensor_of(s.values), tensor_of(s.places)});
}

// The lower of the two in the middle; NaN where there is one.
Sorted median_of(Builder& b, ValueId x, int axis, bool keepdim) {
  Sorted s = ranked(b, x, axis, b.floor_div(b.sub(length_of(b, x, axis), 1), 2), keepdim);
  if (!b.ok() || !is_float(b.dtype(x))) return s;
  const ValueId spoilt = reduced(b, "ReduceMax", b.emit("IsNaN", {x}), {axis}, keepdim);
  s.values = b.emit("Where", {spoilt, b.scalar_like(x, NAN), s.values});
  return s;
}

IValue median(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (!a.has("dim")) return tensor_of(median_of(b, b.reshape(x, {Int(-1)}), 0, false).values);
  const Sorted s = median_of(b, x, b.axis(x, a.integer("dim")), a.boolean("keepdim"));
  return IValue::tuple({tensor_of(s.values), tensor_of(s.places)});
}

// How many of the sorted boundaries lie before each element: those below it, or (right) not above it.
ValueId buckets(Builder& b, ValueId x, ValueId boundaries, bool right, DType out) {
  if (!b.ok()) return kNone;
  if (b.rank(boundaries) != 1) return b.fail(unsupported("boundaries of more than one dimension are not supported"));
  const DType type = promote(b.dtype(x), b.dtype(boundaries));
  const ValueId column = unsqueeze(b, b.cast(x, type), {b.rank(x)});
  const ValueId before = b.emit(right ? "LessOrEqual" : "Less", {b.cast(boundaries, type), column});
  return b.cast(reduced(b, "ReduceSum", b.cast(before, DType::i64), {b.rank(x)}, false), out);
}

IValue bucketize(Builder& b, const Arguments& a) {
  const IValue& x = a["input"];
  const ValueId boundaries = a.tensor("boundaries");
  const bool right = a.boolean("right") || (a.has("side") && a.string("side") == "right");
  return tensor_of(
      buckets(b, operand(b, x, x.is_tensor() ? b.dtype(x.id()) : DType::f32), boundaries, right, a.boolean("out_int32") ? DType::i32 : DType::i64));
}

// ---- running folds ----

template <OpName Op>
IValue running(Builder& b, const Arguments& a) {  // cumsum, cumprod
  ValueId x = a.tensor("input");
  const DType asked = a.dtype("dtype");
  const int axis = b.axis(x, a.integer("dim"));
  if (!b.ok()) return {};
  x = b.cast(x, asked != DType::none ? asked : is_float(b.dtype(x)) ? b.dtype(x) : DType::i64);
  if (b.rank(x) == 0) return tensor_of(x);
  return tensor_of(b.emit(Op.text, {x, b.scalar(Int(int64_t(axis)))}));
}

// The exponentials relative to the largest of the whole axis, added up: log(cumsum(exp(x - m))) + m.
IValue logcumsumexp(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  if (!b.ok() || b.rank(x) == 0) return tensor_of(x);
  const ValueId most = reduced(b, "ReduceMax", x, {axis}, true);
  const ValueId sums = b.emit("CumSum", {b.emit("Exp", {b.emit("Sub", {x, most})}), b.scalar(Int(int64_t(axis)))});
  return tensor_of(b.emit("Add", {b.emit("Log", {sums}), most}));
}

IValue diff(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  const int64_t n = a.integer("n");
  if (b.ok() && (n < 0 || n > 64)) return tensor_of(b.fail(unsupported("n = " + std::to_string(n) + " is not supported")));
  if (b.ok() && b.dtype(x) == DType::boolean) return tensor_of(b.fail(unsupported("diff of bools is not supported")));
  for (int64_t i = 0; i < n && b.ok(); ++i) x = b.emit("Sub", {slice(b, x, axis, 1, INT64_MAX), slice(b, x, axis, 0, -1)});
  return tensor_of(x);
}

constexpr const char* kExtreme = "input|self, dim|axis=(), keepdim|keepdims=False";
constexpr const char* kPlace = "input|self, dim|axis=None, keepdim|keepdims=False";
constexpr const char* kMaxMin = "input|self, dim|other|axis=None, keepdim|keepdims=False";
constexpr const char* kSort = "input|self, dim|axis=-1, descending=False, stable=False";
constexpr const char* kStable = "input|self, *, stable=None, dim=-1, descending=False";

constexpr Operator kOrderRows[] = {
    {"aten.amax.default torch.amax Tensor.amax", kExtreme, extreme_along<"ReduceMax">},
    {"aten.amin.default torch.amin Tensor.amin", kExtreme, extreme_along<"ReduceMin">},
    {"aten.max.default aten.max.dim aten.max.other torch.max Tensor.max", kMaxMin, max_or_min<"ReduceMax", "ArgMax", "torch.maximum">},
    {"aten.min.default aten.min.dim aten.min.other torch.min Tensor.min", kMaxMin, max_or_min<"ReduceMin", "ArgMin", "torch.minimum">},
    {"aten.aminmax.default torch.aminmax Tensor.aminmax", "input|self, *, dim=None, keepdim=False", aminmax},
    {"aten.argmax.default torch.argmax Tensor.argmax", kPlace, place<"ArgMax">},
    {"aten.argmin.default torch.argmin Tensor.argmin", kPlace, place<"ArgMin">},
    {"aten.topk.default torch.topk Tensor.topk", "input|self, k, dim=-1, largest=True, sorted=True", topk},
    {"aten.sort.default torch.sort Tensor.sort", kSort, sort},
    {"aten.sort.stable", kStable, sort},
    {"aten.argsort.default torch.argsort Tensor.argsort", kSort, argsort},
    {"aten.argsort.stable", kStable, argsort},
    {"aten.msort.default torch.msort Tensor.msort", "input|self", msort},
    {"aten.kthvalue.default torch.kthvalue Tensor.kthvalue", "input|self, k, dim=-1, keepdim=False", kthvalue},
    {"aten.median.default aten.median.dim torch.median Tensor.median", "input|self, dim=None, keepdim=False", median},
    {"aten.bucketize.Tensor aten.bucketize.Scalar torch.bucketize", "input|self, boundaries, *, out_int32=False, right=False, side=None", bucketize},
    {"aten.searchsorted.Tensor aten.searchsorted.Scalar torch.searchsorted",
     "boundaries|sorted_sequence, input|self, *, out_int32=False, right=False, side=None, sorter=None", bucketize},
    {"aten.cumsum.default torch.cumsum Tensor.cumsum", "input|self, dim|axis, *, dtype=None", running<"CumSum">},
    {"aten.cumprod.default torch.cumprod Tensor.cumprod", "input|self, dim|axis, *, dtype=None", running<"CumProd">},
    {"aten.logcumsumexp.default torch.logcumsumexp Tensor.logcumsumexp", "input|self, dim", logcumsumexp},
    {"torch.diff Tensor.diff aten.diff.default", "input|self, n=1, dim=-1", diff},
};

}  // namespace

std::span<const Operator> order_operators() { return kOrderRows; }

}  // namespace tern::torch
