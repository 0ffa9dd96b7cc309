// Unique: the different elements of x, or its different slices along an axis. How many there are depends on the data: inference sorts to count
// when the contents are known (the evaluator runs such nodes); a plan refuses them. See movement.h.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "kernels/movement/movement.h"
#include "kernels/op.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

struct UniqueArgs {
  const void* x;                        // [outer, n, inner]
  void* y;                              // [outer, found, inner]
  int64_t *indices, *inverse, *counts;  // [found], [n], [found]; null: not wanted
  int64_t outer, n, inner, found;
  bool sorted;
  int64_t *order, *first, *number;  // [n] scratch
};

// -1, 0 or 1. NaN equals NaN and comes last, as in NumPy.
template <class T>
int compare(T a, T b) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return compare(to_f32(a), to_f32(b));
  else if constexpr (std::is_same_v<T, StringRef>) {
    const int order = a.view().compare(b.view());
    return (order > 0) - (order < 0);
  } else {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
    }
    return static_cast<int>(b < a) - static_cast<int>(a < b);
  }
}

// A bool may be any byte that is not zero.
template <class T>
using Element = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

template <class T>
int compare_slices(const UniqueArgs& a, int64_t i, int64_t j) {
  const auto* x = static_cast<const Element<T>*>(a.x);
  for (int64_t o = 0; o < a.outer; ++o) {
    const auto *s = x + (o * a.n + i) * a.inner, *t = x + (o * a.n + j) * a.inner;  // [inner]
    for (int64_t k = 0; k < a.inner; ++k) {
      int order;
      if constexpr (std::is_same_v<T, bool>) order = static_cast<int>(s[k] != 0) - static_cast<int>(t[k] != 0);
      else order = compare(s[k], t[k]);
      if (order != 0) return order;
    }
  }
  return 0;
}

// Slices in ascending order, equal ones in that of the data; how many differ.
template <class T>
int64_t sort_slices(const UniqueArgs& a, int64_t* order) {
  std::iota(order, order + a.n, int64_t(0));
  std::sort(order, order + a.n, [&](int64_t i, int64_t j) {
    const int c = compare_slices<T>(a, i, j);
    return c != 0 ? c < 0 : i < j;
  });
  int64_t found = a.n > 0 ? 1 : 0;
  for (int64_t i = 1; i < a.n; ++i) found += compare_slices<T>(a, order[i - 1], order[i]) != 0;
  return found;
}

template <class T>
void unique(const UniqueArgs& a) {
  sort_slices<T>(a, a.order);
  for (int64_t i = 0; i < a.n; ++i) {  // equal neighbours share the first of them, which has the lowest index
    const bool starts = i == 0 || compare_slices<T>(a, a.order[i - 1], a.order[i]) != 0;
    a.first[a.order[i]] = starts ? a.order[i] : a.first[a.order[i - 1]];
  }
  int64_t next = 0;
  for (int64_t i = 0; i < a.n; ++i) {
    const int64_t s = a.sorted ? a.order[i] : i;
    if (a.first[s] == s) a.number[s] = next++;
  }
  for (int64_t g = 0; a.counts != nullptr && g < a.found; ++g) a.counts[g] = 0;
  for (int64_t i = 0; i < a.n; ++i) {
    const int64_t g = a.number[a.first[i]];
    if (a.inverse != nullptr) a.inverse[i] = g;
    if (a.counts != nullptr) ++a.counts[g];
    if (a.first[i] != i) continue;
    if (a.indices != nullptr) a.indices[g] = i;
    for (int64_t o = 0; a.y != nullptr && o < a.outer; ++o) {
      std::copy_n(static_cast<const Element<T>*>(a.x) + (o * a.n + i) * a.inner, a.inner,
                  static_cast<Element<T>*>(a.y) + (o * a.found + g) * a.inner);
    }
  }
}

constexpr KernelRow kRows[] = {
    row<UniqueArgs, unique<float>>("unique/f32/scalar", DType::f32, Isa::scalar),
    row<UniqueArgs, unique<double>>("unique/f64/scalar", DType::f64, Isa::scalar),
    row<UniqueArgs, unique<f16>>("unique/f16/scalar", DType::f16, Isa::scalar),
    row<UniqueArgs, unique<bf16>>("unique/bf16/scalar", DType::bf16, Isa::scalar),
    row<UniqueArgs, unique<int8_t>>("unique/i8/scalar", DType::i8, Isa::scalar),
    row<UniqueArgs, unique<int16_t>>("unique/i16/scalar", DType::i16, Isa::scalar),
    row<UniqueArgs, unique<int32_t>>("unique/i32/scalar", DType::i32, Isa::scalar),
    row<UniqueArgs, unique<int64_t>>("unique/i64/scalar", DType::i64, Isa::scalar),
    row<UniqueArgs, unique<uint8_t>>("unique/u8/scalar", DType::u8, Isa::scalar),
    row<UniqueArgs, unique<uint16_t>>("unique/u16/scalar", DType::u16, Isa::scalar),
    row<UniqueArgs, unique<uint32_t>>("unique/u32/scalar", DType::u32, Isa::scalar),
    row<UniqueArgs, unique<uint64_t>>("unique/u64/scalar", DType::u64, Isa::scalar),
    row<UniqueArgs, unique<bool>>("unique/bool/scalar", DType::boolean, Isa::scalar),
    row<UniqueArgs, unique<StringRef>>("unique/string/scalar", DType::string, Isa::scalar),
};

// x as [outer, n, inner]; without an axis all its elements are slices. Precondition: the axis exists.
UniqueArgs slices_of(const AttrReader& attrs, const void* x, const Dims& dims) {
  UniqueArgs a{};
  a.x = x;
  a.outer = a.inner = 1;
  a.n = dims.count();
  if (!attrs.has("axis")) return a;
  const int axis = *normalize_axis(attrs.i("axis"), dims.rank);
  a.outer = dims.count(0, axis);
  a.n = dims[axis];
  a.inner = dims.count(axis + 1, dims.rank);
  return a;
}

Status infer(InferContext& c) {
  const Shape& x = c.shape(0);
  if (pick(rows_of<kRows>, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
  std::optional<int> axis;
  if (c.attrs.has("axis") && x.ranked()) {
    axis = normalize_axis(c.attrs.i("axis"), x.rank());
    if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  }
  Dim found = c.fresh(), all = axis ? x[*axis] : c.fresh();
  if (auto n = checked_count(x.concrete().span()); n && !c.attrs.has("axis")) all = Dim(*n);
  if (const Tensor* t = c.inputs[0].value) {
    const UniqueArgs a = slices_of(c.attrs, t->raw(), t->dims());
    std::vector<int64_t> order(static_cast<size_t>(a.n));
    visit(t->dtype(), [&]<class T>() {
      if constexpr (!std::is_void_v<T>) found = Dim(sort_slices<T>(a, order.data()));
    });
  }
  Shape y = x;
  if (!c.attrs.has("axis")) y = Shape{found};
  else if (axis) y[*axis] = found;
  c.set(0, c.dtype(0), std::move(y));
  c.set(1, DType::i64, Shape{found});
  c.set(2, DType::i64, Shape{all});
  c.set(3, DType::i64, Shape{found});
  return {};
}

Status bind(BindContext& c) {
  const TensorView& x = c.in(0);
  UniqueArgs& a = c.args(slices_of(c.attrs, nullptr, x.dims));
  if (a.n == 0) return {};
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  c.set(a.indices, c.output<int64_t>(1));
  c.set(a.inverse, c.output<int64_t>(2));
  c.set(a.counts, c.output<int64_t>(3));
  a.sorted = c.attrs.i("sorted") != 0;
  a.found = c.attrs.has("axis") ? c.out(0).dims[*normalize_axis(c.attrs.i("axis"), x.dims.rank)] : c.out(0).dims[0];
  for (int64_t** scratch : {&a.order, &a.first, &a.number}) c.set(*scratch, c.workspace<int64_t>(a.n));
  c.run(*c.pick(x.dtype));
  return {};
}

constexpr AttrSpec kAttrs[] = {{"axis", AttrKind::i}, {"sorted", AttrKind::i, 1}};

}  // namespace

constinit const OpDef kUnique = {.name = "Unique",
                                 .inputs = {1, 1},
                                 .outputs = {1, 4},
                                 .attrs = kAttrs,
                                 .infer = infer,
                                 .bind = bind,
                                 .kernels = rows_of<kRows>,
                                 .data_dependent = true};

}  // namespace tern
