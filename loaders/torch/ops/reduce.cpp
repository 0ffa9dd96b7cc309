// Reductions: sums, means, products, variances, norms. See operator.h. Next: order.cpp (what compares: max, sort, topk).
#include "loaders/torch/ops/reduce.h"

#include <cmath>

namespace tern::torch {

std::vector<int64_t> reduced_axes(Builder& b, const IValue& dim, int rank) {
  std::vector<int64_t> axes;
  auto add = [&](const IValue& v) {
    const Int* n = v.get<Int>();
    if (n == nullptr || !n->known()) return void(b.fail(invalid(std::string("dim must be ints, not ") + v.kind())));
    const int64_t axis = b.axis_of(n->value(), rank);
    if (b.ok() && std::find(axes.begin(), axes.end(), axis) != axes.end()) b.fail(invalid("dim " + std::to_string(axis) + " appears twice"));
    axes.push_back(axis);
  };
  if (const IValues* items = dim.items()) {
    for (const IValue& item : *items) add(item);
  } else if (!dim.is_none()) {
    add(dim);
  }
  if (axes.empty()) {
    for (int i = 0; i < rank; ++i) axes.push_back(i);
  }
  return axes;
}

ValueId reduced(Builder& b, const char* op, ValueId x, const std::vector<int64_t>& axes, bool keepdim) {
  const int rank = b.rank(x);
  if (!b.ok()) return kNone;
  if (rank == 0) return b.emit(op, {unsqueeze(b, x, {0}), b.ints({0})}, attributes({{"keepdims", int64_t(0)}}));
  return b.emit(op, {x, b.ints(axes)}, attributes({{"keepdims", int64_t(keepdim)}}));
}

Int count_of(Builder& b, ValueId x, const std::vector<int64_t>& axes) {
  Int n = 1;
  for (int64_t axis : axes) {
    if (b.rank(x) > 0) n = b.mul(n, b.size(x, static_cast<int>(axis)));
  }
  return n;
}

ValueId norm_of(Builder& b, ValueId x, double p, const std::vector<int64_t>& axes, bool keepdim) {
  if (!b.ok()) return kNone;
  if (p == 2) return reduced(b, "ReduceL2", x, axes, keepdim);
  if (p == 1) return reduced(b, "ReduceL1", x, axes, keepdim);
  if (p == 0) return reduced(b, "ReduceSum", b.cast(b.cast(x, DType::boolean), b.dtype(x)), axes, keepdim);
  const ValueId size = b.emit("Abs", {x});
  if (std::isinf(p)) return reduced(b, p > 0 ? "ReduceMax" : "ReduceMin", size, axes, keepdim);
  const ValueId sums = reduced(b, "ReduceSum", b.emit("Pow", {size, b.scalar_like(x, p)}), axes, keepdim);
  return b.emit("Pow", {sums, b.scalar_like(x, 1 / p)});
}

namespace {

// The input in the dtype that was asked for; bools and integers in i64 where torch adds them up so.
ValueId input_of(Builder& b, const Arguments& a, bool widen) {
  const ValueId x = a.tensor("input");
  const DType asked = a.dtype("dtype");
  if (asked != DType::none) return b.cast(x, asked);
  return widen && b.ok() && !is_float(b.dtype(x)) ? b.cast(x, DType::i64) : x;
}

bool keepdim_of(const Arguments& a) { return a.has("keepdim") && a.boolean("keepdim"); }

IValue fold(Builder& b, const Arguments& a, const char* op, ValueId x) {
  return tensor_of(reduced(b, op, x, reduced_axes(b, a["dim"], b.rank(x)), keepdim_of(a)));
}

template <OpName Op>
IValue sum(Builder& b, const Arguments& a) {
  return fold(b, a, Op.text, input_of(b, a, true));
}

IValue mean(Builder& b, const Arguments& a) {
  const ValueId x = input_of(b, a, false);
  if (b.ok() && !is_float(b.dtype(x)))
    return tensor_of(b.fail(invalid(std::string("the mean of ") + name(b.dtype(x)) + " is not defined; give dtype=torch.float32")));
  return fold(b, a, "ReduceMean", x);
}

// With NaN counted as 0.
ValueId without_nan(Builder& b, ValueId x) { return is_float(b.dtype(x)) ? b.emit("Where", {b.emit("IsNaN", {x}), b.scalar_like(x, 0), x}) : x; }

IValue nansum(Builder& b, const Arguments& a) { return fold(b, a, "ReduceSum", without_nan(b, input_of(b, a, true))); }

IValue nanmean(Builder& b, const Arguments& a) {
  const ValueId x = input_of(b, a, false);
  const auto axes = reduced_axes(b, a["dim"], b.rank(x));
  if (!b.ok()) return {};
  const ValueId counted = b.cast(b.emit("Not", {b.emit("IsNaN", {x})}), b.dtype(x));
  return tensor_of(
      b.emit("Div", {reduced(b, "ReduceSum", without_nan(b, x), axes, keepdim_of(a)), reduced(b, "ReduceSum", counted, axes, keepdim_of(a))}));
}

// any is the largest of bools, all the smallest.
template <OpName Op>
IValue of_bools(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const IValue y = fold(b, a, Op.text, b.cast(x, DType::boolean));
  return b.dtype(x) == DType::u8 ? tensor_of(b.cast(y.id(), DType::u8)) : y;
}

IValue count_nonzero(Builder& b, const Arguments& a) {
  return fold(b, a, "ReduceSum", b.cast(b.cast(a.tensor("input"), DType::boolean), DType::i64));
}

IValue logsumexp(Builder& b, const Arguments& a) { return fold(b, a, "ReduceLogSumExp", real(b, a.tensor("input"))); }

// ---- variances ----

struct Moments {
  ValueId var = kNone, mean = kNone;
};

// sum((x - mean)^2) / max(0, count - correction)
Moments moments_of(Builder& b, const Arguments& a, const IValue& dim, double correction) {
  const ValueId x = a.tensor("input");
  const auto axes = reduced_axes(b, dim, b.rank(x));
  const bool keepdim = keepdim_of(a);
  if (!b.ok()) return {};
  if (!is_float(b.dtype(x))) return b.fail(invalid(std::string("the variance of ") + name(b.dtype(x)) + " is not defined")), Moments();
  const ValueId mean = reduced(b, "ReduceMean", x, axes, true);
  const ValueId d = b.emit("Sub", {x, mean});
  const ValueId square = b.emit("Mul", {d, d});
  Moments m;
  m.mean = keepdim || b.rank(x) == 0 ? mean : squeeze(b, mean, axes);
  if (correction == 0) {
    m.var = reduced(b, "ReduceMean", square, axes, keepdim);
    return m;
  }
  const Int n = count_of(b, x, axes);
  const DType dtype = b.dtype(x);
  const ValueId left = n.known() ? b.scalar(dtype, std::max(0.0, static_cast<double>(n.value()) - correction))
                                 : b.emit("Max", {b.emit("Sub", {b.cast(b.scalar(n), dtype), b.scalar(dtype, correction)}), b.scalar(dtype, 0)});
  m.var = b.emit("Div", {reduced(b, "ReduceSum", square, axes, keepdim), left});
  return m;
}

// torch.var(x, dim, unbiased, keepdim), torch.var(x, unbiased), torch.var(x, dim, correction=…, keepdim=…)
Moments moments(Builder& b, const Arguments& a) {
  const bool* first = a["dim"].get<bool>();  // var(x, False)
  double correction = 1;
  if (first != nullptr) correction = *first;
  else if (a.has("correction")) correction = a.number("correction");
  else if (a.has("unbiased")) correction = a.boolean("unbiased");
  return moments_of(b, a, first != nullptr ? IValue() : a["dim"], correction);
}

IValue var(Builder& b, const Arguments& a) { return tensor_of(moments(b, a).var); }
IValue std_deviation(Builder& b, const Arguments& a) { return tensor_of(b.emit("Sqrt", {moments(b, a).var})); }
IValue var_mean(Builder& b, const Arguments& a) {
  const Moments m = moments(b, a);
  return IValue::tuple({tensor_of(m.var), tensor_of(m.mean)});
}
IValue std_mean(Builder& b, const Arguments& a) {
  const Moments m = moments(b, a);
  return IValue::tuple({tensor_of(b.emit("Sqrt", {m.var})), tensor_of(m.mean)});
}

// ---- norms ----

IValue vector_norm(Builder& b, const Arguments& a) {
  ValueId x = input_of(b, a, false);
  const IValue& order = a["ord"];
  if (order.get<std::string>() != nullptr && a.string("ord") != "fro")
    return tensor_of(b.fail(unsupported("the norm '" + a.string("ord") + "' is not supported")));
  const double p = order.is_none() || order.get<std::string>() != nullptr ? 2 : a.number("ord");
  x = real(b, x);
  return tensor_of(norm_of(b, x, p, reduced_axes(b, a["dim"], b.rank(x)), keepdim_of(a)));
}

// Of matrices in two dimensions: the Frobenius norm, and those of sums of rows and columns.
IValue matrix_norm(Builder& b, const Arguments& a) {
  const ValueId x = input_of(b, a, false);
  const IValue& order = a["ord"];
  const auto axes = reduced_axes(b, a["dim"], b.rank(x));
  const bool keepdim = keepdim_of(a);
  if (!b.ok()) return {};
  if (axes.size() != 2) return tensor_of(b.fail(invalid("a matrix norm is taken over two dimensions")));
  if (order.get<std::string>() != nullptr) {
    if (a.string("ord") == "fro") return tensor_of(norm_of(b, x, 2, axes, keepdim));
    return tensor_of(b.fail(unsupported("the matrix norm '" + a.string("ord") + "' is not supported")));
  }
  const double p = a.number("ord");
  if (p != 1 && p != -1 && !std::isinf(p)) return tensor_of(b.fail(unsupported("a matrix norm that needs singular values is not supported")));
  const int64_t added = std::isinf(p) ? axes[1] : axes[0], compared = std::isinf(p) ? axes[0] : axes[1];
  const ValueId sums = reduced(b, "ReduceL1", x, {added}, true);
  const ValueId y = reduced(b, p > 0 ? "ReduceMax" : "ReduceMin", sums, {compared}, true);
  return tensor_of(keepdim ? y : squeeze(b, y, axes));
}

// torch.linalg.norm: without ord a vector norm of all; with one, of a matrix where there are two dimensions.
IValue linalg_norm(Builder& b, const Arguments& a) {
  const IValues* dims = a["dim"].items();
  const bool two = a.has("dim") ? dims != nullptr && dims->size() == 2 : b.rank(a.tensor("input")) == 2;
  return a.has("ord") && two ? matrix_norm(b, a) : vector_norm(b, a);
}

IValue dist(Builder& b, const Arguments& a) {
  const ValueId d = b.emit("Sub", {a.tensor("input"), a.tensor("other")});
  return tensor_of(norm_of(b, d, a.number("p"), reduced_axes(b, IValue(), b.rank(d)), false));
}

// Between every row of one and every row of the other: [.., P, M] and [.., R, M] to [.., P, R].
IValue cdist(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("x1"), y = a.tensor("x2");
  if (!b.ok()) return {};
  if (b.rank(x) < 2 || b.rank(y) < 2) return tensor_of(b.fail(invalid("both inputs must have at least two dimensions")));
  const ValueId d = b.emit("Sub", {unsqueeze(b, x, {-2}), unsqueeze(b, y, {-3})});
  return tensor_of(norm_of(b, d, a.number("p"), {b.rank(d) - 1}, false));
}

// Between the rows of one matrix: each pair once.
IValue pdist(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const Int rows = b.rank(x) == 2 ? b.size(x, 0) : Int(0);
  if (!b.ok()) return {};
  if (b.rank(x) != 2 || !rows.known() || rows.value() > 2048)
    return tensor_of(b.fail(unsupported("pdist needs a matrix of a known number of rows, at most 2048")));
  std::vector<int64_t> first, second;
  for (int64_t i = 0; i < rows.value(); ++i) {
    for (int64_t j = i + 1; j < rows.value(); ++j) {
      first.push_back(i);
      second.push_back(j);
    }
  }
  const Attributes along = attributes({{"axis", int64_t(0)}});
  const ValueId d = b.emit("Sub", {b.emit("Gather", {x, b.ints(first)}, along), b.emit("Gather", {x, b.ints(second)}, along)});
  return tensor_of(norm_of(b, d, a.number("p"), {1}, false));
}

constexpr const char* kAll = "input|self, *, dtype=None";
constexpr const char* kAxes = "input|self, dim|axis=None, keepdim|keepdims=False, *, dtype=None, out=None";
constexpr const char* kTest = "input|self, dim|axis=None, keepdim|keepdims=False";
constexpr const char* kVar = "input|self, dim|axis=None, unbiased=None, keepdim|keepdims=False, *, correction=None";
constexpr const char* kCorrection = "input|self, dim=None, *, correction=None, keepdim=False";
constexpr const char* kVector = "input|self|x, ord|p=2, dim=None, keepdim=False, *, dtype=None";

constexpr Operator kReduceRows[] = {
    {"aten.sum.default", kAll, sum<"ReduceSum">},
    {"aten.sum.dim_IntList torch.sum Tensor.sum", kAxes, sum<"ReduceSum">},
    {"aten.prod.default", kAll, sum<"ReduceProd">},
    {"aten.prod.dim_int torch.prod Tensor.prod", kAxes, sum<"ReduceProd">},
    {"aten.mean.default", kAll, mean},
    {"aten.mean.dim torch.mean Tensor.mean", kAxes, mean},
    {"aten.nansum.default torch.nansum Tensor.nansum", kAxes, nansum},
    {"aten.nanmean.default torch.nanmean Tensor.nanmean", kAxes, nanmean},
    {"aten.any.default aten.any.dim aten.any.dims torch.any Tensor.any", kTest, of_bools<"ReduceMax">},
    {"aten.all.default aten.all.dim aten.all.dims torch.all Tensor.all", kTest, of_bools<"ReduceMin">},
    {"aten.count_nonzero.default aten.count_nonzero.dim_IntList torch.count_nonzero Tensor.count_nonzero", "input|self, dim=None", count_nonzero},
    {"aten.logsumexp.default aten.special_logsumexp.default torch.logsumexp torch.special.logsumexp Tensor.logsumexp",
     "input|self, dim, keepdim=False", logsumexp},
    // The variance of aten.var.default takes no dim: its first argument is `unbiased`, a bool.
    {"aten.var.default aten.var.dim torch.var Tensor.var", kVar, var},
    {"aten.var.correction", kCorrection, var},
    {"aten.std.default aten.std.dim torch.std Tensor.std", kVar, std_deviation},
    {"aten.std.correction", kCorrection, std_deviation},
    {"aten.var_mean.default aten.var_mean.dim torch.var_mean", kVar, var_mean},
    {"aten.var_mean.correction", kCorrection, var_mean},
    {"aten.std_mean.default aten.std_mean.dim torch.std_mean", kVar, std_mean},
    {"aten.std_mean.correction", kCorrection, std_mean},
    {"aten.linalg_vector_norm.default torch.linalg.vector_norm", kVector, vector_norm},
    {"aten.norm.Scalar aten.norm.ScalarOpt_dim aten.norm.ScalarOpt_dtype aten.norm.ScalarOpt_dim_dtype", kVector, vector_norm},
    {"torch.norm Tensor.norm", "input|self, ord|p='fro', dim=None, keepdim=False, out=None, dtype=None", vector_norm},
    {"aten.frobenius_norm.dim", "input|self, dim, keepdim=False", vector_norm},
    {"aten.linalg_norm.default torch.linalg.norm", "input|self|A, ord=None, dim=None, keepdim=False, *, dtype=None", linalg_norm},
    {"aten.linalg_matrix_norm.default aten.linalg_matrix_norm.str_ord torch.linalg.matrix_norm",
     "input|self|A, ord='fro', dim=(-2, -1), keepdim=False, *, dtype=None", matrix_norm},
    {"aten.dist.default torch.dist Tensor.dist", "input|self, other, p=2", dist},
    {"aten.pdist.default aten._pdist_forward.default F.pdist torch.pdist", "input|self, p=2", pdist},
    {"aten.cdist.default aten._cdist_forward.default torch.cdist", "x1, x2, p=2, compute_mode=None", cdist},
};

}  // namespace

std::span<const Operator> reduce_operators() { return kReduceRows; }

}  // namespace tern::torch
