// The pooling operators: schema, inference, binding. See pool.h.
#include "kernels/pool/pool.h"

#include "kernels/conv/conv_bind.h"
#include "kernels/layouts.h"
#include "kernels/pool/pool_window.h"
#include "kernels/pool/windows.h"
#include "kernels/quantize/mapped.h"
#include "runtime/base/checked.h"

namespace tern {

Result<Window> pool_window(const AttrReader& attrs, int spatial) {
  auto window = read_window(attrs, spatial, {});
  if (window) window->ceil_mode = attrs.i("ceil_mode") != 0;
  return window;
}
PoolWindow<int64_t> bare(const Window& w) {
  PoolWindow<int64_t> to;
  for (size_t i = 0; i < 3; ++i) {
    to.in[i] = w.in[i], to.out[i] = w.out[i], to.kernel[i] = w.kernel[i], to.stride[i] = w.stride[i], to.dilation[i] = w.dilation[i];
    to.begin[i] = w.begin[i], to.end[i] = w.end[i];
  }
  return to;
}
int64_t pool_steps(const AttrReader& attrs, const Dims& x, int first, int64_t y) {
  const auto kernel = attrs.ints("kernel_shape");
  for (size_t i = 0; i < kernel.size() && static_cast<int>(i) + 2 < x.rank; ++i)
    y = checked_mul(y, std::min(kernel[i], x[first + static_cast<int>(i)])).value_or(INT64_MAX);
  return y;
}

namespace {

using Rows = std::span<const KernelRow* const>;

constexpr AttrSpec kAverageAttrs[] = {{"auto_pad", AttrKind::s, "NOTSET"},
                                      {"ceil_mode", AttrKind::i, 0},
                                      {"count_include_pad", AttrKind::i, 0},
                                      {"dilations", AttrKind::ints},
                                      {"kernel_shape", AttrKind::ints, kRequired},
                                      {"pads", AttrKind::ints},
                                      {"strides", AttrKind::ints}};
constexpr AttrSpec kLpAttrs[] = {{"auto_pad", AttrKind::s, "NOTSET"},
                                 {"ceil_mode", AttrKind::i, 0},
                                 {"dilations", AttrKind::ints},
                                 {"kernel_shape", AttrKind::ints, kRequired},
                                 {"p", AttrKind::i, 2},
                                 {"pads", AttrKind::ints},
                                 {"strides", AttrKind::ints}};
constexpr AttrSpec kMaxAttrs[] = {{"auto_pad", AttrKind::s, "NOTSET"},
                                  {"ceil_mode", AttrKind::i, 0},
                                  {"dilations", AttrKind::ints},
                                  {"kernel_shape", AttrKind::ints, kRequired},
                                  {"pads", AttrKind::ints},
                                  {"storage_order", AttrKind::i, 0},
                                  {"strides", AttrKind::ints}};
constexpr AttrSpec kGlobalLpAttrs[] = {{"p", AttrKind::i, 2}};

constexpr int64_t kMostPlaces = int64_t(1) << 30;  // of a map, that vectors of i32 count

constexpr bool has_order(PoolKind kind) { return kind == PoolKind::norm || kind == PoolKind::global_norm; }

template <PoolKind kKind>
Status infer(InferContext& c) {
  constexpr bool kMax = kKind == PoolKind::max || kKind == PoolKind::global_max;
  const DType t = c.dtype(0);
  if (!is_float(t) && !(kMax && (t == DType::i8 || t == DType::u8))) return bad_dtype(t);
  if constexpr (has_order(kKind)) {
    if (c.attrs.i("p") < 1) return invalid("p is " + std::to_string(c.attrs.i("p")));
  }
  const Shape& x = c.shape(0);
  Shape y;
  if (x.ranked()) {
    if (x.rank() < 3) return invalid("X is " + x.text() + ": expected [N, C, spatial axes]");
    if (x.rank() > 5) return unsupported("works on 1 to 3 spatial axes, not " + std::to_string(x.rank() - 2));
    y = Shape{x[0], x[1]};
    if constexpr (kKind >= PoolKind::global_max) {
      for (int i = 2; i < x.rank(); ++i) y.push_back(1);
    } else {
      auto window = pool_window(c.attrs, x.rank() - 2);
      if (!window) return window.error();
      for (int i = 2; i < x.rank(); ++i) {
        auto out = window_out(*window, c.attrs, i - 2, x[i], c);
        if (!out) return out.error();
        y.push_back(*out);
      }
    }
  }
  c.set(0, t, y);
  if (kKind == PoolKind::max) c.set(1, DType::i64, y);
  return {};
}

Status bind_blocked(BindContext& c, const Window& w, Rows rows) {
  const TensorView &x = c.in(0), &y = c.out(0);
  if (!x.layout.blocked || !y.layout.blocked || c.has_out(1)) return unsupported("one side is blocked and the other is not");
  const BlockedMap mx(x), my(y);
  BlockedPoolArgs& a = c.args<BlockedPoolArgs>();
  c.set(a.x, c.input<const float>(0) + mx.first);
  c.set(a.y, c.output<float>(0) + my.first);
  a.x_image = mx.image(), a.x_block = mx.block(), a.x_row = mx.row();
  a.y_image = my.image(), a.y_block = my.block(), a.y_row = my.row();
  a.blocks = mx.blocks;
  for (size_t i = 0; i < 2; ++i) {
    a.in[i] = w.in[i + 1], a.out[i] = w.out[i + 1], a.kernel[i] = w.kernel[i + 1], a.stride[i] = w.stride[i + 1];
    a.dilation[i] = w.dilation[i + 1], a.begin[i] = w.begin[i + 1], a.end[i] = w.end[i + 1];
  }
  a.halo = my.halo(y.layout);
  a.include_pad = c.attrs.lists("count_include_pad") && c.attrs.i("count_include_pad") != 0;
  const auto [first, last] = c.range(x.dims[0] * mx.blocks);
  if (first == last) return {};
  a.first = first, a.last = last;
  c.run(*pick(rows, DType::f32, c.isa));
  return {};
}

// Of maxima with indices: where the first tap of each window is in its row.
void bind_places(BindContext& c, const Window& w, PlainPoolArgs& a) {
  c.set(a.indices, c.output<int64_t>(1));
  c.set(a.steps, c.workspace<int32_t>(w.taps()));
  c.set(a.firsts, c.table<int32_t>(a.rows.run, [&](int32_t* to) {
    for (int64_t o = 0; o < a.rows.run; ++o) {
      const auto t = pool::taps(a.window, 2, o);
      to[o] = o < w.out[2] && t.first < t.last ? static_cast<int32_t>(t.at + t.first * w.dilation[2]) : -1;
    }
  }));
}

// Maxima, and means.
Status bind_plain(BindContext& c, const Window& w, const KernelRow& kernel, bool mean) {
  const TensorView& x = c.in(0);
  const auto [begin, end] = c.range(x.dims[0] * x.dims[1]);
  if (begin == end || c.out(0).count() == 0) return {};
  PlainPoolArgs& a = c.args<PlainPoolArgs>();
  a.window = bare(w);
  a.begin = begin, a.end = end;
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  const int64_t bytes = std::max<int64_t>(static_cast<int64_t>(size_of(x.dtype)), is_float(x.dtype) ? 4 : 1);  // of what it is pooled in
  bind_dealt_rows(c, w, bytes, a.rows);
  c.set(a.row, c.workspace(2 * a.rows.run * bytes));
  if (c.has_out(1)) bind_places(c, w, a);
  if (mean) {
    a.include_pad = c.attrs.i("count_include_pad") != 0;
    c.set(a.columns, c.table<double>(w.out[2], [&](double* to) {
      for (int64_t o = 0; o < w.out[2]; ++o) {
        const auto t = pool::taps(a.window, 2, o);
        to[o] = static_cast<double>(a.include_pad ? t.padded : t.last - t.first);
      }
    }));
  }
  c.run(kernel);
  return {};
}

Status bind_blocked_mean(BindContext& c, Rows rows) {
  const TensorView& x = c.in(0);
  const Layout& out = c.out(0).layout;
  if (out != Layout{} && out != Layout{true, 0, 0, 0, 0}) return unsupported("the mean of blocked maps has no halo");
  const BlockedMap m(x);
  const auto [first, last] = c.range(x.dims[0] * m.blocks);
  if (first == last) return {};
  GlobalMeanArgs& a = c.args<GlobalMeanArgs>();
  a.x_image = m.image(), a.x_block = m.block(), a.x_row = m.row();
  a.y_image = out.blocked ? kBlock : x.dims[1];
  a.y_block = out.blocked ? x.dims[0] * kBlock : kBlock;
  a.channels = out.blocked ? m.blocks * kBlock : x.dims[1];
  a.blocks = m.blocks;
  a.height = x.dims.rank == 4 ? x.dims[2] : 1;
  a.width = x.dims.back();
  a.first = first, a.last = last;
  c.set(a.x, c.input<const float>(0) + m.first);
  c.set(a.y, c.output<float>(0));
  c.run(*pick(rows, DType::f32, c.isa));
  return {};
}

// Of plain values.
template <PoolKind kKind>
constexpr Rows plain_rows() {
  switch (kKind) {
    case PoolKind::max: return rows_of<portable::kMaxPool>;
    case PoolKind::mean: return rows_of<portable::kAveragePool>;
    case PoolKind::norm: return rows_of<portable::kLpPool>;
    case PoolKind::global_max: return rows_of<TERN_ON_EACH_ISA(plain_global_max_pool), portable::kGlobalMaxPool>;
    case PoolKind::global_mean: return rows_of<TERN_ON_EACH_ISA(plain_global_average_pool), portable::kGlobalAveragePool>;
    case PoolKind::global_norm: return rows_of<portable::kGlobalLpPool>;
  }
}

template <PoolKind kKind>
Status bind(BindContext& c) {
  const TensorView& x = c.in(0);
  Window window;
  const auto extents = x.dims.span().subspan(2);
  if constexpr (kKind >= PoolKind::global_max) {
    for (size_t i = 0; i < extents.size(); ++i) window.in[3 - extents.size() + i] = extents[i];
    if (x.layout.blocked && kKind == PoolKind::global_mean) return bind_blocked_mean(c, rows_of<TERN_ON_EACH_ISA(blocked_global_average_pool_f32)>);
  } else {
    auto read = pool_window(c.attrs, static_cast<int>(extents.size()));
    if (!read) return read.error();
    window = *read;
    if (Status s = fit_window(window, c.attrs, extents); !s) return s;
    if (kKind != PoolKind::norm && (x.layout.blocked || c.out(0).layout.blocked)) {
      return kKind == PoolKind::mean ? bind_blocked(c, window, rows_of<TERN_ON_EACH_ISA(blocked_average_pool_f32)>)
                                     : bind_blocked(c, window, rows_of<TERN_ON_EACH_ISA(blocked_max_pool_f32)>);
    }
  }
  if constexpr (kKind == PoolKind::max || kKind == PoolKind::mean) {
    constexpr Rows rows =
        kKind == PoolKind::mean ? Rows(rows_of<TERN_ON_EACH_ISA(plain_average_pool)>) : Rows(rows_of<TERN_ON_EACH_ISA(plain_max_pool)>);
    const bool places = c.has_out(1);
    const KernelRow* plain = places ? pick(rows_of<TERN_ON_EACH_ISA(plain_max_pool_places)>, x.dtype, c.isa) : pick(rows, x.dtype, c.isa);
    const bool in_order = !places || (c.attrs.i("storage_order") == 0 && x.dims.count(2, x.dims.rank) <= kMostPlaces);
    if (c.isa != Isa::cuda && plain != nullptr && in_order && suits_dealt_rows(window)) return bind_plain(c, window, *plain, kKind == PoolKind::mean);
  }
  const KernelRow* kernel = pick(plain_rows<kKind>(), x.dtype, c.isa);
  if (kernel == nullptr || x.layout.blocked) return bad_dtype(x.dtype);
  PoolArgs& a = c.args<PoolArgs>();
  a.window = bare(window);
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  c.set(a.indices, c.output<int64_t>(1));
  if constexpr (kKind == PoolKind::mean) a.include_pad = c.attrs.i("count_include_pad") != 0;
  if constexpr (kKind == PoolKind::max) a.column_major = c.attrs.i("storage_order") != 0;
  if constexpr (has_order(kKind)) a.p = c.attrs.i("p");
  const auto [begin, end] = c.range(x.dims[0] * x.dims[1]);
  if (begin == end || c.out(0).count() == 0) return {};
  a.begin = begin, a.end = end;
  c.run(*kernel);
  return {};
}

int64_t steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out) {
  int64_t n = 0;
  for (const TensorView& y : out) n = y.present() ? y.count() : n;
  return pool_steps(attrs, in[0].dims, 2, n);
}

// ---- MeanBlocks: only assign_layouts makes it ----

constexpr AttrSpec kMeanAttrs[] = {{"keepdims", AttrKind::i, 1}};

Status infer_mean_blocks(InferContext& c) {
  if (c.dtype(0) != DType::f32) return bad_dtype(c.dtype(0));
  const Shape& x = c.shape(0);
  if (!x.ranked() || x.rank() < 3 || x.rank() > 4) return invalid("blocked layouts are for 3 or 4 axes, not " + x.text());
  Shape y{x[0], x[1]};
  for (int i = 2; i < x.rank() && c.attrs.i("keepdims") != 0; ++i) y.push_back(Dim(1));
  c.set(0, DType::f32, std::move(y));
  return {};
}
Status bind_mean_blocks(BindContext& c) {
  if (!c.in(0).layout.blocked) return unsupported("takes a blocked value only");
  return bind_blocked_mean(c, rows_of<TERN_ON_EACH_ISA(mean_blocks_f32)>);
}

// As fast on plain values: what is blocked stays so, and nothing is moved for it but what has its channels last.
std::optional<LayoutForm> window_layouts(const LayoutQuery& q) {
  if (!q.suits_output() || !q.suits(0) || !q.cheaply_blocked(0) || (q.outputs.size() > 1 && q.outputs[1] != nullptr)) return std::nullopt;
  LayoutForm f;
  f.takes = {Takes::blocked};
  f.gives = f.unasked = f.takes_regardless = true;
  return f;
}

// Bytes, whose channels another operator has last.
std::optional<LastForm> max_channels_last(const LayoutQuery& q) {
  const DType x = q.inputs[0].type->dtype;
  if ((x != DType::u8 && x != DType::i8) || q.outputs.size() != 1 || q.inputs[0].type->shape.rank() != 4 || q.attrs.i("storage_order") != 0)
    return std::nullopt;
  LastForm f = takes_last(q, {0});
  f.op = &kMaxPoolLast;
  f.attrs.erase("storage_order");
  return f;
}

}  // namespace

// Means of whole maps.
std::optional<LayoutForm> mean_layouts(const LayoutQuery& q) {
  LayoutForm f;
  f.takes = {q.suits(0) ? Takes::as_it_comes : Takes::plain};
  f.gives = q.suits_output() && q.inputs[0].blocked;
  f.takes_regardless = f.no_halo = true;
  return f;
}

constinit const OpDef kAveragePool = {
    .name = "AveragePool",
    .inputs = {1, 1},
    .outputs = {1, 1},
    .attrs = kAverageAttrs,
    .infer = infer<PoolKind::mean>,
    .bind = bind<PoolKind::mean>,
    .kernels = rows_of<portable::kAveragePool, TERN_ON_EACH_ISA(plain_average_pool), TERN_ON_EACH_ISA(blocked_average_pool_f32)>,
    .steps = steps,
    .layouts = window_layouts};
constinit const OpDef kGlobalAveragePool = {
    .name = "GlobalAveragePool",
    .inputs = {1, 1},
    .outputs = {1, 1},
    .infer = infer<PoolKind::global_mean>,
    .bind = bind<PoolKind::global_mean>,
    .kernels = rows_of<TERN_ON_EACH_ISA(plain_global_average_pool), portable::kGlobalAveragePool, TERN_ON_EACH_ISA(blocked_global_average_pool_f32)>,
    .layouts = mean_layouts};
constinit const OpDef kGlobalLpPool = {.name = "GlobalLpPool",
                                       .inputs = {1, 1},
                                       .outputs = {1, 1},
                                       .attrs = kGlobalLpAttrs,
                                       .infer = infer<PoolKind::global_norm>,
                                       .bind = bind<PoolKind::global_norm>,
                                       .kernels = rows_of<portable::kGlobalLpPool>};
constinit const OpDef kGlobalMaxPool = {.name = "GlobalMaxPool",
                                        .inputs = {1, 1},
                                        .outputs = {1, 1},
                                        .infer = infer<PoolKind::global_max>,
                                        .bind = bind<PoolKind::global_max>,
                                        .kernels = rows_of<TERN_ON_EACH_ISA(plain_global_max_pool), portable::kGlobalMaxPool>};
constinit const OpDef kLpPool = {.name = "LpPool",
                                 .inputs = {1, 1},
                                 .outputs = {1, 1},
                                 .attrs = kLpAttrs,
                                 .infer = infer<PoolKind::norm>,
                                 .bind = bind<PoolKind::norm>,
                                 .kernels = rows_of<portable::kLpPool>,
                                 .steps = steps};
constinit const OpDef kMaxPool = {.name = "MaxPool",
                                  .inputs = {1, 1},
                                  .outputs = {1, 2},
                                  .attrs = kMaxAttrs,
                                  .infer = infer<PoolKind::max>,
                                  .bind = bind<PoolKind::max>,
                                  .kernels = rows_of<portable::kMaxPool, TERN_ON_EACH_ISA(plain_max_pool), TERN_ON_EACH_ISA(plain_max_pool_places),
                                                     TERN_ON_EACH_ISA(blocked_max_pool_f32)>,
                                  .steps = steps,
                                  .layouts = window_layouts,
                                  .channels_last = max_channels_last};

constinit const OpDef kMeanBlocks = {.name = "MeanBlocks",
                                     .inputs = {1, 1},
                                     .outputs = {1, 1},
                                     .attrs = kMeanAttrs,
                                     .infer = infer_mean_blocks,
                                     .bind = bind_mean_blocks,
                                     .kernels = rows_of<TERN_ON_EACH_ISA(mean_blocks_f32)>,
                                     .tern_only = true};

}  // namespace tern
