// Writing by index: scatter, index_put, and copies into slices. Each gives a new tensor. See operator.h. Next: create.cpp.
#include <cmath>

#include "loaders/torch/ops/indexing.h"

namespace tern::torch {
namespace {

Attributes how(const char* reduction) { return attributes({{"reduction", std::string(reduction)}}); }

// ---- scatter: y[i][index[i][j]][..] = src[i][j][..] along an axis ----

struct Scatter {
  ValueId x = kNone, index = kNone;
  int axis = 0;
};

Scatter scatter_of(Builder& b, const Arguments& a) {
  Scatter s{a.tensor("input"), index_of(b, a, "index"), 0};
  s.axis = b.axis(s.x, a.integer("dim"));
  if (b.ok() && b.rank(s.x) != b.rank(s.index)) b.fail(invalid("index and input must have as many dimensions as one another"));
  if (b.ok() && b.rank(s.x) == 0) b.fail(unsupported("scattering into a scalar tensor is not supported"));
  return s;
}

// `src` may be larger than the index: what lies beyond is not read. A number stands for as many as the index has.
ValueId updates_of(Builder& b, const Scatter& s, const IValue& src) {
  const ValueId v = operand(b, src, b.dtype(s.x));
  if (!b.ok()) return kNone;
  if (b.rank(v) == 0) return b.emit("Expand", {v, b.ints(sizes_of(b, s.index))});
  if (b.rank(v) != b.rank(s.index)) return b.fail(invalid("index and src must have as many dimensions as one another"));
  std::vector<SliceOf> cut;
  for (int i = 0; i < b.rank(v); ++i) {
    if (!(b.shape(v)[i] == b.shape(s.index)[i])) cut.push_back({i, 0, b.size(s.index, i)});
  }
  return slices(b, v, cut);
}

ValueId scattered(Builder& b, const Scatter& s, ValueId x, ValueId updates, const char* reduction) {
  return b.emit("ScatterElements", {x, s.index, updates}, attributes({{"axis", int64_t(s.axis)}, {"reduction", std::string(reduction)}}));
}

IValue scatter(Builder& b, const Arguments& a) {
  const Scatter s = scatter_of(b, a);
  const IValue& reduce = a["reduce"];
  const char* reduction = "none";
  if (!reduce.is_none()) {
    const std::string name = a.string("reduce");
    if (name != "add" && name != "multiply") return tensor_of(b.fail(invalid("reduce must be 'add' or 'multiply', not '" + name + "'")));
    reduction = name == "add" ? "add" : "mul";
  }
  return tensor_of(scattered(b, s, s.x, updates_of(b, s, a["src"]), reduction));
}

IValue scatter_add(Builder& b, const Arguments& a) {
  const Scatter s = scatter_of(b, a);
  return tensor_of(scattered(b, s, s.x, updates_of(b, s, a["src"]), "add"));
}

// The number that a reduction starts from.
double neutral(Builder& b, const char* reduction, DType dtype) {
  const std::string_view r = reduction;
  if (r == "add") return 0;
  if (r == "mul") return 1;
  if (is_float(dtype)) return r == "max" ? -INFINITY : INFINITY;
  b.fail(unsupported("amax and amin of integers with include_self=False are not supported"));
  return 0;
}

IValue scatter_reduce(Builder& b, const Arguments& a) {
  const Scatter s = scatter_of(b, a);
  const std::string name = a.string("reduce");
  const bool include_self = a.boolean("include_self"), mean = name == "mean";
  constexpr std::pair<std::string_view, const char*> kNames[] = {{"sum", "add"}, {"mean", "add"}, {"prod", "mul"}, {"amax", "max"}, {"amin", "min"}};
  const char* reduction = nullptr;
  for (const auto& [torch, onnx] : kNames) reduction = torch == name ? onnx : reduction;
  if (!b.ok()) return {};
  if (reduction == nullptr) return tensor_of(b.fail(invalid("reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', not '" + name + "'")));
  if (mean && !is_float(b.dtype(s.x))) return tensor_of(b.fail(unsupported("scatter_reduce with 'mean' of integers is not supported")));
  const ValueId updates = updates_of(b, s, a["src"]);
  ValueId x = s.x;
  if (!include_self) x = scattered(b, s, x, updates_of(b, s, neutral(b, reduction, b.dtype(x))), "none");
  const ValueId y = scattered(b, s, x, updates, reduction);
  if (!mean) return tensor_of(y);
  const ValueId zeros = b.emit("Expand", {b.scalar_like(x, include_self ? 1 : 0), b.ints(sizes_of(b, x))});
  const ValueId counts = scattered(b, s, zeros, updates_of(b, s, 1.0), "add");
  return tensor_of(b.emit("Div", {y, b.emit("Max", {counts, b.scalar_like(x, 1)})}));
}

// ---- whole slices along an axis: y[.., index[i], ..] = source[.., i, ..] ----

// `index` [n]; `source` has n along the axis.
ValueId put(Builder& b, ValueId x, int axis, ValueId index, ValueId source, const char* reduction) {
  if (!b.ok()) return kNone;
  std::vector<int64_t> order = {axis}, back;
  for (int i = 0; i < b.rank(x); ++i) {
    if (i != axis) order.push_back(i);
    back.push_back(i < axis ? i + 1 : i == axis ? 0 : i);
  }
  const ValueId y = b.emit("ScatterND", {permute(b, x, order), unsqueeze(b, index, {1}), permute(b, source, order)}, how(reduction));
  return permute(b, y, back);
}

ValueId vector_index(Builder& b, const Arguments& a) {
  const ValueId index = index_of(b, a, "index");
  return b.ok() && b.rank(index) == 0 ? unsqueeze(b, index, {0}) : index;
}

IValue index_add(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  ValueId source = b.cast(a.tensor("source"), b.dtype(x));
  if (const double alpha = a.number("alpha"); alpha != 1) source = b.emit("Mul", {source, b.scalar_like(x, alpha)});
  return tensor_of(put(b, x, axis, vector_index(b, a), source, "add"));
}

IValue index_copy(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  return tensor_of(put(b, x, axis, vector_index(b, a), b.cast(a.tensor("source"), b.dtype(x)), "none"));
}

IValue index_fill(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), index = vector_index(b, a);
  const int axis = b.axis(x, a.integer("dim"));
  std::vector<Int> sizes = sizes_of(b, x);
  if (!b.ok() || sizes.empty()) return {};
  sizes[static_cast<size_t>(axis)] = b.size(index, 0);
  return tensor_of(put(b, x, axis, index, b.emit("Expand", {operand(b, a["value"], b.dtype(x)), b.ints(sizes)}), "none"));
}

IValue select_scatter(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), src = b.cast(a.tensor("src"), b.dtype(x));
  const int axis = b.axis(x, a.integer("dim"));
  if (!b.ok()) return {};
  return tensor_of(put(b, x, axis, b.ints(std::vector<Int>{a.size("index")}), unsqueeze(b, src, {axis}), "none"));
}

IValue slice_scatter(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), src = b.cast(a.tensor("src"), b.dtype(x));
  const int axis = b.axis(x, a.integer("dim"));
  if (!b.ok()) return {};
  const ValueId all = b.emit("Range", {b.scalar(Int(0)), b.scalar(b.size(x, axis)), b.scalar(Int(1))});  // cut as the axis is: bounds clamp alike
  const ValueId index =
      slices(b, all, {{0, a.has("start") ? a.size("start") : Int(0), a.has("end") ? a.size("end") : Int(INT64_MAX), a.integer("step")}});
  return tensor_of(put(b, x, axis, index, src, "none"));
}

// ---- x[indices] = values ----

// x[mask] = value: of one value only, as others would need to know how many places the mask has.
ValueId put_mask(Builder& b, ValueId x, ValueId mask, ValueId value, bool accumulate) {
  for (const Dim& d : b.shape(value).dims()) {
    if (!d.is(1)) return b.fail(unsupported("writing more than one value through a mask depends on the data"));
  }
  if (b.rank(mask) > b.rank(x)) return b.fail(invalid("the mask has more dimensions than the tensor"));
  std::vector<int64_t> more;
  for (int i = b.rank(mask); i < b.rank(x); ++i) more.push_back(i);
  if (!more.empty()) mask = unsqueeze(b, mask, more);
  value = b.reshape(value, {});
  return b.emit("Where", {mask, accumulate ? b.emit("Add", {x, value}) : value, x});
}

IValue index_put(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), values = b.cast(a.tensor("values"), b.dtype(x));
  const bool accumulate = a.boolean("accumulate");
  const IValues* items = a["indices"].items();
  if (items == nullptr) return tensor_of(b.ok() ? b.fail(invalid("indices must be a list of tensors")) : kNone);
  if (items->size() == 1 && b.dtype((*items)[0].id()) == DType::boolean) return tensor_of(put_mask(b, x, (*items)[0].id(), values, accumulate));
  std::vector<ValueId> given;
  std::vector<int64_t> order, others;
  for (size_t i = 0; i < items->size(); ++i) {
    if ((*items)[i].is_tensor()) given.push_back((*items)[i].id());
    ((*items)[i].is_tensor() ? order : others).push_back(static_cast<int64_t>(i));
  }
  const int rank = b.rank(x);
  if (!b.ok()) return {};
  if (given.empty() || static_cast<int>(items->size()) > rank)
    return tensor_of(b.fail(invalid("indices must be one tensor or more, at most as many as there are dimensions")));
  for (int i = static_cast<int>(items->size()); i < rank; ++i) others.push_back(i);
  const auto first = static_cast<size_t>(order.front()), last = static_cast<size_t>(order.back());
  const size_t before = last - first + 1 == order.size() ? first : 0;  // axes that stand in front of those of the places, as in reads
  order.insert(order.end(), others.begin(), others.end());

  const ValueId places = coordinates(b, given);
  std::vector<Int> sizes;
  const auto made = static_cast<size_t>(std::max(b.rank(places) - 1, 0));
  for (size_t i = 0; i < made; ++i) sizes.push_back(b.size(places, static_cast<int>(i)));
  for (size_t i = 0; i < others.size(); ++i) {
    sizes.insert(i < before ? sizes.begin() + static_cast<std::ptrdiff_t>(i) : sizes.end(), b.size(x, static_cast<int>(others[i])));
  }
  if (!b.ok()) return {};
  ValueId updates = b.emit("Expand", {values, b.ints(sizes)});
  std::vector<int64_t> front, back(static_cast<size_t>(rank));  // places first
  for (size_t i = 0; i < made; ++i) front.push_back(static_cast<int64_t>(before + i));
  for (size_t i = 0; i < before; ++i) front.push_back(static_cast<int64_t>(i));
  for (size_t i = made + before; i < sizes.size(); ++i) front.push_back(static_cast<int64_t>(i));
  updates = permute(b, updates, front);
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return tensor_of(permute(b, b.emit("ScatterND", {permute(b, x, order), places, updates}, how(accumulate ? "add" : "none")), back));
}

constexpr Operator kScatterRows[] = {
    {"aten.scatter.src aten.scatter.value aten.scatter.reduce aten.scatter.value_reduce torch.scatter Tensor.scatter",
     "input|self, dim, index, src|value, *, reduce=None", scatter},
    {"aten.scatter_add.default torch.scatter_add Tensor.scatter_add", "input|self, dim, index, src", scatter_add},
    {"aten.scatter_reduce.two torch.scatter_reduce Tensor.scatter_reduce", "input|self, dim, index, src, reduce, *, include_self=True",
     scatter_reduce},
    {"aten.index_add.default torch.index_add Tensor.index_add", "input|self, dim, index, source, *, alpha=1", index_add},
    {"aten.index_copy.default torch.index_copy Tensor.index_copy", "input|self, dim, index, source", index_copy},
    {"aten.index_fill.int_Scalar aten.index_fill.int_Tensor torch.index_fill Tensor.index_fill", "input|self, dim, index, value", index_fill},
    {"aten.select_scatter.default torch.select_scatter Tensor.select_scatter", "input|self, src, dim, index", select_scatter},
    {"aten.slice_scatter.default torch.slice_scatter Tensor.slice_scatter", "input|self, src, dim=0, start=None, end=None, step=1", slice_scatter},
    {"aten.index_put.default aten._unsafe_index_put.default torch.index_put Tensor.index_put", "input|self, indices, values, accumulate=False",
     index_put},
};

}  // namespace

std::span<const Operator> scatter_operators() { return kScatterRows; }

}  // namespace tern::torch
