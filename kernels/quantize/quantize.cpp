// See quantize.h.
#include "kernels/quantize/quantize.h"

#include "kernels/dtype_code.h"
#include "kernels/movement/axes.h"
#include "kernels/op.h"
#include "kernels/quantize/linear.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

template <class T, class Q>
void quantize_to(const QuantArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  const Q* zero_point = static_cast<const Q*>(a.zero_point);
  for (int64_t r = a.begin; r < a.end; ++r) {
    const int64_t s = r / a.n * a.per_outer + r % a.n / a.block * a.per_block;
    for (int64_t j = 0; j < a.inner; ++j) {
      const int64_t at = s + j * a.step;
      static_cast<Q*>(a.y)[r * a.inner + j] =
          quantized<Q>(widen_f32(x[r * a.inner + j]), scale_at(a.scale, a.scale_dtype, at), zero_point ? zero_point[at] : 0);
    }
  }
}
template <class T>
void quantize(const QuantArgs& a) {
  switch (a.other) {
    case DType::u8: return quantize_to<T, uint8_t>(a);
    case DType::i8: return quantize_to<T, int8_t>(a);
    case DType::u16: return quantize_to<T, uint16_t>(a);
    default: return quantize_to<T, int16_t>(a);
  }
}

template <class Q, class T>
void dequantize_to(const QuantArgs& a) {
  const Q* x = static_cast<const Q*>(a.x);
  const Q* zero_point = static_cast<const Q*>(a.zero_point);
  for (int64_t r = a.begin; r < a.end; ++r) {
    const int64_t s = r / a.n * a.per_outer + r % a.n / a.block * a.per_block;
    for (int64_t j = 0; j < a.inner; ++j) {
      const int64_t at = s + j * a.step;
      const int64_t distance = static_cast<int64_t>(x[r * a.inner + j]) - (zero_point ? static_cast<int64_t>(zero_point[at]) : 0);
      static_cast<T*>(a.y)[r * a.inner + j] = narrow_f32<T>(static_cast<float>(distance) * scale_at(a.scale, a.scale_dtype, at));
    }
  }
}
template <class Q>
void dequantize(const QuantArgs& a) {
  if (a.other == DType::f32) return dequantize_to<Q, float>(a);
  if (a.other == DType::f16) return dequantize_to<Q, f16>(a);
  dequantize_to<Q, bf16>(a);
}

constexpr KernelRow kQuantizeRows[] = {
    row<QuantArgs, quantize<float>>("quantize/f32/scalar", DType::f32, Isa::scalar),
    row<QuantArgs, quantize<f16>>("quantize/f16/scalar", DType::f16, Isa::scalar),
    row<QuantArgs, quantize<bf16>>("quantize/bf16/scalar", DType::bf16, Isa::scalar),
    row<QuantArgs, quantize<int32_t>>("quantize/i32/scalar", DType::i32, Isa::scalar),
};
constexpr KernelRow kDequantizeRows[] = {
    row<QuantArgs, dequantize<uint8_t>>("dequantize/u8/scalar", DType::u8, Isa::scalar),
    row<QuantArgs, dequantize<int8_t>>("dequantize/i8/scalar", DType::i8, Isa::scalar),
    row<QuantArgs, dequantize<uint16_t>>("dequantize/u16/scalar", DType::u16, Isa::scalar),
    row<QuantArgs, dequantize<int16_t>>("dequantize/i16/scalar", DType::i16, Isa::scalar),
    row<QuantArgs, dequantize<int32_t>>("dequantize/i32/scalar", DType::i32, Isa::scalar),
};

Status check_scale_dtype(DType t) { return t == DType::f32 || t == DType::f16 || t == DType::bf16 ? Status() : Status(bad_dtype(t)); }

bool one(const Shape& s) { return s.ranked() && (s.rank() == 0 || (s.rank() == 1 && s[0].is(1))); }

// One scale for all, for each index of the axis, or for each block. For all, [] and [1] are the same: quantizers mix them.
Status check_scale_shape(const InferContext& c) {
  const Shape &x = c.shape(0), &s = c.shape(1);
  const int64_t block = c.attrs.i("block_size");
  if (block < 0) return invalid("block_size is " + std::to_string(block));
  const bool single = block == 0 && one(s);
  if (c.has(2) && c.shape(2).known() && s.known() && !(c.shape(2) == s) && !(single && one(c.shape(2))))
    return invalid("scale is " + s.text() + ", zero_point " + c.shape(2).text());
  if (!x.ranked() || !s.known()) return {};
  if (single) return {};
  auto axis = normalize_axis(c.attrs.i("axis"), x.rank());
  if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  if (block == 0) {
    if (s.rank() != 1 || (x[*axis].known() && !(x[*axis] == s[0])))
      return invalid("scale " + s.text() + " does not fit axis " + std::to_string(*axis) + " of " + x.text());
    return {};
  }
  bool fits = s.rank() == x.rank();
  for (int d = 0; fits && d < x.rank(); ++d) {
    if (x[d].known()) fits = s[d].is(d == *axis ? x[d].value() / block + (x[d].value() % block != 0) : x[d].value());
  }
  return fits ? Status() : Status(invalid("scale " + s.text() + " does not fit blocks of " + std::to_string(block) + " in " + x.text()));
}

QuantArgs& common(BindContext& c) {
  const TensorView &x = c.in(0), &s = c.in(1);
  const int64_t block = c.attrs.i("block_size");
  QuantArgs& a = c.args<QuantArgs>();
  a.n = x.count();
  a.inner = 1;
  a.block = 1;
  a.scale_dtype = s.dtype;
  a.other = c.out(0).dtype;
  c.set(a.x, c.input(0));
  c.set(a.scale, c.input(1));
  c.set(a.zero_point, c.input(2));
  c.set(a.y, c.output(0));
  if (block != 0 || s.count() != 1) {
    const int axis = *normalize_axis(c.attrs.i("axis"), x.dims.rank);
    a.n = x.dims[axis];
    a.inner = x.dims.count(axis + 1, x.dims.rank);
    a.per_block = 1;
    if (block != 0) {
      a.block = block;
      a.per_block = a.inner;
      a.per_outer = s.dims[axis] * a.inner;
      a.step = 1;
    }
  }
  const auto [begin, end] = c.range(x.count() / std::max<int64_t>(a.inner, 1));
  a.begin = begin;
  a.end = end;
  return a;
}

// ---- QuantizeLinear, DequantizeLinear ----

Status infer_quantize(InferContext& c) {
  if (pick(rows_of<kQuantizeRows>, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
  if (Status s = check_scale_dtype(c.dtype(1)); !s) return s;
  if (Status s = check_scale_shape(c); !s) return s;
  const int64_t code = c.attrs.i("output_dtype");
  DType y = c.has(2) ? c.dtype(2) : code != 0 ? dtype_from_code(code) : DType::u8;
  if (c.has(2) && code != 0 && dtype_from_code(code) != y) return invalid("output_dtype differs from the zero point's dtype");
  if (y != DType::u8 && y != DType::i8 && y != DType::u16 && y != DType::i16) return unsupported("quantizing to this dtype is not supported");
  c.set(0, y, c.shape(0));
  return {};
}

Status bind_quantize(BindContext& c) {
  const QuantArgs& a = common(c);
  if (a.begin < a.end) c.run(*c.pick(c.in(0).dtype));
  return {};
}

Status infer_dequantize(InferContext& c) {
  if (pick(rows_of<kDequantizeRows>, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
  if (c.has(2) && c.dtype(2) != c.dtype(0)) return invalid(std::string("zero_point is ") + name(c.dtype(2)) + ", the input " + name(c.dtype(0)));
  if (Status s = check_scale_dtype(c.dtype(1)); !s) return s;
  if (Status s = check_scale_shape(c); !s) return s;
  const int64_t code = c.attrs.i("output_dtype");
  const DType y = code != 0 ? dtype_from_code(code) : c.dtype(1);
  if (Status s = check_scale_dtype(y); !s) return s;
  c.set(0, y, c.shape(0));
  return {};
}

Status bind_dequantize(BindContext& c) {
  const QuantArgs& a = common(c);
  if (a.begin < a.end) c.run(*c.pick(c.in(0).dtype));
  return {};
}

// ---- DynamicQuantizeLinear ----

void dynamic_quantize(const DynamicArgs& a) {
  float low = 0, high = 0;
  for (int64_t i = 0; i < a.count; ++i) {
    low = choose(a.x[i] < low, a.x[i], low);
    high = choose(a.x[i] > high, a.x[i], high);
  }
  const float scale = dynamic_scale(low, high);
  const uint8_t zero_point = quantized<uint8_t>(-low, scale, 0);
  for (int64_t i = 0; i < a.count; ++i) a.y[i] = quantized<uint8_t>(a.x[i], scale, zero_point);
  *a.scale = scale;
  *a.zero_point = zero_point;
}

constexpr KernelRow kDynamicRows[] = {row<DynamicArgs, dynamic_quantize>("dynamic_quantize/f32/scalar", DType::f32, Isa::scalar)};

Status infer_dynamic(InferContext& c) {
  if (c.dtype(0) != DType::f32) return bad_dtype(c.dtype(0));
  c.set(0, DType::u8, c.shape(0));
  c.set(1, DType::f32, Shape(std::vector<Dim>{}));
  c.set(2, DType::u8, Shape(std::vector<Dim>{}));
  return {};
}

Status bind_dynamic(BindContext& c) {
  const TensorView& x = c.in(0);
  // Outputs that nobody reads are computed all the same.
  DynamicArgs& a = c.args(DynamicArgs{nullptr, nullptr, nullptr, nullptr, x.count(), nullptr});
  c.set(a.x, c.input<const float>(0));
  c.set(a.y, c.has_out(0) ? c.output<uint8_t>(0) : c.workspace<uint8_t>(x.count()));
  c.set(a.scale, c.has_out(1) ? c.output<float>(1) : c.workspace<float>(1));
  c.set(a.zero_point, c.has_out(2) ? c.output<uint8_t>(2) : c.workspace<uint8_t>(1));
  if (c.isa == Isa::cuda) c.set(a.ranges, c.workspace<float>(2 * cuda::kRangeBlocks));
  c.run(*c.pick(DType::f32));
  return {};
}

constexpr AttrSpec kQuantizeAttrs[] = {{"axis", AttrKind::i, 1},
                                       {"block_size", AttrKind::i, 0},
                                       {"output_dtype", AttrKind::i, 0},
                                       {"precision", AttrKind::i, 0},
                                       {"saturate", AttrKind::i, 1}};
constexpr AttrSpec kDequantizeAttrs[] = {{"axis", AttrKind::i, 1}, {"block_size", AttrKind::i, 0}, {"output_dtype", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kQuantizeLinear = {.name = "QuantizeLinear",
                                         .inputs = {2, 3},
                                         .outputs = {1, 1},
                                         .attrs = kQuantizeAttrs,
                                         .infer = infer_quantize,
                                         .bind = bind_quantize,
                                         .kernels = rows_of<kQuantizeRows, cuda::kQuantize>};
constinit const OpDef kDequantizeLinear = {.name = "DequantizeLinear",
                                           .inputs = {2, 3},
                                           .outputs = {1, 1},
                                           .attrs = kDequantizeAttrs,
                                           .infer = infer_dequantize,
                                           .bind = bind_dequantize,
                                           .kernels = rows_of<kDequantizeRows, cuda::kDequantize>};
constinit const OpDef kDynamicQuantizeLinear = {.name = "DynamicQuantizeLinear",
                                                .inputs = {1, 1},
                                                .outputs = {3, 3},
                                                .infer = infer_dynamic,
                                                .bind = bind_dynamic,
                                                .kernels = rows_of<kDynamicRows, cuda::kDynamicQuantize>,
                                                .optional_outputs = 7};

}  // namespace tern
