// Resize: which extents come out, and which passes are needed. See resize.h.
#include "kernels/resize/resize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/conv/conv_bind.h"
#include "kernels/elementwise/portable.h"
#include "kernels/launch.h"
#include "kernels/layouts.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/resize/axis_table.h"
#include "kernels/resize/resize_device.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// ---- which grid ----

std::vector<double> floats(const void* data, DType dtype, int64_t count) {
  std::vector<double> out;
  for (int64_t i = 0; i < count; ++i) {
    if (dtype == DType::f32) out.push_back(static_cast<const float*>(data)[i]);
    else if (dtype == DType::f64) out.push_back(static_cast<const double*>(data)[i]);
    else if (dtype == DType::f16) out.push_back(to_f32(static_cast<const f16*>(data)[i]));
  }
  return out;
}

Result<std::vector<int>> axes_of(const AttrReader& attrs, int rank) {
  if (attrs.has("axes")) return normalize_axes(attrs.ints("axes"), rank);
  std::vector<int> all;
  for (int i = 0; i < rank; ++i) all.push_back(i);
  return all;
}

// An axis of n elements under a scale; the product is f32, as ONNX has it.
Result<int64_t> scaled(double scale, int64_t n) {
  if (!(scale > 0) || scale > 1e9) return invalid("a scale is " + std::to_string(scale));
  const float extent = std::floor(static_cast<float>(scale) * static_cast<float>(n));
  if (n > INT32_MAX || extent > static_cast<float>(INT32_MAX)) return unsupported("an axis longer than 2^31");
  return static_cast<int64_t>(extent);
}

// Extents and scales of all axes from scales or sizes; `in` is known.
Result<std::vector<AxisGrid>> grids(const AttrReader& attrs, std::span<const int64_t> in, const std::vector<double>& scales,
                                    const std::vector<int64_t>& sizes, const std::vector<double>& roi) {
  auto axes = axes_of(attrs, static_cast<int>(in.size()));
  if (!axes) return axes.error();
  const size_t n = axes->size();
  std::vector<AxisGrid> out;
  for (int64_t d : in) out.push_back({d, d, 1, 0, 1});
  if (scales.empty() == sizes.empty() && n > 0) return invalid("either scales or sizes must be given");
  if ((!scales.empty() && scales.size() != n) || (!sizes.empty() && sizes.size() != n)) return invalid("scales or sizes do not match the axes");
  const std::string policy = attrs.s("keep_aspect_ratio_policy");
  if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller") return invalid("keep_aspect_ratio_policy is \"" + policy + "\"");
  double common = 0;
  for (size_t i = 0; i < n; ++i) {
    AxisGrid& g = out[static_cast<size_t>((*axes)[i])];
    if (!scales.empty()) {
      g.scale = scales[i];
      auto extent = scaled(g.scale, g.in);
      if (!extent) return extent.error();
      g.out = *extent;
    } else {
      if (sizes[i] < 0) return invalid("a size is " + std::to_string(sizes[i]));
      g.out = sizes[i];
      g.scale = g.in == 0 ? 1 : static_cast<double>(g.out) / static_cast<double>(g.in);
      common = i == 0 ? g.scale : policy == "not_larger" ? std::min(common, g.scale) : std::max(common, g.scale);
    }
    if (roi.size() == 2 * n) {
      g.roi_start = roi[i];
      g.roi_end = roi[i + n];
    }
    if (g.in > INT32_MAX || g.out > INT32_MAX) return unsupported("an axis longer than 2^31");
    if (g.in == 0 && g.out > 0) return invalid("an axis of 0 has nothing to resize");
  }
  if (!sizes.empty() && policy != "stretch") {
    for (int a : *axes) {
      AxisGrid& g = out[static_cast<size_t>(a)];
      g.scale = common;
      const double extent = std::floor(common * static_cast<double>(g.in) + 0.5);
      if (extent > INT32_MAX) return unsupported("an axis longer than 2^31");
      g.out = static_cast<int64_t>(extent);
    }
  }
  return out;
}

// ---- inference ----

Status infer_resize(InferContext& c) {
  const Shape& x = c.shape(0);
  if (auto mode = resize_mode(c.attrs); !mode) return mode.error();
  if (!is_number(c.dtype(0)) && c.attrs.s("mode") != "nearest") return bad_dtype(c.dtype(0));
  if (!x.ranked()) {
    c.set(0, c.dtype(0), Shape());
    return {};
  }
  if (x.rank() > kMaxRank) return unsupported("more than 8 dimensions");
  auto axes = axes_of(c.attrs, x.rank());
  if (!axes) return axes.error();
  const Tensor* given = c.has(2) ? c.inputs[2].value : nullptr;
  const bool by_scales = given != nullptr && given->count() > 0;
  std::vector<double> scales = by_scales ? floats(given->raw(), given->dtype(), given->count()) : std::vector<double>();
  const auto sizes = c.ints(3);
  const auto known_sizes = c.known_ints(3);
  if (x.known() && (by_scales || known_sizes)) {
    std::vector<int64_t> in;
    for (const Dim& d : x.dims()) in.push_back(d.value());
    auto g = grids(c.attrs, in, scales, known_sizes.value_or(std::vector<int64_t>()), {});
    if (!g) return g.error();
    Shape y(std::vector<Dim>{});
    for (const AxisGrid& axis : *g) y.push_back(Dim(axis.out));
    c.set(0, c.dtype(0), std::move(y));
    return {};
  }
  Shape y = x;
  const bool stretch = c.attrs.s("keep_aspect_ratio_policy") == "stretch";
  for (size_t i = 0; i < axes->size(); ++i) {
    Dim& n = y[(*axes)[i]];
    if (by_scales && i < scales.size()) {
      auto extent = scaled(scales[i], n.known() ? n.value() : 1);
      if (!extent) return extent.error();
      const bool whole = scales[i] == std::floor(scales[i]);
      auto linear = n.known() ? std::optional(Dim(*extent)) : whole ? mul(n, Dim(static_cast<int64_t>(scales[i]))) : std::nullopt;
      n = linear ? *linear : c.fresh();
    } else if (sizes && i < sizes->size() && stretch) {
      n = (*sizes)[i];
    } else {
      n = c.fresh();
    }
  }
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

// ---- kernels that are not f32 ----

void resample(const double* x, double* y, const ResizePass& p) {
  for (int64_t r = 0; r < p.outer; ++r, x += p.in * p.inner) {
    for (int64_t o = 0; o < p.out; ++o, y += p.inner) {
      for (int64_t j = 0; j < p.inner; ++j) {
        double acc = 0;
        for (int64_t t = 0; t < p.taps; ++t) acc += static_cast<double>(p.weight[o * p.taps + t]) * x[p.index[o * p.taps + t] * p.inner + j];
        y[j] = acc;
      }
    }
  }
}

// Integers round toward zero and saturate.
template <class T>
T stored(double v) {
  if constexpr (kIsFloat<T>) return narrow<T>(v);
  else {
    // the largest integer of T may round up as a double: compare before converting
    if (!(v > static_cast<double>(std::numeric_limits<T>::lowest()))) return v == v ? std::numeric_limits<T>::lowest() : T(0);
    if (v >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(v);
  }
}

template <class T>
void resize(const ResizeArgs& a) {  // buffers: both hold any of the stages
  double* from = static_cast<double*>(a.buffer[0]);
  double* to = static_cast<double*>(a.buffer[1]);
  for (int64_t i = 0; i < a.in_count; ++i) from[i] = static_cast<double>(widen(static_cast<const T*>(a.x)[i]));
  for (int i = 0; i < a.passes; ++i) {
    resample(from, to, a.pass[i]);
    std::swap(from, to);
  }
  for (int i = 0; i < a.outsides; ++i) {
    const ResizeArgs::Outside& s = a.outside[i];
    for (int64_t r = 0; r < s.outer * s.out; ++r) {
      if (s.is[r % s.out] != 0) std::fill_n(from + r * s.inner, s.inner, a.extrapolation);
    }
  }
  for (int64_t i = 0; i < a.out_count; ++i) static_cast<T*>(a.y)[i] = stored<T>(from[i]);
}

constexpr KernelRow kPortable[] = {
    row<ResizeArgs, resize<double>>("resize/f64/scalar", DType::f64, Isa::scalar),
    row<ResizeArgs, resize<f16>>("resize/f16/scalar", DType::f16, Isa::scalar),
    row<ResizeArgs, resize<bf16>>("resize/bf16/scalar", DType::bf16, Isa::scalar),
    row<ResizeArgs, resize<int8_t>>("resize/i8/scalar", DType::i8, Isa::scalar),
    row<ResizeArgs, resize<uint8_t>>("resize/u8/scalar", DType::u8, Isa::scalar),
    row<ResizeArgs, resize<int16_t>>("resize/i16/scalar", DType::i16, Isa::scalar),
    row<ResizeArgs, resize<uint16_t>>("resize/u16/scalar", DType::u16, Isa::scalar),
    row<ResizeArgs, resize<int32_t>>("resize/i32/scalar", DType::i32, Isa::scalar),
    row<ResizeArgs, resize<int64_t>>("resize/i64/scalar", DType::i64, Isa::scalar),
};

// Each of n / 2 elements twice.
template <class T>
void twice(const T* x, T* y, int64_t n) {
  for (int64_t i = 0; i < n / 2; ++i) y[2 * i] = y[2 * i + 1] = x[i];
}
template <int Size>
void nearest_rows(const NearestArgs& a) {
  const int last = a.rank - 1;
  const size_t size = static_cast<size_t>(Size > 0 ? Size : a.size);
  const std::byte* before = nullptr;
  for (int64_t r = a.begin; r < a.end; ++r) {
    const std::byte* x = a.x;
    int64_t rest = r;
    for (int d = last - 1; d >= 0; --d) {
      x += a.offset[d][rest % a.n[d]];
      rest /= a.n[d];
    }
    std::byte* y = a.y + r * a.n[last] * static_cast<int64_t>(size);
    const size_t bytes = static_cast<size_t>(a.n[last]) * size;
    const bool again = x == before;  // the row of x that the row above came from
    before = x;
    if (again) std::memcpy(y, y - bytes, bytes);
    else if (a.repeats == 1) std::memcpy(y, x + a.offset[last][0], bytes);
    else if (a.repeats == 2 && Size == 4) twice(reinterpret_cast<const uint32_t*>(x), reinterpret_cast<uint32_t*>(y), a.n[last]);
    else if (a.repeats == 2 && Size == 1) twice(reinterpret_cast<const uint8_t*>(x), reinterpret_cast<uint8_t*>(y), a.n[last]);
    else
      for (int64_t i = 0; i < a.n[last]; ++i) std::memcpy(y + i * static_cast<int64_t>(size), x + a.offset[last][i], size);
  }
}
void nearest(const NearestArgs& a) {
  if (a.size == 4) nearest_rows<4>(a);
  else if (a.size == 1) nearest_rows<1>(a);
  else nearest_rows<0>(a);
}

constexpr KernelRow kNearest[] = {
    row<NearestArgs, nearest>("resize/nearest/scalar", DType::none, Isa::scalar),
    device_row<NearestArgs, cuda::launch_nearest>("resize/nearest/cuda", DType::none),
};

// ---- binding ----

// One axis as binding sees it.
struct Axis {
  AxisGrid grid;
  AxisPlan plan;
};

// k where the elements of an axis are each of the first ones k times, in order; 0: otherwise, or not known of a long one.
int64_t repeats_of(const ResizeMode& mode, const AxisGrid& grid) {
  constexpr int64_t kLongest = int64_t(1) << 16;  // what is looked at has no budget
  if (grid.in == 0 || grid.out == 0 || grid.out > kLongest) return 0;
  std::vector<int32_t> index(static_cast<size_t>(grid.out));
  fill_tables(mode, grid, {index.data(), nullptr, nullptr});
  for (int64_t k : {1, 2}) {
    bool alike = grid.out % k == 0;
    for (int64_t i = 0; alike && i < grid.out; ++i) alike = index[static_cast<size_t>(i)] == i / k;
    if (alike) return k;
  }
  return 0;
}

Status bind_nearest(BindContext& c, const ResizeMode& mode, const std::vector<Axis>& axes) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const auto strides = dense_strides(x.dims);
  NearestArgs& a = c.args(NearestArgs{nullptr, nullptr, y.dims.rank, {}, {}, static_cast<int64_t>(size_of(x.dtype)), 0, 0, 0});
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  a.repeats = repeats_of(mode, axes.back().grid);
  for (int d = 0; d < y.dims.rank; ++d) {
    a.n[d] = y.dims[d];
    c.set(a.offset[d], c.table<int64_t>(a.n[d], [&](int64_t* offset) {
      // The indices are written into the second half and widened from the front: no index is overwritten before it is read.
      int32_t* index = reinterpret_cast<int32_t*>(offset) + a.n[d];
      fill_tables(mode, axes[static_cast<size_t>(d)].grid, {index, nullptr, nullptr});
      for (int64_t i = 0; i < a.n[d]; ++i) {
        int32_t from;
        std::memcpy(&from, index + i, sizeof from);
        const int64_t bytes = from * strides[static_cast<size_t>(d)] * a.size;
        std::memcpy(offset + i, &bytes, sizeof bytes);
      }
    }));
  }
  const auto [begin, end] = c.range(y.dims.count(0, y.dims.rank - 1));
  a.begin = begin;
  a.end = end;
  if (begin < end) c.run(*c.pick(DType::none));
  return {};
}

// What the passes see: the dims of x and y, and how far into each axis of x its first element lies.
struct Frame {
  Dims x, y;
  std::vector<Axis> axes;
  std::vector<int32_t> shift;
};
// A blocked value is [images and blocks, rows, columns, 16], a halo around it a part of x that no element is taken from.
Result<Frame> frame_of(const TensorView& x, const TensorView& y, std::vector<Axis> axes) {
  if (!x.layout.blocked && !y.layout.blocked) return Frame{x.dims, y.dims, axes, std::vector<int32_t>(axes.size(), 0)};
  const BlockedMap from(x), to(y);
  const bool rows = x.dims.rank == 4, same = x.layout.blocked == y.layout.blocked && axes[0].plan.identity && axes[1].plan.identity;
  const Axis none = axes[1];
  Frame f{{x.dims[0] * from.blocks, from.height, from.width, kBlock},
          {y.dims[0] * to.blocks, to.height, to.width, kBlock},
          {none, rows ? axes[2] : none, axes.back(), none},
          {0, x.layout.top, x.layout.left, 0}};
  bool changed = !axes.back().plan.identity && !axes.back().plan.any_outside;
  if (rows) changed = changed && !axes[2].plan.identity && !axes[2].plan.any_outside;
  if (!same || !changed || to.first != 0 || y.layout.bottom + y.layout.right != 0) return unsupported("resizes no such blocked value");
  return f;
}

Status bind_filter(BindContext& c, const ResizeMode& mode, const std::vector<Axis>& plain) {
  const bool f32 = c.in(0).dtype == DType::f32;
  const auto frame = frame_of(c.in(0), c.out(0), plain);
  if (!frame) return frame.error();
  const std::vector<Axis>& axes = frame->axes;
  const Dims &x = frame->x, &y = frame->y;
  const DType dtype = c.in(0).dtype;
  const int rank = x.rank;
  int lead = 0;  // axes before the first that changes are shared out
  while (lead < rank && axes[static_cast<size_t>(lead)].plan.identity) ++lead;
  const auto [begin, end] = c.range(x.count(0, lead));
  if (begin == end) return {};
  const int64_t size = static_cast<int64_t>(size_of(dtype)), in_block = x.count(lead, rank), out_block = y.count(lead, rank);
  ResizeArgs& a = c.args<ResizeArgs>();
  c.set(a.x, c.input(0) + begin * in_block * size);
  c.set(a.y, c.output(0) + begin * out_block * size);
  a.in_count = (end - begin) * in_block;
  a.out_count = (end - begin) * out_block;
  a.extrapolation = c.attrs.f("extrapolation_value");
  Dims now = x;
  int64_t largest = f32 ? 0 : std::max(a.in_count, a.out_count);
  for (int d = rank - 1; d >= lead; --d) {  // the innermost first: its rows are still short
    const auto& [grid, plan] = axes[static_cast<size_t>(d)];
    if (plan.identity) continue;
    const auto elements = checked_mul(y[d], plan.taps);
    if (!elements) return unsupported("a table of " + std::to_string(y[d]) + " times " + std::to_string(plan.taps) + " weights");
    const auto index = c.table<int32_t>(*elements, [&, &g = grid, shift = frame->shift[static_cast<size_t>(d)]](int32_t* to) {
      fill_tables(mode, g, {to, nullptr, nullptr});
      for (int64_t i = 0; i < *elements; ++i) to[i] += shift;
    });
    const auto weight = c.table<float>(*elements, [&, &g = grid](float* to) { fill_tables(mode, g, {nullptr, to, nullptr}); });
    const auto stage = checked_count(std::array<int64_t, 4>{end - begin, now.count(lead, d), y[d], now.count(d + 1, rank)});
    if (!stage) return unsupported("between its axes it holds more elements than can be counted");
    ResizePass& pass = a.pass[a.passes++];
    pass = {(end - begin) * now.count(lead, d), x[d], y[d], now.count(d + 1, rank), plan.taps, nullptr, nullptr};
    c.set(pass.index, index);
    c.set(pass.weight, weight);
    now[d] = y[d];
    largest = std::max(largest, *stage);
    if (plan.any_outside) {
      ResizeArgs::Outside& outside = a.outside[a.outsides++];
      outside = {(end - begin) * y.count(lead, d), y[d], y.count(d + 1, rank), nullptr};
      c.set(outside.is, c.table<uint8_t>(y[d], [&, &g = grid](uint8_t* to) { fill_tables(mode, g, {nullptr, nullptr, to}); }));
    }
  }
  const int64_t wide = f32 ? sizeof(float) : sizeof(double);
  for (void*& b : a.buffer) c.set(b, c.workspace(checked_mul(largest, wide).value_or(INT64_MAX)));
  const KernelRow* kernel = c.pick(dtype);
  if (kernel == nullptr) return bad_dtype(dtype);
  c.run(*kernel);
  return {};
}

Status bind_resize(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  auto mode = resize_mode(c.attrs);
  if (!mode) return mode.error();
  std::vector<double> scales = c.has(2) ? floats(c.in(2).contents, c.in(2).dtype, c.in(2).count()) : std::vector<double>();
  std::vector<double> roi = c.has(1) ? floats(c.in(1).contents, c.in(1).dtype, c.in(1).count()) : std::vector<double>();
  auto g = grids(c.attrs, x.dims.span(), scales, c.ints(3), roi);
  if (!g) return g.error();
  std::vector<Axis> axes;
  bool identity = true, outside = false;
  for (int d = 0; d < x.dims.rank; ++d) {
    const AxisGrid& grid = (*g)[static_cast<size_t>(d)];
    if (grid.out != y.dims[d]) return invalid("the output is not of the shape that the scales give");
    // Axes that are not named keep their grid, whatever the transformation.
    axes.push_back({grid, axis_plan(*mode, grid)});
    identity = identity && axes.back().plan.identity;
    outside = outside || axes.back().plan.any_outside;
  }
  if (identity) return bind_flat_copy(c, x.count() * static_cast<int64_t>(size_of(x.dtype)));
  if (mode->filter == ResizeMode::Filter::nearest && !outside && !x.layout.blocked) return bind_nearest(c, *mode, axes);
  return bind_filter(c, *mode, axes);
}

constexpr AttrSpec kResizeAttrs[] = {{"antialias", AttrKind::i, 0},
                                     {"axes", AttrKind::ints},
                                     {"coordinate_transformation_mode", AttrKind::s, "half_pixel"},
                                     {"cubic_coeff_a", AttrKind::f, -0.75f},
                                     {"exclude_outside", AttrKind::i, 0},
                                     {"extrapolation_value", AttrKind::f, 0.0f},
                                     {"keep_aspect_ratio_policy", AttrKind::s, "stretch"},
                                     {"mode", AttrKind::s, "nearest"},
                                     {"nearest_mode", AttrKind::s, "round_prefer_floor"}};

// Scales are what sizes say: 2.1 of 3 makes 6, too.
bool has_whole_scales(const LayoutQuery& q, const std::vector<int64_t>& by) {
  if (!q.has(2)) return true;
  const Tensor* scales = q.inputs[2].value;
  if (scales == nullptr || scales->dtype() != DType::f32 || scales->count() < static_cast<int64_t>(by.size())) return false;
  const float* last = scales->data<float>() + scales->count() - by.size();
  return std::equal(by.begin(), by.end(), last, [](int64_t a, float b) { return static_cast<float>(a) == b; });
}

// How often each element is repeated along each spatial axis; nothing when anything else is done.
std::optional<std::vector<int64_t>> repeats(const LayoutQuery& q, const Dims& x, const Dims& y) {
  if (q.attrs.s("mode") != "nearest" || q.attrs.s("coordinate_transformation_mode") != "asymmetric" || q.attrs.s("nearest_mode") != "floor" ||
      q.attrs.s("keep_aspect_ratio_policy") != "stretch" || q.attrs.i("antialias") != 0 || x.count() == 0)
    return std::nullopt;
  std::vector<int64_t> by;
  for (int i = 2; i < x.rank; ++i) {
    by.push_back(y[i] / x[i]);
    if (by.back() < 1 || y[i] % x[i] != 0) return std::nullopt;
  }
  return has_whole_scales(q, by) ? std::optional(by) : std::nullopt;
}

// Where every row and column is computed from several others, blocks are read and written as they are.
std::optional<LayoutForm> resize_layouts(const LayoutQuery& q) {
  if (!q.suits_output() || !q.inputs[0].blocked) return std::nullopt;
  const Dims x = q.x(0), y = q.y();
  if (x[0] != y[0] || x[1] != y[1]) return std::nullopt;
  if (q.attrs.s("mode") == "nearest") {
    auto by = repeats(q, x, y);
    return by ? std::optional(map_form("repeats", std::move(*by))) : std::nullopt;
  }
  if (q.attrs.s("coordinate_transformation_mode") == "tf_crop_and_resize") return std::nullopt;
  for (int i = 2; i < x.rank; ++i) {
    if (x[i] == y[i]) return std::nullopt;
  }
  LayoutForm f;
  f.takes = {Takes::blocked};
  f.gives = f.no_halo = true;
  return f;
}

}  // namespace

constinit const OpDef kResize = {.name = "Resize",
                                 .inputs = {1, 4},
                                 .outputs = {1, 1},
                                 .attrs = kResizeAttrs,
                                 .infer = infer_resize,
                                 .bind = bind_resize,
                                 .kernels = rows_of<TERN_ON_EACH_ISA(resize_f32), cuda::resize_f32, kPortable, kNearest>,
                                 .value_inputs = {.ints = 0b1000, .floats = 0b0110},
                                 .layouts = resize_layouts};

}  // namespace tern
