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

// Number and place are one integer, so that nothing is looked up while sorting.
__extension__ typedef unsigned __int128 Wide;
template <class Key, class T>
void sort_line(const TopKArgs& a, const T* x, int64_t first) {
  using Number = std::conditional_t<sizeof(T) <= 4, uint32_t, uint64_t>;
  using Place = std::conditional_t<sizeof(Key) == 8, uint32_t, uint64_t>;
  constexpr int kPlaceBits = sizeof(Place) * 8;
  const int64_t n = a.lines.n, inner = a.lines.inner;
  Key* keys = static_cast<Key*>(a.keys);
  constexpr Number kTop = Number(1) << (sizeof(Number) * 8 - 1);
  const Number turned = a.largest ? kTop - 1 : kTop;  // the largest first, or last
  for (int64_t i = 0; i < n; ++i) {
    const Number number = static_cast<Number>(key_of<true, std::make_signed_t<Number>>(comparable(x[i * inner]))) ^ turned;
    keys[i] = static_cast<Key>(number) << kPlaceBits | static_cast<Key>(i);
  }
  std::partial_sort(keys, keys + a.k, keys + n);
  for (int64_t i = 0; i < a.k; ++i) {
    const auto place = static_cast<int64_t>(static_cast<Place>(keys[i]));
    if (a.values != nullptr) static_cast<T*>(a.values)[first + i * inner] = x[place * inner];
    if (a.indices != nullptr) a.indices[first + i * inner] = place;
  }
}

// A key of 64 bits has room for numbers and places of 32.
bool wide_keys(size_t element, int64_t n) { return element > 4 || n > UINT32_MAX; }

template <class T>
void topk(const TopKArgs& a) {
  const int64_t inner = a.lines.inner;
  for (int64_t l = a.lines.begin; l < a.lines.end; ++l) {
    const T* x = static_cast<const T*>(a.x) + a.lines.first(l);
    const int64_t first = l / inner * a.k * inner + l % inner;
    if constexpr (sizeof(T) <= 4) {
      if (!wide_keys(sizeof(T), a.lines.n)) {
        sort_line<uint64_t>(a, x, first);
        continue;
      }
    }
    sort_line<Wide>(a, x, first);
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
  const int64_t words = wide_keys(size_of(x.dtype), a.lines.n) ? 2 : 1;
  if (c.isa != Isa::cuda) c.set(a.keys, c.workspace<uint64_t>(checked_mul(a.lines.n, words).value_or(INT64_MAX)));
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
