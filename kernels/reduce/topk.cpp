// TopK: the order is that of (element, index), so that equal elements keep theirs; NaN counts as the largest. See reduce.h, topk.simd.cpp.
// What it does depends on the values: an index-driven operator, the exception that the hot path contract names. A device ranks or selects (lines.cu).
#include <bit>

#include "kernels/launch.h"
#include "kernels/reduce/lines.h"
#include "kernels/reduce/reduce.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// An entry of the heap (topk.simd.cpp) of 64 bits has room for keys and places of 32.
bool wide_entries(size_t element, int64_t n) { return element > 4 || n > UINT32_MAX; }

constexpr KernelRow kTopkDeviceRows[] = {
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

Status infer_topk(InferContext& c) {
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

Status bind_topk(BindContext& c) {
  const TensorView& x = c.in(0);
  const int64_t k = c.ints(1)[0];
  const int axis = *normalize_axis(c.attrs.i("axis"), x.dims.rank);
  if (k < 0 || k > x.dims[axis]) return invalid("k does not fit an axis of " + std::to_string(x.dims[axis]));
  TopKArgs& a = c.args(TopKArgs{nullptr, nullptr, nullptr, nullptr, lines_of(c, x.dims, axis), k, c.attrs.i("largest") != 0,
                                wide_entries(size_of(x.dtype), x.dims[axis])});
  if (a.lines.begin == a.lines.end || a.k == 0) return {};
  c.set(a.x, c.input(0));
  c.set(a.values, c.output(0));
  c.set(a.indices, c.output<int64_t>(1));
  if (c.isa != Isa::cuda) c.set(a.heap, c.workspace<uint64_t>(checked_mul(k, a.wide ? 2 : 1).value_or(INT64_MAX)));
  c.run(*c.pick(x.dtype));
  return {};
}

// Comparisons: each element goes down a heap of those that are kept.
int64_t steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out) {
  const TensorView& kept = out[0].present() ? out[0] : out[1];
  const int64_t k = kept.dims[*normalize_axis(attrs.i("axis"), in[0].dims.rank)];
  return checked_mul(in[0].count(), static_cast<int64_t>(std::bit_width(static_cast<uint64_t>(k)))).value_or(INT64_MAX);
}

constexpr AttrSpec kTopkAttrs[] = {{"axis", AttrKind::i, -1}, {"largest", AttrKind::i, 1}, {"sorted", AttrKind::i, 1}};

}  // namespace

constinit const OpDef kTopK = {.name = "TopK",
                               .inputs = {2, 2},
                               .outputs = {1, 2},
                               .attrs = kTopkAttrs,
                               .infer = infer_topk,
                               .bind = bind_topk,
                               .kernels = rows_of<TERN_ON_EACH_ISA(topk_any), kTopkDeviceRows>,
                               .steps = steps,
                               .value_inputs = {.integer = 2},
                               .optional_outputs = 1};

}  // namespace tern
