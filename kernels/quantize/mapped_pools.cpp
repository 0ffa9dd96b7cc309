// Schemas and binding of means and maxima. See mapped.h. Next: mapped.simd.cpp.
#include <algorithm>

#include "kernels/conv/conv_bind.h"
#include "kernels/layouts.h"
#include "kernels/pool/pool_window.h"
#include "kernels/quantize/integer.h"
#include "kernels/quantize/mapped.h"

namespace tern {
namespace {

constexpr AttrSpec kMaxAttrs[] = {{"auto_pad", AttrKind::s, "NOTSET"}, {"ceil_mode", AttrKind::i, 0}, {"dilations", AttrKind::ints},
                                  {"kernel_shape", AttrKind::ints},    {"pads", AttrKind::ints},      {"strides", AttrKind::ints}};
constexpr AttrSpec kAverageAttrs[] = {
    {"auto_pad", AttrKind::s, "NOTSET"}, {"ceil_mode", AttrKind::i, 0},    {"channels_last", AttrKind::i, 0}, {"count_include_pad", AttrKind::i, 0},
    {"dilations", AttrKind::ints},       {"kernel_shape", AttrKind::ints}, {"pads", AttrKind::ints},          {"strides", AttrKind::ints}};
constexpr AttrSpec kMeanAttrs[] = {{"channels_last", AttrKind::i, 0}};

// The spatial axes of y, which is of the rank of x, both with their channels first.
Status infer_window(InferContext& c, Shape& y) {
  auto window = pool_window(c.attrs, y.rank() - 2);
  if (!window) return window.error();
  for (int i = 0; i < y.rank() - 2; ++i) {
    auto out = window_out(*window, c.attrs, i, y[2 + i], c);
    if (!out) return out.error();
    y[2 + i] = *out;
  }
  return {};
}

// ---- QuantizedMean, QuantizedAveragePool: data, scale and zero point of x, scale and zero point of y ----

template <bool kWindow>
Status infer_mean(InferContext& c) {
  for (size_t i : {0u, 4u}) {
    if (!is_byte(c.dtype(i))) return bad_dtype(c.dtype(i));
  }
  for (size_t i : {1u, 3u}) {
    if (c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
  }
  if (c.dtype(2) != c.dtype(0)) return invalid("the zero point is not of the dtype of its data");
  Shape y = c.shape(0);
  if (y.ranked() && (y.rank() < 3 || y.rank() > 5)) return invalid("X is " + y.text() + ", expected one to three spatial axes");
  if (y.ranked()) {
    if (channels_last(c.attrs, kLastX)) put_channels_first(y);
    if constexpr (kWindow) {
      if (Status s = infer_window(c, y); !s) return s;
    } else {
      for (int d = 2; d < y.rank(); ++d) y[d] = Dim(1);
    }
    if (channels_last(c.attrs, kLastY)) put_channels_last(y);
  }
  c.set(0, c.dtype(4), y);
  return {};
}
Status check_ends(const BindContext& c) {
  for (size_t i : {1u, 2u, 3u, 4u}) {
    if (c.in(i).count() != 1) return invalid("input " + std::to_string(i) + " is " + to_string(c.in(i).dims) + ", it must have one element");
  }
  return {};
}
void set_ends(BindContext& c, QuantizedEnds& a) {
  a.x_signed = c.in(0).dtype == DType::i8;
  a.y_signed = c.out(0).dtype == DType::i8;
  c.set(a.x, c.input<const uint8_t>(0));
  c.set(a.x_scale, c.input<const float>(1));
  c.set(a.x_zero, c.input<const uint8_t>(2));
  c.set(a.y_scale, c.input<const float>(3));
  c.set(a.y_zero, c.input<const uint8_t>(4));
  c.set(a.y, c.output<uint8_t>(0));
}
Status bind_mean(BindContext& c) {
  if (Status s = check_ends(c); !s) return s;
  const Dims& x = c.in(0).dims;
  const bool last = channels_last(c.attrs, kLastX);
  const int axis = last ? x.rank - 2 : x.rank - 1;  // the last spatial one
  const int64_t channels = x[last ? x.rank - 1 : 1];
  const auto [begin, end] = c.range(x[0] * ((channels + 15) / 16));
  if (begin == end || c.out(0).count() == 0) return {};
  QuantizedMeanArgs& a = c.args<QuantizedMeanArgs>();
  set_ends(c, a.ends);
  a.last = last;
  a.channels = channels;
  a.columns = x[axis];
  a.rows = a.columns == 0 ? 0 : x.count(last ? 1 : 2, axis);
  a.begin = begin;
  a.end = end;
  c.run(*c.pick(DType::i8));
  return {};
}
int64_t mean_steps(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView>) { return in[0].count(); }

Status bind_average(BindContext& c) {
  if (Status s = check_ends(c); !s) return s;
  const Dims& x = c.in(0).dims;
  const bool last_x = channels_last(c.attrs, kLastX), last_y = channels_last(c.attrs, kLastY);
  auto window = pool_window(c.attrs, x.rank - 2);
  if (!window) return window.error();
  if (Status s = fit_window(*window, c.attrs, x.span().subspan(last_x ? 1 : 2, static_cast<size_t>(x.rank - 2))); !s) return s;
  const auto [begin, end] = c.range(x[0] * window->out[0] * window->out[1]);
  if (begin == end || c.out(0).count() == 0) return {};
  QuantizedAverageArgs& a = c.args<QuantizedAverageArgs>();
  set_ends(c, a.ends);
  a.window = bare(*window);
  a.include_pad = c.attrs.i("count_include_pad") != 0;
  a.channels = x[last_x ? x.rank - 1 : 1];
  a.x_channel = last_x ? 1 : window->in[0] * window->in[1] * window->in[2];
  a.y_channel = last_y ? 1 : window->out[0] * window->out[1] * window->out[2];
  a.begin = begin;
  a.end = end;
  c.run(*c.pick(DType::i8));
  return {};
}
int64_t average_steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out) {
  return pool_steps(attrs, in[0].dims, channels_last(attrs, kLastX) ? 1 : 2, out[0].count());
}
std::optional<LastForm> apart_channels_last(const LayoutQuery& q) {
  LastForm f = takes_last(q, {0});
  f.apart = true;
  return f;
}

// ---- MaxPoolLast ----

Status infer_max(InferContext& c) {
  if (!is_byte(c.dtype(0))) return bad_dtype(c.dtype(0));
  Shape y = c.shape(0);
  if (!y.ranked()) return {};
  if (y.rank() != 4) return invalid("X is " + y.text() + ", expected [N,H,W,C]");
  put_channels_first(y);
  if (Status s = infer_window(c, y); !s) return s;
  put_channels_last(y);
  c.set(0, c.dtype(0), y);
  return {};
}
Status bind_max(BindContext& c) {
  const Dims& x = c.in(0).dims;
  auto window = pool_window(c.attrs, 2);
  if (!window) return window.error();
  if (Status s = fit_window(*window, c.attrs, x.span().subspan(1, 2)); !s) return s;
  const auto [begin, end] = c.range(x[0] * window->out[1]);
  if (begin == end || c.out(0).count() == 0) return {};
  MaxPoolLastArgs& a = c.args<MaxPoolLastArgs>();
  a.window = bare(*window);
  a.is_signed = c.in(0).dtype == DType::i8;
  a.channels = x[3];
  a.begin = begin;
  a.end = end;
  c.set(a.x, c.input<const uint8_t>(0));
  c.set(a.y, c.output<uint8_t>(0));
  c.run(*c.pick(DType::i8));
  return {};
}
int64_t max_steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out) {
  return pool_steps(attrs, in[0].dims, 1, out[0].count());
}

}  // namespace

constinit const OpDef kQuantizedAveragePool = {.name = "QuantizedAveragePool",
                                               .inputs = {5, 5},
                                               .outputs = {1, 1},
                                               .attrs = kAverageAttrs,
                                               .infer = infer_mean<true>,
                                               .bind = bind_average,
                                               .kernels = rows_of<TERN_ON_EACH_ISA(quantized_average_i8)>,
                                               .steps = average_steps,
                                               .tern_only = true,
                                               .channels_last = apart_channels_last};
constinit const OpDef kQuantizedMean = {.name = "QuantizedMean",
                                        .inputs = {5, 5},
                                        .outputs = {1, 1},
                                        .attrs = kMeanAttrs,
                                        .infer = infer_mean<false>,
                                        .bind = bind_mean,
                                        .kernels = rows_of<TERN_ON_EACH_ISA(quantized_mean_i8)>,
                                        .steps = mean_steps,
                                        .tern_only = true,
                                        .channels_last = apart_channels_last};
constinit const OpDef kMaxPoolLast = {.name = "MaxPoolLast",
                                      .inputs = {1, 1},
                                      .outputs = {1, 1},
                                      .attrs = kMaxAttrs,
                                      .infer = infer_max,
                                      .bind = bind_max,
                                      .kernels = rows_of<TERN_ON_EACH_ISA(max_pool_last_i8)>,
                                      .steps = max_steps,
                                      .tern_only = true};

}  // namespace tern
