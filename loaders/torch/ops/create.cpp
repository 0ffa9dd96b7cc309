// Tensors out of sizes and numbers. See operator.h. Next: reduce.cpp.
#include <cmath>

#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

constexpr int64_t kMostElements = int64_t(1) << 20;  // of a constant that is written out; longer ones are computed by nodes

// The dtype that torch gives to a Python number.
DType dtype_of_number(const IValue& v) {
  if (v.get<bool>() != nullptr) return DType::boolean;
  return v.get<Int>() != nullptr ? DType::i64 : DType::f32;
}

ValueId filled(Builder& b, const std::vector<Int>& sizes, ValueId scalar) {
  for (const Int& s : sizes) {
    if (s.known() && s.value() < 0) return b.fail(invalid("a tensor cannot have the size " + std::to_string(s.value())));
  }
  if (sizes.empty() || !b.ok()) return scalar;
  return b.emit("Expand", {scalar, b.ints(sizes)});
}

// A value in a dtype: a Python number, or a tensor of one element.
ValueId element(Builder& b, const IValue& value, DType dtype) {
  const ValueId v = operand(b, value, dtype);
  return b.ok() && b.rank(v) > 0 ? b.reshape(v, {}) : v;
}

DType or_else(DType asked, DType otherwise) { return asked == DType::none ? otherwise : asked; }

template <int Value>
IValue constant(Builder& b, const Arguments& a) {  // zeros, ones, and empty, which is zeros here
  const DType dtype = or_else(a.dtype("dtype"), DType::f32);
  return tensor_of(filled(b, a.sizes("size"), b.scalar(dtype, Value)));
}

template <int Value>
IValue constant_like(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const DType dtype = or_else(a.dtype("dtype"), b.dtype(x));
  return tensor_of(filled(b, sizes_of(b, x), b.scalar(dtype, Value)));
}

template <int Value>
IValue new_constant(Builder& b, const Arguments& a) {
  const DType dtype = or_else(a.dtype("dtype"), b.dtype(a.tensor("input")));
  return tensor_of(filled(b, a.sizes("size"), b.scalar(dtype, Value)));
}

IValue full(Builder& b, const Arguments& a) {
  const IValue& value = a["fill_value"];
  const DType dtype = or_else(a.dtype("dtype"), value.is_tensor() ? b.dtype(value.id()) : dtype_of_number(value));
  return tensor_of(filled(b, a.sizes("size"), element(b, value, dtype)));
}

IValue full_like(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(filled(b, sizes_of(b, x), element(b, a["fill_value"], or_else(a.dtype("dtype"), b.dtype(x)))));
}

IValue new_full(Builder& b, const Arguments& a) {
  const DType dtype = or_else(a.dtype("dtype"), b.dtype(a.tensor("input")));
  return tensor_of(filled(b, a.sizes("size"), element(b, a["fill_value"], dtype)));
}

// `src` in the dtype and shape of `input`: what copy_ leaves there.
IValue copy(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), from = b.cast(a.tensor("src"), b.dtype(x));
  if (!b.ok() || b.shape(x) == b.shape(from)) return tensor_of(from);
  return tensor_of(b.emit("Expand", {from, b.ints(sizes_of(b, x))}));
}

// ---- sequences ----

// f(0), f(1) … f(n - 1), computed in f64.
template <class F>
ValueId sequence(Builder& b, int64_t n, DType dtype, F f) {
  if (n > kMostElements) return b.fail(unsupported("a sequence of " + std::to_string(n) + " numbers"));
  std::vector<double> values;
  for (int64_t i = 0; i < n; ++i) values.push_back(f(static_cast<double>(i)));
  return b.cast(b.constant(tern::Tensor::of<double>({n}, std::span<const double>(values))), dtype);
}

// torch.arange takes (end), (start, end) or (start, end, step), by place or by name.
IValue arange(Builder& b, const Arguments& a) {
  IValue start = Int(0), end = a["end"], step = Int(1);
  if (a.has("start")) start = a["start"];
  if (a.has("step")) step = a["step"];
  if (const IValues* given = a["bounds"].items()) {
    if (given->size() > 3) return tensor_of(b.fail(invalid("at most start, end and step can be given")));
    if (given->size() == 1) (a.has("end") ? start : end) = (*given)[0];
    if (given->size() > 1) start = (*given)[0], end = (*given)[1];
    if (given->size() > 2) step = (*given)[2];
  }
  const bool reals = start.get<double>() != nullptr || end.get<double>() != nullptr || step.get<double>() != nullptr;
  const DType dtype = or_else(a.dtype("dtype"), reals ? DType::f32 : DType::i64);
  if (!b.ok()) return {};
  if (reals) {
    auto number = [&](const IValue& v) {
      if (const auto* x = v.get<double>()) return *x;
      const auto* n = v.get<Int>();
      if (n != nullptr && n->known()) return static_cast<double>(n->value());
      b.fail(unsupported("bounds and step must be known numbers"));
      return 1.0;
    };
    const double first = number(start), last = number(end), by = number(step), n = std::ceil((last - first) / by);
    if (!b.ok()) return {};
    if (!(n >= 0 && n <= kMostElements)) return tensor_of(b.fail(invalid("bounds and step make no sequence")));
    return tensor_of(sequence(b, static_cast<int64_t>(n), dtype, [=](double i) { return first + i * by; }));
  }
  const auto *first = start.get<Int>(), *last = end.get<Int>(), *by = step.get<Int>();
  if (first == nullptr || last == nullptr || by == nullptr) return tensor_of(b.fail(invalid("bounds and step must be numbers")));
  return tensor_of(b.cast(b.emit("Range", {b.scalar(*first), b.scalar(*last), b.scalar(*by)}), dtype));
}

IValue linspace(Builder& b, const Arguments& a) {
  const double first = a.number("start"), last = a.number("end");
  const int64_t n = a.integer("steps");
  const DType dtype = or_else(a.dtype("dtype"), DType::f32);
  if (!b.ok()) return {};
  if (n < 0) return tensor_of(b.fail(invalid("steps must not be negative")));
  const double by = n > 1 ? (last - first) / static_cast<double>(n - 1) : 0;
  return tensor_of(sequence(b, n, dtype, [=](double i) {  // from both ends, so that both are exact
    return i < static_cast<double>(n / 2) || n == 1 ? first + by * i : last - by * (static_cast<double>(n - 1) - i);
  }));
}

IValue eye(Builder& b, const Arguments& a) {
  const Int n = a.size("n"), m = a.has("m") ? a.size("m") : n;
  const DType dtype = or_else(a.dtype("dtype"), DType::f32);
  return tensor_of(b.emit("EyeLike", {filled(b, {n, m}, b.scalar(dtype, 0))}));
}

// The places of a triangle, row by row: [2, how many].
template <int Upper>
IValue triangle_indices(Builder& b, const Arguments& a) {
  const int64_t rows = a.integer("row"), cols = a.integer("col"), offset = a.integer("offset");
  if (!b.ok()) return {};
  if (rows < 0 || cols < 0 || rows > kMostElements || cols > kMostElements || rows * cols > kMostElements) {
    return tensor_of(b.fail(unsupported("a triangle of " + std::to_string(rows) + " by " + std::to_string(cols))));
  }
  std::vector<int64_t> places, columns;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) {
      if (Upper ? c - r < offset : c - r > offset) continue;
      places.push_back(r);
      columns.push_back(c);
    }
  }
  const auto n = static_cast<int64_t>(columns.size());
  places.insert(places.end(), columns.begin(), columns.end());
  return tensor_of(b.cast(b.constant(tern::Tensor::ints(places).reshaped({2, n})), or_else(a.dtype("dtype"), DType::i64)));
}

// Every pair (triple …) of positions: tensor i along axis i, expanded over the others. 'xy' swaps the first two axes.
IValue meshgrid(Builder& b, const Arguments& a) {
  const std::vector<ValueId> vectors = a.tensors("tensors");
  const bool swap = a.has("indexing") && a.string("indexing") == "xy" && vectors.size() > 1;
  std::vector<Int> sizes;
  for (ValueId v : vectors) {
    if (b.rank(v) > 1) return tensor_of(b.fail(invalid("the tensors must have at most one dimension")));
    sizes.push_back(b.rank(v) == 0 ? Int(1) : b.size(v, 0));
  }
  if (swap) std::swap(sizes[0], sizes[1]);
  IValues grids;
  for (size_t i = 0; i < vectors.size() && b.ok(); ++i) {
    std::vector<Int> column(vectors.size(), Int(1));
    column[swap && i < 2 ? 1 - i : i] = -1;
    grids.push_back(tensor_of(b.emit("Expand", {b.reshape(vectors[i], column), b.ints(sizes)})));
  }
  return IValue::tuple(std::move(grids));
}

// ---- literals ----

IValue scalar_tensor(Builder& b, const Arguments& a) { return tensor_of(element(b, a["s"], or_else(a.dtype("dtype"), DType::f32))); }

// Elements of nested lists in order; depth is bounded by kMaxRank.
bool flattened(Builder& b, const IValue& value, size_t depth, std::vector<int64_t>& dims, IValues& out) {
  const IValues* items = value.items();
  if (items == nullptr) {
    const bool fits = depth == dims.size() && (value.is_tensor() || value.get<Int>() || value.get<bool>() || value.get<double>());
    if (!fits) b.fail(invalid("a tensor is made of numbers, or of lists of numbers that are equally long"));
    out.push_back(value);
    return fits;
  }
  if (depth == dims.size() && depth < kMaxRank && out.empty()) dims.push_back(static_cast<int64_t>(items->size()));
  if (depth >= dims.size() || dims[depth] != static_cast<int64_t>(items->size())) {
    b.fail(invalid("a tensor is made of numbers, or of lists of numbers that are equally long"));
    return false;
  }
  return std::all_of(items->begin(), items->end(), [&](const IValue& item) { return flattened(b, item, depth + 1, dims, out); });
}

IValue tensor(Builder& b, const Arguments& a) {  // torch.tensor([[1, 2], [3, 4]])
  const IValue& data = a["data"];
  const DType asked = a.dtype("dtype");
  if (data.is_tensor()) return tensor_of(asked == DType::none ? data.id() : b.cast(data.id(), asked));
  std::vector<int64_t> dims;
  IValues items;
  if (!flattened(b, data, 0, dims, items)) return {};
  DType dtype = asked;
  for (const IValue& item : items) {
    if (asked == DType::none) dtype = promote(dtype, item.is_tensor() ? b.dtype(item.id()) : dtype_of_number(item));
  }
  dtype = or_else(dtype, DType::f32);  // torch.tensor([])
  if (dims.empty()) return tensor_of(element(b, items[0], dtype));
  const bool known =
      std::none_of(items.begin(), items.end(), [](const IValue& i) { return i.is_tensor() || (i.get<Int>() && !i.get<Int>()->known()); });
  const bool ints = std::all_of(items.begin(), items.end(), [](const IValue& i) { return i.get<Int>() != nullptr; });
  if (known && ints) {
    std::vector<int64_t> values;
    for (const IValue& i : items) values.push_back(i.get<Int>()->value());
    return tensor_of(b.cast(b.constant(tern::Tensor::ints(values).reshaped(Dims(std::span<const int64_t>(dims)))), dtype));
  }
  if (known) {
    std::vector<double> values;
    for (const IValue& i : items)
      values.push_back(i.get<double>() ? *i.get<double>() : i.get<bool>() ? *i.get<bool>() : static_cast<double>(i.get<Int>()->value()));
    return tensor_of(b.cast(b.constant(tern::Tensor::of<double>(Dims(std::span<const int64_t>(dims)), std::span<const double>(values))), dtype));
  }
  std::vector<ValueId> parts;
  for (const IValue& item : items) parts.push_back(unsqueeze(b, element(b, item, dtype), {0}));
  return tensor_of(b.reshape(concat(b, parts, 0), std::vector<Int>(dims.begin(), dims.end())));
}

IValue new_tensor(Builder& b, const Arguments& a) {
  const DType like = b.dtype(a.tensor("input"));
  const IValue made = tensor(b, a);
  return tensor_of(a.has("dtype") ? made.id() : b.cast(made.id(), like));
}

// What an exported program checks while it runs: shapes and dtypes that are checked here when a session is made.
IValue nothing(Builder&, const Arguments&) { return {}; }

constexpr const char* kSize = "*size, dtype=None, **options";
constexpr const char* kLike = "input|self, *, dtype=None, **options";
constexpr const char* kNew = "input|self, *size, dtype=None, **options";
constexpr const char* kTriangle = "row, col, offset=0, *, dtype=None, **options";

constexpr Operator kCreateRows[] = {
    {"aten.zeros.default torch.zeros", kSize, constant<0>},
    {"aten.ones.default torch.ones", kSize, constant<1>},
    {"aten.empty.memory_format torch.empty", kSize, constant<0>},
    {"aten.zeros_like.default torch.zeros_like aten.empty_like.default torch.empty_like", kLike, constant_like<0>},
    {"aten.ones_like.default torch.ones_like", kLike, constant_like<1>},
    {"aten.zero.default", "input|self", constant_like<0>},
    {"aten.new_zeros.default Tensor.new_zeros aten.new_empty.default Tensor.new_empty", kNew, new_constant<0>},
    {"aten.new_ones.default Tensor.new_ones", kNew, new_constant<1>},
    {"aten.full.default torch.full", "size, fill_value, *, dtype=None, **options", full},
    {"aten.full_like.default torch.full_like", "input|self, fill_value, *, dtype=None, **options", full_like},
    {"aten.fill.Scalar aten.fill.Tensor torch.fill Tensor.fill", "input|self, fill_value|value", full_like},
    {"aten.new_full.default Tensor.new_full", "input|self, size, fill_value, *, dtype=None, **options", new_full},
    {"aten.copy.default Tensor.copy", "input|self, src, non_blocking=False", copy},
    {"aten.arange.default aten.arange.start aten.arange.start_step torch.arange", "*bounds, start=None, end=None, step=None, dtype=None, **options",
     arange},
    {"aten.linspace.default torch.linspace", "start, end, steps, *, dtype=None, **options", linspace},
    {"aten.eye.default", "n, *, dtype=None, **options", eye},
    {"aten.eye.m torch.eye", "n, m=None, *, dtype=None, **options", eye},
    {"aten.tril_indices.default torch.tril_indices", kTriangle, triangle_indices<0>},
    {"aten.triu_indices.default torch.triu_indices", kTriangle, triangle_indices<1>},
    {"torch.meshgrid", "*tensors, indexing=None", meshgrid, Shares::view},
    {"aten.meshgrid.default aten.meshgrid.indexing", "tensors, indexing=None", meshgrid, Shares::view},
    {"aten.scalar_tensor.default torch.scalar_tensor", "s, *, dtype=None, **options", scalar_tensor},
    {"torch.tensor", "data, dtype=None, device=None, *, requires_grad=False, pin_memory=False", tensor},
    {"torch.as_tensor torch.asarray", "data, dtype=None, device=None, *, requires_grad=False, pin_memory=False", tensor, Shares::perhaps},
    {"Tensor.new_tensor", "input|self, data, *, dtype=None, device=None, requires_grad=False", new_tensor},
    {"aten._assert_tensor_metadata.default", "a, size=None, stride=None, dtype=None, *, device=None, layout=None", nothing},
    {"aten._assert_scalar.default aten._assert_async.msg torch._check torch._assert", "condition|self, message|assert_msg=None", nothing},
    {"aten._assert_async.default torch._check_is_size", "condition|self, max=None", nothing},
    {"aten.sym_constrain_range.default aten.sym_constrain_range_for_size.default", "size, *, min=None, max=None", nothing},
};

}  // namespace

std::span<const Operator> create_operators() { return kCreateRows; }

}  // namespace tern::torch
