// RaggedToDense and Bincount. See strings.h.
#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// ---- RaggedToDense: inputs shape, values, default, and partitions as `types` say, from the outermost dimension on ----

// Rows of one ragged dimension: where each begins among the rows (or values) of the next.
using Splits = std::vector<int64_t>;
constexpr int64_t kRowBytes = 16;

// Of the row that each value is in. Error: rows that do not rise, or are outside (invalid).
Result<Splits> splits_of_rows(const std::vector<int64_t>& rows, int64_t row_count) {
  Splits splits(static_cast<size_t>(row_count) + 1, 0);
  int64_t before = 0;
  for (int64_t row : rows) {
    if (row < before || row >= row_count)
      return invalid("the row " + std::to_string(row) + " of a value is out of order, or not below " + std::to_string(row_count));
    ++splits[static_cast<size_t>(before = row) + 1];
  }
  for (size_t i = 1; i < splits.size(); ++i) splits[i] += splits[i - 1];
  return splits;
}

// Every ragged dimension, from the outermost on; the last one's rows end with the number of values.
Result<std::vector<Splits>> partitions_of(const ComputeRequest& r) {
  const std::vector<std::string> types = r.attrs.strings("types");
  std::vector<Splits> all;
  int64_t rows = -1;  // of the next dimension, where it is known
  for (size_t i = 0; i < types.size(); ++i) {
    auto given = as_ints(r.inputs[i + 3].view());
    if (!given) return invalid("a partition is " + std::string(name(r.inputs[i + 3].dtype())));
    if (types[i] == "FIRST_DIM_SIZE" && i == 0) {
      if (given->size() != 1 || given->front() < 0) return invalid("FIRST_DIM_SIZE is no size");
      rows = given->front();
    } else if (types[i] == "ROW_SPLITS") {
      auto splits = row_splits(r.inputs[i + 3], given->empty() ? 0 : given->back());
      if (!splits) return splits.error();
      if (rows >= 0 && static_cast<int64_t>(splits->size()) != rows + 1) return invalid("row_splits of another number of rows");
      rows = splits->back();
      all.push_back(std::move(*splits));
    } else if (types[i] == "VALUE_ROWIDS" && rows >= 0) {
      if (rows > r.budget / kRowBytes) return too_much_text();
      auto splits = splits_of_rows(*given, rows);
      if (!splits) return splits.error();
      rows = splits->back();
      all.push_back(std::move(*splits));
    } else {
      return invalid("a partition of type " + quoted(types[i]) + " at place " + std::to_string(i));
    }
  }
  if (all.empty()) return invalid("no ragged dimension");
  if (rows != (r.inputs[1].dims().rank > 0 ? r.inputs[1].dims()[0] : -1)) return invalid("the partitions are of " + std::to_string(rows) + " values");
  return all;
}

// The dims of the result: as wide as the longest row, or as the shape that is asked for says.
Result<Dims> dims_of(const ComputeRequest& r, const std::vector<Splits>& partitions) {
  Dims dims = {static_cast<int64_t>(partitions[0].size()) - 1};
  for (const Splits& s : partitions) {
    int64_t longest = 0;
    for (size_t i = 1; i < s.size(); ++i) longest = std::max(longest, s[i] - s[i - 1]);
    dims.push_back(longest);
  }
  for (int d = 1; d < r.inputs[1].dims().rank; ++d) dims.push_back(r.inputs[1].dims()[d]);
  const auto wanted = *as_ints(r.inputs[0].view());
  if (r.inputs[0].dims().rank == 0) return dims;  // -1: nothing is asked for
  if (static_cast<int>(wanted.size()) != dims.rank)
    return invalid("a shape of " + std::to_string(wanted.size()) + " dimensions is asked for, the rows have " + std::to_string(dims.rank));
  for (int d = 0; d < dims.rank; ++d) {
    const int64_t n = wanted[static_cast<size_t>(d)];
    if (n >= 0 && d > static_cast<int>(partitions.size()) && n != dims[d]) return invalid("the shape asked for is another than that of the values");
    if (n >= 0) dims[d] = n;
  }
  return dims;
}

// How many rows the outermost partition is of, as far as its shape, or what it says, tell.
Dim rows_of(InferContext& c) {
  const bool sized = c.attrs.strings("types")[0] == "FIRST_DIM_SIZE";
  if (const auto size = sized ? c.ints(3) : std::nullopt; size && size->size() == 1) return (*size)[0];
  const Shape& splits = c.shape(3);
  const auto rows = !sized && splits.ranked() && splits.rank() == 1 ? sub(splits[0], Dim(1)) : std::nullopt;
  return rows ? *rows : c.fresh();
}

Status infer_dense(InferContext& c) {
  const Shape& values = c.shape(1);
  if (c.attrs.strings("types").size() + 3 != c.inputs.size()) return invalid("another number of partitions than of their types");
  if (c.dtype(2) != c.dtype(1)) return invalid(std::string("values are ") + name(c.dtype(1)) + ", their default is " + name(c.dtype(2)));
  if (c.shape(2).ranked() && c.shape(2).rank() > 0) return unsupported("a default of shape " + c.shape(2).text() + ": a scalar is supported");
  const std::vector<std::string> types = c.attrs.strings("types");
  const int ragged = static_cast<int>(std::count_if(types.begin(), types.end(), [](const std::string& t) { return t != "FIRST_DIM_SIZE"; }));
  if (!values.ranked()) return c.set(0, c.dtype(1), Shape()), Status();
  const auto wanted = c.ints(0);
  std::vector<Dim> dims;
  for (int d = 0; d <= ragged; ++d) {
    const auto at = static_cast<size_t>(d);
    const bool asked = wanted && at < wanted->size() && !((*wanted)[at].known() && (*wanted)[at].value() < 0);
    dims.push_back(asked ? (*wanted)[at] : d == 0 ? rows_of(c) : c.fresh());
  }
  for (int d = 1; d < values.rank(); ++d) dims.push_back(values[d]);
  c.set(0, c.dtype(1), Shape(std::move(dims)));
  return {};
}

Result<std::vector<Tensor>> dense(const ComputeRequest& r) {
  auto partitions = partitions_of(r);
  if (!partitions) return partitions.error();
  auto dims = dims_of(r, *partitions);
  if (!dims) return dims.error();
  const Tensor &values = r.inputs[1], &otherwise = r.inputs[2];
  const auto bytes = storage_bytes(values.dtype(), *dims);
  if (!bytes || *bytes > r.budget) return too_much_text();
  const auto size = static_cast<int64_t>(size_of(values.dtype()));
  auto out = Tensor::allocate(values.dtype(), *dims);
  if (!out) return out.error();
  for (int64_t i = 0; i < out->count(); ++i) std::memcpy(out->mutable_raw() + i * size, otherwise.raw(), static_cast<size_t>(size));
  // Where each row of a dimension lies in the result, counted in rows of its own kind; -1: cut off.
  std::vector<int64_t> places(partitions->front().size() - 1);
  for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int64_t>(i) < (*dims)[0] ? static_cast<int64_t>(i) : -1;
  for (size_t level = 0; level < partitions->size(); ++level) {
    const Splits& s = (*partitions)[level];
    const int64_t width = (*dims)[static_cast<int>(level) + 1];
    std::vector<int64_t> next(static_cast<size_t>(s.back()));
    for (size_t row = 0; row + 1 < s.size(); ++row) {
      for (int64_t i = s[row]; i < s[row + 1]; ++i) {
        const int64_t column = i - s[row];
        next[static_cast<size_t>(i)] = places[row] < 0 || column >= width ? -1 : places[row] * width + column;
      }
    }
    places = std::move(next);
  }
  const int64_t inner = values.dims().count(1, values.dims().rank) * size;
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] >= 0)
      std::memcpy(out->mutable_raw() + places[i] * inner, values.raw() + static_cast<int64_t>(i) * inner, static_cast<size_t>(inner));
  }
  if (values.dtype() == DType::string) out->keep(values.pools()), out->keep(otherwise.pools());
  return std::vector<Tensor>{std::move(*out)};
}

// ---- Bincount: inputs values, size, row_splits or nothing, weights or nothing ----

Status infer_bincount(InferContext& c) {
  if (!is_int(c.dtype(0))) return bad_dtype(c.dtype(0));
  const DType to = c.has(3) ? c.dtype(3) : DType::i64;
  if (to != DType::f32 && to != DType::f64 && to != DType::i32 && to != DType::i64) return bad_dtype(to);
  const auto size = c.ints(1);
  const Dim columns = size && size->size() == 1 ? (*size)[0] : c.fresh();
  const Shape &x = c.shape(0), &splits = c.has(2) ? c.shape(2) : x;
  if (c.has(2)) {
    const auto rows = splits.ranked() && splits.rank() == 1 ? sub(splits[0], Dim(1)) : std::nullopt;
    c.set(0, to, Shape{rows ? *rows : c.fresh(), columns});
  } else if (x.ranked()) {
    if (x.rank() != 1 && x.rank() != 2) return invalid("values are " + x.text() + ": one or two dimensions are wanted");
    c.set(0, to, x.rank() == 1 ? Shape{columns} : Shape{x[0], columns});
  } else {
    c.set(0, to, Shape());
  }
  return {};
}

template <class T>
Result<Tensor> counted(const ComputeRequest& r, const Splits& splits, const Dims& dims) {
  const Tensor& x = r.inputs[0];
  const bool binary = r.attrs.i("binary") != 0, weighted = r.has(3) && r.inputs[3].count() > 0;
  const int64_t size = dims.back();
  const auto values = *as_ints(x.view());
  if (weighted && r.inputs[3].count() != x.count()) return invalid("another number of weights than of values");
  auto out = Tensor::allocate(dtype_of<T>(), dims);
  if (!out) return out;
  T* y = out->template mutable_data<T>();
  std::fill_n(y, out->count(), T(0));
  for (size_t row = 0; row + 1 < splits.size(); ++row) {
    for (int64_t i = splits[row]; i < splits[row + 1]; ++i) {
      const int64_t v = values[static_cast<size_t>(i)];
      if (v < 0) return invalid("a negative number is counted: " + std::to_string(v));
      if (v >= size) continue;
      T& n = y[static_cast<int64_t>(row) * size + v];
      if (binary) n = T(1);
      else if constexpr (std::is_integral_v<T>)
        n = static_cast<T>(static_cast<std::make_unsigned_t<T>>(n) +
                           static_cast<std::make_unsigned_t<T>>(weighted ? r.inputs[3].data<T>()[i] : T(1)));
      else n += weighted ? r.inputs[3].data<T>()[i] : T(1);
    }
  }
  return out;
}

Result<std::vector<Tensor>> bincount(const ComputeRequest& r) {
  const Tensor& x = r.inputs[0];
  const auto sizes = as_ints(r.inputs[1].view());
  if (!sizes || sizes->size() != 1 || sizes->front() < 0) return invalid("size is no size");
  const int64_t size = sizes->front();
  Splits splits;
  Dims dims = {size};
  if (r.has(2)) {
    auto given = row_splits(r.inputs[2], x.count());
    if (!given) return given.error();
    splits = std::move(*given);
    dims = {static_cast<int64_t>(splits.size()) - 1, size};
  } else if (x.dims().rank == 2) {
    if (x.dims()[0] > r.budget / kRowBytes) return too_much_text();
    for (int64_t row = 0; row <= x.dims()[0]; ++row) splits.push_back(row * x.dims()[1]);
    dims = {x.dims()[0], size};
  } else {
    splits = {0, x.count()};
  }
  const DType to = r.has(3) ? r.inputs[3].dtype() : DType::i64;
  if (const auto bytes = storage_bytes(to, dims); !bytes || *bytes > r.budget) return too_much_text();
  auto out = to == DType::f32   ? counted<float>(r, splits, dims)
             : to == DType::f64 ? counted<double>(r, splits, dims)
             : to == DType::i32 ? counted<int32_t>(r, splits, dims)
                                : counted<int64_t>(r, splits, dims);
  if (!out) return out.error();
  return std::vector<Tensor>{std::move(*out)};
}

constexpr AttrSpec kDenseAttrs[] = {{"types", AttrKind::strings}};
constexpr AttrSpec kBincountAttrs[] = {{"binary", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kRaggedToDense = {.name = "RaggedToDense",
                                        .inputs = {4, -1},
                                        .outputs = {1, 1},
                                        .attrs = kDenseAttrs,
                                        .infer = infer_dense,
                                        .compute = dense,
                                        .data_dependent = true,
                                        .tern_only = true};
constinit const OpDef kBincount = {.name = "Bincount",
                                   .inputs = {2, 4},
                                   .outputs = {1, 1},
                                   .attrs = kBincountAttrs,
                                   .infer = infer_bincount,
                                   .compute = bincount,
                                   .data_dependent = true,
                                   .tern_only = true};

}  // namespace tern
