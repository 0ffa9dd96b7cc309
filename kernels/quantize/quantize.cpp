// See quantize.h.
#include "kernels/quantize/quantize.h"

#include "kernels/dtype_code.h"
#include "kernels/movement/axes.h"
#include "kernels/op.h"
#include "kernels/quantize/linear.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr auto& kQuantizeRows = rows_of<TERN_ON_EACH_ISA(quantize_any), cuda::kQuantize>;
constexpr auto& kDequantizeRows = rows_of<TERN_ON_EACH_ISA(dequantize_any), cuda::kDequantize>;

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
  if (pick(kQuantizeRows, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
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
  if (pick(kDequantizeRows, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
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
                                         .kernels = kQuantizeRows};
constinit const OpDef kDequantizeLinear = {.name = "DequantizeLinear",
                                           .inputs = {2, 3},
                                           .outputs = {1, 1},
                                           .attrs = kDequantizeAttrs,
                                           .infer = infer_dequantize,
                                           .bind = bind_dequantize,
                                           .kernels = kDequantizeRows};
constinit const OpDef kDynamicQuantizeLinear = {.name = "DynamicQuantizeLinear",
                                                .inputs = {1, 1},
                                                .outputs = {3, 3},
                                                .infer = infer_dynamic,
                                                .bind = bind_dynamic,
                                                .kernels = rows_of<TERN_ON_EACH_ISA(dynamic_quantize_f32), cuda::kDynamicQuantize>,
                                                .optional_outputs = 7};

}  // namespace tern
