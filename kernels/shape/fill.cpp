// ConstantOfShape and EyeLike: copies of one element; Range: start + i * delta. See shape.h.
#include <cmath>

#include "kernels/dtype_code.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/shape/range.h"
#include "kernels/shape/shape.h"
#include "runtime/base/checked.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

// ---- ConstantOfShape ----

Status infer_constant(InferContext& c) {
  const Tensor* value = c.attrs.tensor("value");
  if (value != nullptr && value->count() != 1) return invalid("value must have one element");
  const DType dtype = value ? value->dtype() : DType::f32;
  auto shape = c.ints(0);
  if (!shape) {
    auto rank = length_of(c, 0);
    c.set(0, dtype, rank && *rank <= kMaxRank ? fresh_shape(static_cast<int>(*rank), c) : Shape());
    return {};
  }
  for (const Dim& d : *shape) {
    if (d.known() && d.value() < 0) return invalid("a dimension is " + d.text());
  }
  auto fill = value ? as_ints(value->view()) : std::nullopt;
  if (fill && shape->size() <= 1) {
    const Dim n = shape->empty() ? Dim(1) : (*shape)[0];
    if (n.known() && n.value() <= kMaxInts) c.output_ints[0] = SymbolicInts(static_cast<size_t>(n.value()), Dim((*fill)[0]));
  }
  c.set(0, dtype, Shape(std::move(*shape)));
  return {};
}

Status bind_constant(BindContext& c) {
  const TensorView& y = c.out(0);
  const size_t size = size_of(y.dtype);
  const Tensor* value = c.attrs.tensor("value");
  const auto one = c.table<std::byte>(static_cast<int64_t>(size), [&](std::byte* zeroed) {
    if (value != nullptr) std::memcpy(zeroed, value->raw(), size);
  });
  CopyRequest copy(one, c.output(0), y.dtype);
  copy.loop(y.count(), 0, 1);
  return bind_copy(c, copy);
}

// ---- EyeLike ----

Status infer_eye(InferContext& c) {
  const Shape& x = c.shape(0);
  const DType dtype = c.attrs.has("dtype") ? dtype_from_code(c.attrs.i("dtype")) : c.dtype(0);
  if (!is_number(dtype) && dtype != DType::boolean) return bad_dtype(dtype);
  if (x.ranked() && x.rank() != 2) return invalid("the input " + x.text() + " is no matrix");
  c.set(0, dtype, x);
  return {};
}

Status bind_eye(BindContext& c) {
  const TensorView& y = c.out(0);
  const int64_t rows = y.dims[0], cols = y.dims[1], k = c.attrs.i("k"), size = static_cast<int64_t>(size_of(y.dtype));
  const auto values = c.table<std::byte>(2 * size, [&](std::byte* to) {  // zero, one
    visit(y.dtype, [&]<class T>() {
      if constexpr (std::is_same_v<T, f16>) reinterpret_cast<T*>(to)[1] = to_f16(1.0f);
      else if constexpr (std::is_same_v<T, bf16>) reinterpret_cast<T*>(to)[1] = to_bf16(1.0f);
      else if constexpr (std::is_arithmetic_v<T>) reinterpret_cast<T*>(to)[1] = T(1);
    });
  });
  CopyRequest zeros(values, c.output(0), y.dtype);
  zeros.loop(rows * cols, 0, 1);
  const bool outside = k >= cols || k <= -rows;
  const int64_t row0 = k < 0 && !outside ? -k : 0, col0 = k > 0 && !outside ? k : 0;
  CopyRequest ones(values + size, c.output(0) + (row0 * cols + col0) * size, y.dtype);
  ones.loop(outside ? 0 : std::min(rows - row0, cols - col0), 0, cols + 1);
  CopyList copies(c, false);
  copies.add(zeros);
  copies.add(ones);
  return copies.bind();
}

// ---- Range ----

template <class T>
void range(const RangeArgs& a) {
  for (int64_t i = a.begin; i < a.end; ++i) static_cast<T*>(a.y)[i] = range_element<T>(a, i);
}

constexpr KernelRow kRangeRows[] = {
    row<RangeArgs, range<float>>("range/f32/scalar", DType::f32, Isa::scalar),
    row<RangeArgs, range<double>>("range/f64/scalar", DType::f64, Isa::scalar),
    row<RangeArgs, range<f16>>("range/f16/scalar", DType::f16, Isa::scalar),
    row<RangeArgs, range<bf16>>("range/bf16/scalar", DType::bf16, Isa::scalar),
    row<RangeArgs, range<int16_t>>("range/i16/scalar", DType::i16, Isa::scalar),
    row<RangeArgs, range<int32_t>>("range/i32/scalar", DType::i32, Isa::scalar),
    row<RangeArgs, range<int64_t>>("range/i64/scalar", DType::i64, Isa::scalar),
};

std::optional<double> number(const void* data, DType dtype) {
  std::optional<double> out;
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) out = to_f32(*static_cast<const T*>(data));
    else if constexpr (std::is_arithmetic_v<T>) out = static_cast<double>(*static_cast<const T*>(data));
  });
  return out;
}

Result<int64_t> int_count(int64_t start, int64_t limit, int64_t delta) {
  if (delta == 0) return invalid("delta is 0");
  auto span = delta > 0 ? checked_sub(limit, start) : checked_sub(start, limit);
  if (!span || delta == INT64_MIN) return invalid("the range has no representable length");
  const int64_t step = delta > 0 ? delta : -delta;
  return *span <= 0 ? 0 : 1 + (*span - 1) / step;
}

Status infer_range(InferContext& c) {
  const DType t = c.dtype(0);
  if (pick(rows_of<kRangeRows>, t, Isa::scalar) == nullptr) return bad_dtype(t);
  if (c.dtype(1) != t || c.dtype(2) != t) return invalid("start, limit and delta differ in dtype");
  if (is_float(t)) {
    double v[3];
    for (size_t i = 0; i < 3; ++i) {
      if (c.inputs[i].value == nullptr) {
        c.set(0, t, Shape{c.fresh()});
        return {};
      }
      v[i] = *number(c.inputs[i].value->raw(), t);
    }
    const double n = std::ceil((v[1] - v[0]) / v[2]);
    if (!(n < 9e15)) return invalid("the range has no representable length");
    c.set(0, t, Shape{Dim(n > 0 ? static_cast<int64_t>(n) : 0)});
    return {};
  }
  auto start = c.ints(0), limit = c.ints(1), delta = c.ints(2);
  if (!start || !limit || !delta) {
    c.set(0, t, Shape{c.fresh()});
    return {};
  }
  const Dim &s = (*start)[0], &l = (*limit)[0], &d = (*delta)[0];
  if (s.known() && l.known() && d.known()) {
    auto n = int_count(s.value(), l.value(), d.value());
    if (!n) return n.error();
    c.set(0, t, Shape{Dim(*n)});
    // Of inputs with contents it is a constant as soon as it is folded, and the evaluator reads no symbols.
    const bool contents = c.inputs[0].value != nullptr && c.inputs[1].value != nullptr && c.inputs[2].value != nullptr;
    if (*n > kMaxInts || contents) return {};
    SymbolicInts out;
    out.reserve(static_cast<size_t>(*n));
    for (int64_t i = 0; i < *n; ++i) out.emplace_back(s.value() + i * d.value());
    c.output_ints[0] = std::move(out);
    return {};
  }
  auto span = sub(l, s);
  auto n = span ? div(*span, d) : span;
  c.set(0, t, Shape{n ? *n : c.fresh()});
  return {};
}

Status bind_range(BindContext& c) {
  const TensorView& y = c.out(0);
  const auto [begin, end] = c.range(y.count(), 16);
  if (begin == end) return {};
  RangeArgs& a = c.args<RangeArgs>();
  a.begin = begin;
  a.end = end;
  c.set(a.y, c.output(0));
  if (is_float(y.dtype)) {
    a.start = *number(c.in(0).contents, y.dtype);
    a.delta = *number(c.in(2).contents, y.dtype);
  } else {
    a.istart = c.ints(0)[0];
    a.idelta = c.ints(2)[0];
  }
  c.run(*c.pick(y.dtype));
  return {};
}

constexpr AttrSpec kConstantAttrs[] = {{"value", AttrKind::tensor}};
constexpr AttrSpec kEyeAttrs[] = {{"dtype", AttrKind::i}, {"k", AttrKind::i, 0}};
constexpr AttrSpec kRangeAttrs[] = {{"stash_type", AttrKind::i, 1}};

}  // namespace

constinit const OpDef kConstantOfShape = {.name = "ConstantOfShape",
                                          .inputs = {1, 1},
                                          .outputs = {1, 1},
                                          .attrs = kConstantAttrs,
                                          .infer = infer_constant,
                                          .bind = bind_constant,
                                          .kernels = rows_of<kCopyRows>,
                                          .value_inputs = {.ints = 1}};
constinit const OpDef kEyeLike = {
    .name = "EyeLike", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kEyeAttrs, .infer = infer_eye, .bind = bind_eye, .kernels = rows_of<kCopyRows>};
constinit const OpDef kRange = {.name = "Range",
                                .inputs = {3, 3},
                                .outputs = {1, 1},
                                .attrs = kRangeAttrs,
                                .infer = infer_range,
                                .bind = bind_range,
                                .kernels = rows_of<kRangeRows, cuda::kRangeRows>,
                                .value_inputs = {.number = 7}};

}  // namespace tern
