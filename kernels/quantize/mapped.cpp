// Schemas and binding. See mapped.h.
#include "kernels/quantize/mapped.h"

#include <algorithm>

#include "kernels/conv/window.h"
#include "kernels/op.h"
#include "kernels/quantize/integer.h"
#include "runtime/base/checked.h"
#include "runtime/base/cpu_vnni.h"

namespace tern {
namespace {

bool is_byte(DType t) { return t == DType::u8 || t == DType::i8; }

// ---- QuantizedAdd, QuantizedMul: data, scale and zero point of a, of b; scale and zero point of y ----

Status infer_pair(InferContext& c) {
  for (size_t i : {0u, 3u, 7u}) {
    if (!is_byte(c.dtype(i))) return bad_dtype(c.dtype(i));
  }
  for (size_t i : {1u, 4u, 6u}) {
    if (c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
  }
  if (c.dtype(2) != c.dtype(0) || c.dtype(5) != c.dtype(3)) return invalid("a zero point is not of the dtype of its data");
  const Shape &a = c.shape(0), &b = c.shape(3);
  if (a.known() && b.known() && !(a == b)) return invalid("A is " + a.text() + ", B " + b.text() + ": they must be alike");
  c.set(0, c.dtype(7), a.ranked() ? a : b);
  return {};
}
template <bool kProduct>
Status bind_pair(BindContext& c) {
  for (size_t i : {1u, 2u, 4u, 5u, 6u, 7u}) {
    if (c.in(i).count() != 1) return invalid("input " + std::to_string(i) + " is " + to_string(c.in(i).dims) + ", it must have one element");
  }
  if (!(c.in(0).dims == c.in(3).dims)) return invalid("A and B must be alike");
  const auto [begin, end] = c.range(c.out(0).count(), 64);
  if (begin == end) return {};
  QuantizedPair& p = c.args<QuantizedPair>();
  p.product = kProduct;
  p.a_signed = c.in(0).dtype == DType::i8;
  p.b_signed = c.in(3).dtype == DType::i8;
  p.y_signed = c.out(0).dtype == DType::i8;
  p.begin = begin;
  p.end = end;
  c.set(p.a, c.input<const uint8_t>(0));
  c.set(p.a_scale, c.input<const float>(1));
  c.set(p.a_zero, c.input<const uint8_t>(2));
  c.set(p.b, c.input<const uint8_t>(3));
  c.set(p.b_scale, c.input<const float>(4));
  c.set(p.b_zero, c.input<const uint8_t>(5));
  c.set(p.y_scale, c.input<const float>(6));
  c.set(p.y_zero, c.input<const uint8_t>(7));
  c.set(p.y, c.output<uint8_t>(0));
  c.run(*c.pick(DType::i8));
  return {};
}

// ---- Lookup8: x, table ----

constexpr auto& kLookupRows = rows_of<TERN_ON_EACH_ISA(lookup_i8)>;

Status infer_lookup(InferContext& c) {
  if (!is_byte(c.dtype(0)) || !is_byte(c.dtype(1))) return bad_dtype(is_byte(c.dtype(0)) ? c.dtype(1) : c.dtype(0));
  c.set(0, c.dtype(1), c.shape(0));
  return {};
}
Status bind_lookup(BindContext& c) {
  if (c.in(1).count() != 256) return invalid("the table is " + to_string(c.in(1).dims) + ", expected [256]");
  const auto [begin, end] = c.range(c.out(0).count(), 64);
  if (begin == end) return {};
  Lookup8Args& a = c.args<Lookup8Args>();
  a.begin = begin;
  a.end = end;
  c.set(a.x, c.input<const uint8_t>(0));
  c.set(a.table, c.input<const uint8_t>(1));
  c.set(a.y, c.output<uint8_t>(0));
  c.run(*pick(kLookupRows, DType::i8, integer_isa(c.isa, has_byte_tables())));
  return {};
}

// ---- MaxPoolLast ----

Status infer_pool(InferContext& c) {
  if (!is_byte(c.dtype(0))) return bad_dtype(c.dtype(0));
  const Shape& x = c.shape(0);
  if (!x.ranked()) return {};
  if (x.rank() != 4) return invalid("X is " + x.text() + ", expected [N,H,W,C]");
  auto window = read_window(c.attrs, 2, {});
  if (!window) return window.error();
  window->ceil_mode = c.attrs.i("ceil_mode") != 0;
  Shape y = x;
  for (int i = 0; i < 2; ++i) {
    auto out = window_out(*window, c.attrs, i, x[1 + i], c);
    if (!out) return out.error();
    y[1 + i] = *out;
  }
  c.set(0, c.dtype(0), y);
  return {};
}
Status bind_pool(BindContext& c) {
  const Dims& x = c.in(0).dims;
  auto window = read_window(c.attrs, 2, {});
  if (!window) return window.error();
  window->ceil_mode = c.attrs.i("ceil_mode") != 0;
  if (Status s = fit_window(*window, c.attrs, x.span().subspan(1, 2)); !s) return s;
  const auto [begin, end] = c.range(x[0] * window->out[1]);
  if (begin == end || c.out(0).count() == 0) return {};
  MaxPoolLastArgs& a = c.args<MaxPoolLastArgs>();
  for (size_t i = 0; i < 2; ++i) {
    a.in[i] = window->in[i + 1];
    a.out[i] = window->out[i + 1];
    a.kernel[i] = window->kernel[i + 1];
    a.stride[i] = window->stride[i + 1];
    a.dilation[i] = window->dilation[i + 1];
    a.pad[i] = window->begin[i + 1];
  }
  a.is_signed = c.in(0).dtype == DType::i8;
  a.channels = x[3];
  a.begin = begin;
  a.end = end;
  c.set(a.x, c.input<const uint8_t>(0));
  c.set(a.y, c.output<uint8_t>(0));
  c.run(*c.pick(DType::i8));
  return {};
}
int64_t pool_steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out) {
  const auto kernel = attrs.ints("kernel_shape");
  int64_t n = out[0].count();
  for (size_t i = 0; i < kernel.size() && i < 2; ++i)
    n = checked_mul(n, std::min(kernel[i], in[0].dims[static_cast<int>(i) + 1])).value_or(INT64_MAX);
  return n;
}

constexpr AttrSpec kPoolAttrs[] = {{"auto_pad", AttrKind::s, "NOTSET"}, {"ceil_mode", AttrKind::i, 0}, {"dilations", AttrKind::ints},
                                   {"kernel_shape", AttrKind::ints},    {"pads", AttrKind::ints},      {"strides", AttrKind::ints}};
constexpr auto& kPairRows = rows_of<TERN_ON_EACH_ISA(quantized_pair_i8)>;

}  // namespace

constinit const OpDef kQuantizedAdd = {.name = "QuantizedAdd",
                                       .inputs = {8, 8},
                                       .outputs = {1, 1},
                                       .infer = infer_pair,
                                       .bind = bind_pair<false>,
                                       .kernels = kPairRows,
                                       .tern_only = true};
constinit const OpDef kQuantizedMul = {.name = "QuantizedMul",
                                       .inputs = {8, 8},
                                       .outputs = {1, 1},
                                       .infer = infer_pair,
                                       .bind = bind_pair<true>,
                                       .kernels = kPairRows,
                                       .tern_only = true};
constinit const OpDef kLookup8 = {.name = "Lookup8",
                                  .inputs = {2, 2},
                                  .outputs = {1, 1},
                                  .infer = infer_lookup,
                                  .bind = bind_lookup,
                                  .kernels = kLookupRows,
                                  .inplace_inputs = 1,
                                  .tern_only = true};
constinit const OpDef kMaxPoolLast = {.name = "MaxPoolLast",
                                      .inputs = {1, 1},
                                      .outputs = {1, 1},
                                      .attrs = kPoolAttrs,
                                      .infer = infer_pool,
                                      .bind = bind_pool,
                                      .kernels = rows_of<TERN_ON_EACH_ISA(max_pool_last_i8)>,
                                      .steps = pool_steps,
                                      .tern_only = true};

}  // namespace tern
