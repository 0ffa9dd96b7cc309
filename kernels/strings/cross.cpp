// HashCross and SparseCross. See strings.h and fingerprint.h.
#include <algorithm>
#include <functional>

#include "kernels/strings/fingerprint.h"
#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"

namespace tern {
namespace {

// TensorFlow's FingerprintCat64.
uint64_t joined(uint64_t a, uint64_t b) {
  constexpr uint64_t kMul = 0xc6a4a7935bd1e995;
  auto shift = [](uint64_t v) { return v ^ v >> 47; };
  return shift(shift((a ^ kMul ^ shift(b * kMul) * kMul) * kMul) * kMul);
}

int64_t bucket_of(uint64_t hash, int64_t buckets) {
  return static_cast<int64_t>(hash % (buckets > 0 ? static_cast<uint64_t>(buckets) : uint64_t(INT64_MAX)));
}

bool is_feature(DType t) { return t == DType::string || is_int(t); }

// ---- HashCross ----

Status infer_hash(InferContext& c) {
  if (c.attrs.i("buckets") < 0) return invalid("buckets is " + std::to_string(c.attrs.i("buckets")));
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!is_feature(c.dtype(i))) return bad_dtype(c.dtype(i));
    if (c.shape(i).known() && c.shape(0).known() && c.shape(i) != c.shape(0))
      return invalid("inputs of " + c.shape(0).text() + " and " + c.shape(i).text() + " are crossed: they must have one shape");
  }
  c.set(0, DType::i64, c.shape(0));
  return {};
}

Result<std::vector<Tensor>> hash_cross(const ComputeRequest& r) {
  const auto count = static_cast<size_t>(r.inputs[0].count());
  std::vector<uint64_t> hashes(count, static_cast<uint64_t>(r.attrs.i("hash_key")));
  for (const Tensor& x : r.inputs) {
    if (x.dims() != r.inputs[0].dims()) return invalid("inputs of different shapes are crossed");
    if (x.dtype() == DType::string) {
      for (size_t i = 0; i < count; ++i) hashes[i] = joined(hashes[i], farm_hash(strings_of(x)[i].view()));
      continue;
    }
    const auto values = *as_ints(x.view());
    for (size_t i = 0; i < count; ++i) hashes[i] = joined(hashes[i], static_cast<uint64_t>(values[i]));
  }
  auto out = Tensor::allocate(DType::i64, r.inputs[0].dims());
  if (!out) return out.error();
  for (size_t i = 0; i < count; ++i) out->mutable_data<int64_t>()[i] = bucket_of(hashes[i], r.attrs.i("buckets"));
  return std::vector<Tensor>{std::move(*out)};
}

// ---- SparseCross ----

Status infer_sparse(InferContext& c) {
  const auto sparse = c.attrs.i("sparse");
  const auto n = static_cast<int64_t>(c.inputs.size());
  if (sparse < 0 || sparse > n / 3) return invalid(std::to_string(sparse) + " sparse columns of " + std::to_string(n) + " inputs");
  if (c.attrs.i("buckets") < 0) return invalid("buckets is " + std::to_string(c.attrs.i("buckets")));
  for (int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<size_t>(i);
    const bool values = (i >= sparse && i < 2 * sparse) || i >= 3 * sparse;
    if (values ? !is_feature(c.dtype(at)) : c.dtype(at) != DType::i64) return bad_dtype(c.dtype(at));
    const int rank = values && i < 2 * sparse ? 1 : i >= 2 * sparse && i < 3 * sparse ? 1 : 2;
    if (c.shape(at).ranked() && c.shape(at).rank() != rank) return invalid("input " + std::to_string(i) + " is " + c.shape(at).text());
  }
  const Dim found = c.fresh();
  c.set(0, DType::i64, Shape{found, Dim(2)});
  c.set(1, c.attrs.i("hashed") != 0 ? DType::i64 : DType::string, Shape{found});
  c.set(2, DType::i64, Shape{Dim(2)});
  return {};
}

// The features of one column, row by row: elements [begins[row], begins[row + 1]) of its values.
struct Column {
  const Tensor* values;
  std::vector<int64_t> begins;
  std::vector<int64_t> numbers;  // of integers
  int64_t count(size_t row) const { return begins[row + 1] - begins[row]; }
  uint64_t hash(int64_t i) const {
    const auto at = static_cast<size_t>(i);
    return values->dtype() == DType::string ? farm_hash(strings_of(*values)[at].view()) : static_cast<uint64_t>(numbers[at]);
  }
  std::string text(int64_t i) const {
    const auto at = static_cast<size_t>(i);
    return values->dtype() == DType::string ? std::string(strings_of(*values)[at].view()) : std::to_string(numbers[at]);
  }
};

Result<std::vector<Column>> columns_of(const ComputeRequest& r, size_t sparse, int64_t& rows) {
  std::vector<Column> columns;
  rows = -1;
  auto rows_are = [&](int64_t n) { return std::exchange(rows, n) == n || columns.empty(); };
  for (size_t k = 0; k < sparse; ++k) {
    const Tensor &indices = r.inputs[k], &values = r.inputs[sparse + k], &shape = r.inputs[2 * sparse + k];
    if (shape.count() != 2 || indices.dims()[1] != 2 || indices.dims()[0] != values.count())
      return invalid("sparse column " + std::to_string(k) + " is no matrix");
    const int64_t n = shape.data<int64_t>()[0];
    if (n < 0 || n > r.budget / 64 || !rows_are(n)) return invalid("sparse column " + std::to_string(k) + " has " + std::to_string(n) + " rows");
    Column c{&values, std::vector<int64_t>(static_cast<size_t>(n) + 1), {}};
    int64_t before = 0;
    for (int64_t i = 0; i < values.count(); ++i) {
      const int64_t row = indices.data<int64_t>()[2 * i];
      if (row < before || row >= n) return invalid("the indices of sparse column " + std::to_string(k) + " are not in order, or outside of its rows");
      before = row;
      ++c.begins[static_cast<size_t>(row) + 1];
    }
    for (size_t row = 0; row < static_cast<size_t>(n); ++row) c.begins[row + 1] += c.begins[row];
    columns.push_back(std::move(c));
  }
  for (size_t i = 3 * sparse; i < r.inputs.size(); ++i) {
    const int64_t n = r.inputs[i].dims()[0], wide = r.inputs[i].dims()[1];
    if (n > r.budget / 64 || !rows_are(n)) return invalid("the columns have " + std::to_string(n) + " rows and others");
    Column c{&r.inputs[i], {}, {}};
    for (int64_t row = 0; row <= n; ++row) c.begins.push_back(row * wide);
    columns.push_back(std::move(c));
  }
  for (Column& c : columns) {
    if (c.values->dtype() != DType::string) c.numbers = *as_ints(c.values->view());
  }
  return columns;
}

// Calls f with one feature of each column, for all of a row's choices, the last column's changing fastest.
void each_choice(std::span<const Column> columns, size_t row, const std::function<void(std::span<const int64_t>)>& f) {
  std::vector<int64_t> choice;
  for (const Column& c : columns) choice.push_back(c.begins[row]);
  for (size_t k = columns.size(); k > 0;) {
    f(choice);
    for (k = columns.size(); k > 0; --k) {
      if (++choice[k - 1] < columns[k - 1].begins[row + 1]) break;
      choice[k - 1] = columns[k - 1].begins[row];
    }
  }
}

Result<std::vector<Tensor>> sparse_cross(const ComputeRequest& r) {
  int64_t rows = 0, most = 0, room = r.budget / 64;
  auto columns = columns_of(r, static_cast<size_t>(r.attrs.i("sparse")), rows);
  if (!columns) return columns.error();
  const bool hashed = r.attrs.i("hashed") != 0;
  const std::string separator = r.attrs.s("separator");
  std::vector<int64_t> indices, buckets;
  TextBuilder text(r.budget);
  for (int64_t row = 0; row < rows && !columns->empty(); ++row) {
    int64_t here = 1;
    for (const Column& c : *columns) {
      here *= c.count(static_cast<size_t>(row));
      if (here > room) return unsupported("the crossed columns need more memory than the budget");
    }
    room -= here;
    most = std::max(most, here);
    int64_t place = 0;
    auto cross = [&](std::span<const int64_t> choice) {
      indices.insert(indices.end(), {row, place++});
      uint64_t hash = static_cast<uint64_t>(r.attrs.i("hash_key"));
      for (size_t k = 0; k < choice.size(); ++k) {
        if (hashed) hash = joined(hash, (*columns)[k].hash(choice[k]));
        else text.append((k > 0 ? separator : "") + (*columns)[k].text(choice[k]));
      }
      if (hashed) buckets.push_back(bucket_of(hash, r.attrs.i("buckets")));
      else text.end();
    };
    if (here > 0) each_choice(*columns, static_cast<size_t>(row), cross);
    if (!text.fits()) return too_much_text();
  }
  const auto n = static_cast<int64_t>(indices.size() / 2);
  const int64_t shape[] = {std::max<int64_t>(rows, 0), most};
  auto strings = hashed ? Result<Tensor>(Tensor::ints(buckets)) : std::move(text).finish({n});
  if (!strings) return strings.error();
  return std::vector<Tensor>{Tensor::of<int64_t>({n, 2}, indices), std::move(*strings), Tensor::ints(shape)};
}

constexpr int64_t kCrossKey = 0xDECAFCAFFE;  // TensorFlow's default
constexpr AttrSpec kHashAttrs[] = {{"buckets", AttrKind::i, 0}, {"hash_key", AttrKind::i, kCrossKey}};
constexpr AttrSpec kSparseAttrs[] = {{"buckets", AttrKind::i, 0},
                                     {"hash_key", AttrKind::i, kCrossKey},
                                     {"hashed", AttrKind::i, 0},
                                     {"separator", AttrKind::s, "_X_"},
                                     {"sparse", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kHashCross = {
    .name = "HashCross", .inputs = {1, -1}, .outputs = {1, 1}, .attrs = kHashAttrs, .infer = infer_hash, .compute = hash_cross, .tern_only = true};

constinit const OpDef kSparseCross = {.name = "SparseCross",
                                      .inputs = {1, -1},
                                      .outputs = {3, 3},
                                      .attrs = kSparseAttrs,
                                      .infer = infer_sparse,
                                      .compute = sparse_cross,
                                      .data_dependent = true,
                                      .tern_only = true};

}  // namespace tern
