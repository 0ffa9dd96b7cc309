// TopK: indices are sorted by (element, index), so that equal elements keep their order; NaN counts as the largest. See reduce.h.
// The sort moves by the values: an index-driven operator, the exception that the hot path contract names. A device ranks or selects (lines.cu).
#include <algorithm>
#include <bit>

#include "kernels/launch.h"
#include "kernels/reduce/key.h"
#include "kernels/reduce/lines.h"
#include "kernels/reduce/reduce.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// The first k of n numbers in order, by their places.
template <class T>
void sort_places(const TopKArgs& a, const T* x) {
  const int64_t inner = a.lines.inner;
  for (int64_t i = 0; i < a.lines.n; ++i) a.order[i] = i;
  auto before = [&](int64_t i, int64_t j) { return top_before(a.largest, comparable(x[i * inner]), i, comparable(x[j * inner]), j); };
  std::partial_sort(a.order, a.order + a.k, a.order + a.lines.n, before);
}
// The same of at most 32 bits each: number and place are one integer, so that nothing is looked up while sorting.
template <class T>
void sort_keys(const TopKArgs& a, const T* x) {
  const int64_t n = a.lines.n, inner = a.lines.inner;
  uint64_t* keys = reinterpret_cast<uint64_t*>(a.order);
  const uint32_t turned = a.largest ? 0x7fffffff : 0x80000000;  // the largest first, or last
  auto key = [=](int64_t i) {
    return static_cast<uint64_t>(static_cast<uint32_t>(key_of<true, int32_t>(comparable(x[i * inner]))) ^ turned) << 32 | static_cast<uint64_t>(i);
  };
  for (int64_t i = 0; i < n; ++i) keys[i] = key(i);
  std::partial_sort(keys, keys + a.k, keys + n);
  for (int64_t i = 0; i < a.k; ++i) keys[i] &= 0xffffffff;
}

template <class T>
void topk(const TopKArgs& a) {
  const int64_t inner = a.lines.inner;
  for (int64_t l = a.lines.begin; l < a.lines.end; ++l) {
    const T* x = static_cast<const T*>(a.x) + a.lines.first(l);
    if constexpr (sizeof(T) <= 4) {
      if (a.lines.n <= UINT32_MAX) sort_keys(a, x);
      else sort_places(a, x);
    } else {
      sort_places(a, x);
    }
    const int64_t first = l / inner * a.k * inner + l % inner;
    for (int64_t i = 0; i < a.k; ++i) {
      if (a.values != nullptr) static_cast<T*>(a.values)[first + i * inner] = x[a.order[i] * inner];
      if (a.indices != nullptr) a.indices[first + i * inner] = a.order[i];
    }
  }
}

constexpr KernelRow kRows[] = {
    row<TopKArgs, topk<float>>("topk/f32/scalar", DType::f32, Isa::scalar),
    row<TopKArgs, topk<double>>("topk/f64/scalar", DType::f64, Isa::scalar),
    row<TopKArgs, topk<f16>>("topk/f16/scalar", DType::f16, Isa::scalar),
    row<TopKArgs, topk<bf16>>("topk/bf16/scalar", DType::bf16, Isa::scalar),
    row<TopKArgs, topk<int8_t>>("topk/i8/scalar", DType::i8, Isa::scalar),
    row<TopKArgs, topk<int16_t>>("topk/i16/scalar", DType::i16, Isa::scalar),
    row<TopKArgs, topk<int32_t>>("topk/i32/scalar", DType::i32, Isa::scalar),
    row<TopKArgs, topk<int64_t>>("topk/i64/scalar", DType::i64, Isa::scalar),
    row<TopKArgs, topk<uint8_t>>("topk/u8/scalar", DType::u8, Isa::scalar),
    row<TopKArgs, topk<uint16_t>>("topk/u16/scalar", DType::u16, Isa::scalar),
    row<TopKArgs, topk<uint32_t>>("topk/u32/scalar", DType::u32, Isa::scalar),
    row<TopKArgs, topk<uint64_t>>("topk/u64/scalar", DType::u64, Isa::scalar),
    device_row<TopKArgs, cuda::launch_topk<DType::f32>>("topk/f32/cuda", DType::f32),
    device_row<TopKArgs, cuda::launch_topk<DType::f64>>("topk/f64/cuda", DType::f64),
    device_row<TopKArgs, cuda::launch_topk<DType::f16>>("topk/f16/cuda", DType::f16),
    device_row<TopKArgs, cuda::launch_topk<DType::bf16>>("topk/bf16/cuda", DType::bf16),
    device_row<TopKArgs, cuda::launch_topk<DType::i8>>("topk/i8/cuda", DType::i8),
    device_row<TopKArgs, cuda::launch_topk<DType::i16>>("topk/i16/cuda", DType::i16),
    device_row<TopKArgs, cuda::launch_topk<DType::i32>>("topk/i32/cuda", DType::i32),
    device_row<TopKArgs, cuda::launch_topk<DType::i64>>("topk/i64/cuda", DType::i64),
    device_row<TopKArgs, cuda::launch_topk<DType::u8>>("topk/u8/cuda", DType::u8),
    device_row<TopKArgs, cuda::launch_topk<DType::u16>>("topk/u16/cuda", DType::u16),
    device_row<TopKArgs, cuda::launch_topk<DType::u32>>("topk/u32/cuda", DType::u32),
    device_row<TopKArgs, cuda::launch_topk<DType::u64>>("topk/u64/cuda", DType::u64),
};

Status infer(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!is_number(c.dtype(0))) return bad_dtype(c.dtype(0));
  Shape y = x;
  if (x.ranked()) {
    auto axis = normalize_axis(c.attrs.i("axis"), x.rank());
    if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
    auto k = c.ints(1);
    y[*axis] = k ? (*k)[0] : c.fresh();
    if (y[*axis].known() && (y[*axis].value() < 0 || (x[*axis].known() && y[*axis].value() > x[*axis].value()))) {
      return invalid("k is " + y[*axis].text() + " for an axis of " + x[*axis].text());
    }
  }
  c.set(0, c.dtype(0), y);
  c.set(1, DType::i64, y);
  return {};
}

Status bind(BindContext& c) {
  const TensorView& x = c.in(0);
  const int64_t k = c.ints(1)[0];
  const int axis = *normalize_axis(c.attrs.i("axis"), x.dims.rank);
  if (k < 0 || k > x.dims[axis]) return invalid("k does not fit an axis of " + std::to_string(x.dims[axis]));
  TopKArgs& a = c.args(TopKArgs{nullptr, nullptr, nullptr, nullptr, lines_of(c, x.dims, axis), k, c.attrs.i("largest") != 0});
  if (a.lines.begin == a.lines.end || a.k == 0) return {};
  c.set(a.x, c.input(0));
  c.set(a.values, c.output(0));
  c.set(a.indices, c.output<int64_t>(1));
  if (c.isa != Isa::cuda) c.set(a.order, c.workspace<int64_t>(a.lines.n));
  c.run(*c.pick(x.dtype));
  return {};
}

// Comparisons: each element goes down a heap of those that are kept.
int64_t steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out) {
  const TensorView& kept = out[0].present() ? out[0] : out[1];
  const int64_t k = kept.dims[*normalize_axis(attrs.i("axis"), in[0].dims.rank)];
  return checked_mul(in[0].count(), static_cast<int64_t>(std::bit_width(static_cast<uint64_t>(k)))).value_or(INT64_MAX);
}

constexpr AttrSpec kAttrs[] = {{"axis", AttrKind::i, -1}, {"largest", AttrKind::i, 1}, {"sorted", AttrKind::i, 1}};

}  // namespace

constinit const OpDef kTopK = {.name = "TopK",
                               .inputs = {2, 2},
                               .outputs = {1, 2},
                               .attrs = kAttrs,
                               .infer = infer,
                               .bind = bind,
                               .kernels = rows_of<kRows>,
                               .steps = steps,
                               .value_inputs = {.integer = 2},
                               .optional_outputs = 1};

}  // namespace tern
