// OneHot. See shape.h.
#include "kernels/shape/one_hot.h"

#include <algorithm>

#include "kernels/choose.h"
#include "kernels/movement/axes.h"
#include "kernels/op.h"
#include "kernels/shape/shape.h"

namespace tern {
namespace {

// Positions that lie side by side, for each depth in turn: elements are written one after another. Of bits alone, so that no choice becomes a branch.
template <class U, class Index>
void one_hot_side(const OneHotArgs& a) {
  constexpr int64_t kSide = 256;
  const U off = reinterpret_cast<const U*>(a.values)[0], change = off ^ reinterpret_cast<const U*>(a.values)[1];
  U hot[kSide];  // as U counts: an index at each of a run of depths no longer than that
  constexpr int64_t kRun = sizeof(U) == 1 ? 255 : sizeof(U) == 2 ? 65535 : int64_t(1) << 31;
  for (int64_t p = a.begin, n; p < a.end; p += n) {
    n = a.inner - p % a.inner;
    n = std::min({n, a.end - p, kSide});
    U* y = reinterpret_cast<U*>(a.y) + p / a.inner * a.depth * a.inner + p % a.inner;
    for (int64_t first = 0; first < a.depth; first += kRun) {
      const int64_t last = std::min(a.depth - first, kRun);
      for (int64_t i = 0; i < n; ++i) {
        const int64_t place = hot_index(static_cast<const Index*>(a.indices)[p + i], 0);  // as a number: what is added to it must be no branch
        const int64_t index = place + choose(place < 0, a.depth, int64_t(0)) - first;
        hot[i] = static_cast<U>(choose((index >= 0) & (index < last), index, last));
      }
      for (int64_t d = 0; d < last; ++d, y += a.inner) {
        for (int64_t i = 0; i < n; ++i) y[i] = off ^ (change & (U(0) - static_cast<U>(hot[i] == static_cast<U>(d))));
      }
    }
  }
}
// U: the bits of an element.
template <class U, class Index>
void one_hot_of(const OneHotArgs& a) {
  if constexpr (!std::is_same_v<U, StringRef>) {
    if (a.inner > 1) return one_hot_side<U, Index>(a);
  }
  const U values[] = {reinterpret_cast<const U*>(a.values)[0], reinterpret_cast<const U*>(a.values)[1]};  // indexed: a choice may become a branch
  for (int64_t p = a.begin; p < a.end; ++p) {
    const int64_t index = hot_index(static_cast<const Index*>(a.indices)[p], a.depth);
    U* y = reinterpret_cast<U*>(a.y) + p / a.inner * a.depth * a.inner + p % a.inner;
    if (a.inner == 1) {
      for (int64_t d = 0; d < a.depth; ++d) y[d] = values[0];
      const bool hot = (index >= 0) & (index < a.depth);
      y[choose(hot, index, int64_t(0))] = values[hot];
    } else {
      for (int64_t d = 0; d < a.depth; ++d) y[d * a.inner] = values[d == index];
    }
  }
}
template <class Index>
void one_hot(const OneHotArgs& a) {
  switch (a.size) {
    case 1: return one_hot_of<uint8_t, Index>(a);
    case 2: return one_hot_of<uint16_t, Index>(a);
    case 4: return one_hot_of<uint32_t, Index>(a);
    case 8: return one_hot_of<uint64_t, Index>(a);
    default: return one_hot_of<StringRef, Index>(a);
  }
}

constexpr KernelRow kRows[] = {
    row<OneHotArgs, one_hot<int32_t>>("one_hot/i32/scalar", DType::i32, Isa::scalar),
    row<OneHotArgs, one_hot<int64_t>>("one_hot/i64/scalar", DType::i64, Isa::scalar),
    row<OneHotArgs, one_hot<int8_t>>("one_hot/i8/scalar", DType::i8, Isa::scalar),
    row<OneHotArgs, one_hot<uint8_t>>("one_hot/u8/scalar", DType::u8, Isa::scalar),
    row<OneHotArgs, one_hot<int16_t>>("one_hot/i16/scalar", DType::i16, Isa::scalar),
    row<OneHotArgs, one_hot<uint16_t>>("one_hot/u16/scalar", DType::u16, Isa::scalar),
    row<OneHotArgs, one_hot<uint32_t>>("one_hot/u32/scalar", DType::u32, Isa::scalar),
    row<OneHotArgs, one_hot<uint64_t>>("one_hot/u64/scalar", DType::u64, Isa::scalar),
    row<OneHotArgs, one_hot<float>>("one_hot/f32/scalar", DType::f32, Isa::scalar),
    row<OneHotArgs, one_hot<double>>("one_hot/f64/scalar", DType::f64, Isa::scalar),
};

// The depth may come as a float. Nothing when it is not known.
Result<std::optional<Dim>> depth_of(InferContext& c) {
  if (auto d = c.ints(1)) return std::optional((*d)[0]);
  const Tensor* t = c.inputs[1].value;
  if (t == nullptr) return std::optional<Dim>();
  const bool wide = t->dtype() == DType::f64;
  if (!wide && t->dtype() != DType::f32) return bad_dtype(t->dtype());
  const double depth = wide ? *t->data<double>() : static_cast<double>(*t->data<float>());
  if (!(depth >= 0 && depth < 9e15)) return invalid("depth is " + std::to_string(depth));
  return std::optional(Dim(static_cast<int64_t>(depth)));
}

Status infer(InferContext& c) {
  if (pick(rows_of<kRows>, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
  const Shape& x = c.shape(0);
  if (!x.ranked()) {
    c.set(0, c.dtype(2), Shape());
    return {};
  }
  auto axis = normalize_axis(c.attrs.i("axis"), x.rank() + 1);
  if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of rank " + std::to_string(x.rank() + 1));
  if (auto n = length_of(c, 2); n && *n != 2) return invalid("values must be [off, on]");
  auto depth = depth_of(c);
  if (!depth) return depth.error();
  if (*depth && (*depth)->known() && (*depth)->value() < 0) return invalid("depth is " + (*depth)->text());
  Shape y = x;
  y.dims().insert(y.dims().begin() + *axis, *depth ? **depth : c.fresh());
  c.set(0, c.dtype(2), std::move(y));
  return {};
}

Status bind(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const int axis = *normalize_axis(c.attrs.i("axis"), y.dims.rank);
  if (c.in(2).count() != 2) return invalid("values must be [off, on]");
  const auto [begin, end] = c.range(x.count());
  if (begin == end || y.dims[axis] == 0) return {};
  OneHotArgs& a = c.args(
      OneHotArgs{nullptr, nullptr, nullptr, y.dims[axis], y.dims.count(axis + 1, y.dims.rank), static_cast<int64_t>(size_of(y.dtype)), begin, end});
  c.set(a.indices, c.input(0));
  c.set(a.values, c.input(2));
  c.set(a.y, c.output(0));
  c.run(y.dtype == DType::string ? *pick(rows_of<kRows>, x.dtype, Isa::scalar) : *c.pick(x.dtype));
  return {};
}

constexpr AttrSpec kAttrs[] = {{"axis", AttrKind::i, -1}};

}  // namespace

constinit const OpDef kOneHot = {.name = "OneHot",
                                 .inputs = {3, 3},
                                 .outputs = {1, 1},
                                 .attrs = kAttrs,
                                 .infer = infer,
                                 .bind = bind,
                                 .kernels = rows_of<kRows, cuda::kOneHotRows>,
                                 .value_inputs = {.number = 2}};

}  // namespace tern
