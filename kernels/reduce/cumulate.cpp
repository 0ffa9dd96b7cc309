// CumSum and CumProd: y[i] = x[0] + ... + x[i], from either end, with or without x[i] itself. See reduce.h.
#include <algorithm>

#include "kernels/apart.h"
#include "kernels/launch.h"
#include "kernels/reduce/lines.h"
#include "kernels/reduce/reduce.h"
#include "kernels/reduce/reduce_portable.h"

namespace tern {
namespace {

constexpr int64_t kTogether = 256;  // lines side by side
constexpr int kChains = 8;          // lines one behind the other: as many sums hide the latency of one

template <class T, bool Product>
portable::Folded<T> next(portable::Folded<T> acc, T x) {
  return Product ? portable::times(acc, portable::widen(x)) : portable::plus(acc, portable::widen(x));
}
// Lines side by side, `count` of them.
template <class T, bool Product, bool Exclusive>
void cumulate_columns(const T* x, T* y, int64_t n, int64_t along, int64_t count) {
  portable::Folded<T> acc[kTogether];
  for (int64_t j = 0; j < count; ++j) acc[j] = portable::Folded<T>(Product ? 1 : 0);
  for (int64_t k = 0; k < n; ++k, x += along, y += along) {
    TERN_APART
    for (int64_t j = 0; j < count; ++j) {
      const auto before = acc[j];
      acc[j] = next<T, Product>(before, x[j]);
      y[j] = portable::narrow<T>(Exclusive ? before : acc[j]);
    }
  }
}
// kCount lines one behind the other.
template <class T, bool Product, bool Exclusive, int kCount>
void cumulate_rows(const T* x, T* y, int64_t n, int64_t along) {
  portable::Folded<T> acc[kCount];
  for (int j = 0; j < kCount; ++j) acc[j] = portable::Folded<T>(Product ? 1 : 0);
  for (int64_t k = 0, at = 0; k < n; ++k, at += along) {
    T element[kCount];
    for (int j = 0; j < kCount; ++j) element[j] = x[j * n + at];
    for (int j = 0; j < kCount; ++j) {
      const auto before = acc[j];
      acc[j] = next<T, Product>(before, element[j]);
      y[j * n + at] = portable::narrow<T>(Exclusive ? before : acc[j]);
    }
  }
}
template <class T, bool Product, bool Exclusive>
void cumulate_all(const CumulateArgs& a) {
  const Lines& l = a.lines;
  for (int64_t line = l.begin; line < l.end;) {
    const int64_t first = l.first(line) + (a.reverse ? (l.n - 1) * l.inner : 0), along = a.reverse ? -l.inner : l.inner;
    const T* x = static_cast<const T*>(a.x) + first;
    T* y = static_cast<T*>(a.y) + first;
    if (l.inner > 1) {
      const int64_t count = std::min({l.end - line, l.inner - line % l.inner, kTogether});
      cumulate_columns<T, Product, Exclusive>(x, y, l.n, along, count);
      line += count;
    } else if (l.end - line >= kChains) {
      cumulate_rows<T, Product, Exclusive, kChains>(x, y, l.n, along);
      line += kChains;
    } else {
      cumulate_rows<T, Product, Exclusive, 1>(x, y, l.n, along);
      ++line;
    }
  }
}
template <class T, bool Product>
void cumulate(const CumulateArgs& a) {
  if (a.exclusive) cumulate_all<T, Product, true>(a);
  else cumulate_all<T, Product, false>(a);
}

template <bool P>
constexpr KernelRow kRows[] = {
    row<CumulateArgs, cumulate<float, P>>(P ? "cum_prod/f32/scalar" : "cum_sum/f32/scalar", DType::f32, Isa::scalar),
    row<CumulateArgs, cumulate<double, P>>(P ? "cum_prod/f64/scalar" : "cum_sum/f64/scalar", DType::f64, Isa::scalar),
    row<CumulateArgs, cumulate<f16, P>>(P ? "cum_prod/f16/scalar" : "cum_sum/f16/scalar", DType::f16, Isa::scalar),
    row<CumulateArgs, cumulate<bf16, P>>(P ? "cum_prod/bf16/scalar" : "cum_sum/bf16/scalar", DType::bf16, Isa::scalar),
    row<CumulateArgs, cumulate<int32_t, P>>(P ? "cum_prod/i32/scalar" : "cum_sum/i32/scalar", DType::i32, Isa::scalar),
    row<CumulateArgs, cumulate<int64_t, P>>(P ? "cum_prod/i64/scalar" : "cum_sum/i64/scalar", DType::i64, Isa::scalar),
    row<CumulateArgs, cumulate<uint32_t, P>>(P ? "cum_prod/u32/scalar" : "cum_sum/u32/scalar", DType::u32, Isa::scalar),
    row<CumulateArgs, cumulate<uint64_t, P>>(P ? "cum_prod/u64/scalar" : "cum_sum/u64/scalar", DType::u64, Isa::scalar),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::f32, P>>(P ? "cum_prod/f32/cuda" : "cum_sum/f32/cuda", DType::f32),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::f64, P>>(P ? "cum_prod/f64/cuda" : "cum_sum/f64/cuda", DType::f64),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::f16, P>>(P ? "cum_prod/f16/cuda" : "cum_sum/f16/cuda", DType::f16),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::bf16, P>>(P ? "cum_prod/bf16/cuda" : "cum_sum/bf16/cuda", DType::bf16),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::i32, P>>(P ? "cum_prod/i32/cuda" : "cum_sum/i32/cuda", DType::i32),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::i64, P>>(P ? "cum_prod/i64/cuda" : "cum_sum/i64/cuda", DType::i64),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::u32, P>>(P ? "cum_prod/u32/cuda" : "cum_sum/u32/cuda", DType::u32),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::u64, P>>(P ? "cum_prod/u64/cuda" : "cum_sum/u64/cuda", DType::u64),
};

Status infer(InferContext& c) {
  if (pick(rows_of<kRows<false>>, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
  auto axis = c.known_ints(1);
  if (axis && c.shape(0).ranked() && !normalize_axis((*axis)[0], c.shape(0).rank())) {
    return invalid("axis " + std::to_string((*axis)[0]) + " is outside of " + c.shape(0).text());
  }
  return infer_same(c);
}

template <bool P>
Status bind(BindContext& c) {
  const TensorView& x = c.in(0);
  const auto axis = normalize_axis(c.ints(1)[0], x.dims.rank);
  if (!axis) return invalid("axis is outside of " + to_string(x.dims));
  CumulateArgs& a = c.args(CumulateArgs{nullptr, nullptr, lines_of(c, x.dims, *axis), c.attrs.i("exclusive") != 0, c.attrs.i("reverse") != 0});
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  if (a.lines.begin < a.lines.end && a.lines.n > 0) c.run(*c.pick(x.dtype));
  return {};
}

constexpr AttrSpec kAttrs[] = {{"exclusive", AttrKind::i, 0}, {"reverse", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kCumSum = {.name = "CumSum",
                                 .inputs = {2, 2},
                                 .outputs = {1, 1},
                                 .attrs = kAttrs,
                                 .infer = infer,
                                 .bind = bind<false>,
                                 .kernels = rows_of<kRows<false>>,
                                 .value_inputs = {.integer = 2},
                                 .inplace_inputs = 1};
constinit const OpDef kCumProd = {.name = "CumProd",
                                  .inputs = {2, 2},
                                  .outputs = {1, 1},
                                  .attrs = kAttrs,
                                  .infer = infer,
                                  .bind = bind<true>,
                                  .kernels = rows_of<kRows<true>>,
                                  .value_inputs = {.integer = 2},
                                  .inplace_inputs = 1};

}  // namespace tern
