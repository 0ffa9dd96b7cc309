// StringJoin, StringConcat, StringReduceJoin. See strings.h.
#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"

namespace tern {
namespace {

Status infer_join(InferContext& c) {
  Shape y = c.shape(0);
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.has(i)) return invalid("input " + std::to_string(i) + " is missing");
    if (Status s = check_text(c, i); !s) return s;
    auto wider = broadcast_shapes(y, c.shape(i), c);
    if (!wider) return wider.error();
    y = std::move(*wider);
  }
  c.set(0, DType::string, std::move(y));
  return {};
}

// The dims of all inputs broadcast together; they do.
Dims broadcast(std::span<const Tensor> inputs) {
  Dims y;
  for (const Tensor& t : inputs) y.rank = std::max(y.rank, t.dims().rank);
  for (int d = 0; d < y.rank; ++d) {
    y[d] = 1;
    for (const Tensor& t : inputs) {
      const int own = d - (y.rank - t.dims().rank);
      if (own >= 0 && t.dims()[own] != 1) y[d] = t.dims()[own];
    }
  }
  return y;
}

// Which element of an input of these dims belongs to element i of y.
int64_t element_of(const Dims& dims, const Dims& y, int64_t i) {
  int64_t at = 0, stride = 1;
  for (int d = y.rank - 1, own = dims.rank - 1; own >= 0; --d, --own) {
    if (dims[own] != 1) at += i % y[d] * stride;
    stride *= dims[own];
    i /= y[d];
  }
  return at;
}

Result<std::vector<Tensor>> join(const ComputeRequest& r) {
  const std::string separator = r.attrs.lists("separator") ? r.attrs.s("separator") : std::string();
  const Dims dims = broadcast(r.inputs);
  if (const auto bytes = storage_bytes(DType::string, dims); !bytes || *bytes > r.budget) return too_much_text();
  struct Input {
    const StringRef* x;
    const Dims& dims;
    int64_t step;  // 1: as y; 0: one element
    bool even;     // one of these
  };
  const int64_t count = dims.count();
  std::vector<Input> inputs;
  for (const Tensor& t : r.inputs)
    inputs.push_back({t.data<StringRef>(), t.dims(), t.count() == count ? 1 : 0, t.count() == count || t.count() == 1});
  TextBuilder y(r.budget);
  y.reserve(count);
  for (int64_t i = 0; i < count && y.fits(); ++i) {
    for (size_t k = 0; k < inputs.size(); ++k) {
      const Input& in = inputs[k];
      if (k > 0) y.append(separator);
      y.append(in.x[in.even ? i * in.step : element_of(in.dims, dims, i)].view());
    }
    y.end();
  }
  auto out = std::move(y).finish(dims);
  if (!out) return out.error();
  return std::vector<Tensor>{std::move(*out)};
}

// ---- StringReduceJoin ----

Status infer_reduce(InferContext& c) {
  if (Status s = check_text(c); !s) return s;
  Shape y = c.shape(0);
  if (y.ranked() && y.rank() == 0) return invalid("x is a scalar: there is no axis to join along");
  if (y.ranked()) y.dims().pop_back();
  c.set(0, DType::string, std::move(y));
  return {};
}

Result<std::vector<Tensor>> reduce(const ComputeRequest& r) {
  const std::string separator = r.attrs.s("separator");
  Dims dims = r.inputs[0].dims();
  const int64_t columns = dims[dims.rank - 1];
  --dims.rank;
  if (const auto bytes = storage_bytes(DType::string, dims); !bytes || *bytes > r.budget) return too_much_text();
  TextBuilder y(r.budget);
  const auto strings = strings_of(r.inputs[0]);
  for (int64_t row = 0; row < dims.count() && y.fits(); ++row) {
    for (int64_t i = 0; i < columns; ++i) {
      if (i > 0) y.append(separator);
      y.append(strings[static_cast<size_t>(row * columns + i)].view());
    }
    y.end();
  }
  auto out = std::move(y).finish(dims);
  if (!out) return out.error();
  return std::vector<Tensor>{std::move(*out)};
}

constexpr AttrSpec kSeparator[] = {{"separator", AttrKind::s, ""}};

}  // namespace

constinit const OpDef kStringJoin = {
    .name = "StringJoin", .inputs = {1, -1}, .outputs = {1, 1}, .attrs = kSeparator, .infer = infer_join, .compute = join, .tern_only = true};
constinit const OpDef kStringConcat = {.name = "StringConcat", .inputs = {2, 2}, .outputs = {1, 1}, .infer = infer_join, .compute = join};
constinit const OpDef kStringReduceJoin = {.name = "StringReduceJoin",
                                           .inputs = {1, 1},
                                           .outputs = {1, 1},
                                           .attrs = kSeparator,
                                           .infer = infer_reduce,
                                           .compute = reduce,
                                           .tern_only = true};

}  // namespace tern
