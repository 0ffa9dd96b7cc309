// GridSample: schema, inference, binding, kernels. See grid_sample.h.
#include "kernels/resize/grid_sample.h"

#include "kernels/launch.h"
#include "kernels/op.h"
#include "kernels/resize/grid_taps.h"

namespace tern {
namespace {

using Mode = GridSampleArgs::Mode;
using Padding = GridSampleArgs::Padding;

constexpr int kMostTaps = 64;  // 4 on each of three axes

// One tap of a whole place: the product of its axes'.
struct Tap {
  int64_t offset;
  double weight;
  uint64_t inside;
};

// kAxes 0: a.axes. Where both are known, taps are registers and their loops are unrolled.
template <class T, class G, Mode kMode, int kAxes>
[[gnu::flatten]] void sample(const GridSampleArgs& a) {
  constexpr int kCount = kMode == Mode::nearest ? 1 : kMode == Mode::linear ? 2 : 4, kAll = kAxes == 2 ? kCount * kCount : 0;
  const int axes = kAxes == 0 ? a.axes : kAxes;
  Tap taps[kMostTaps];
  for (int64_t at = a.begin; at < a.end; ++at) {
    const int64_t n = at / a.points, p = at % a.points;
    const G* places = static_cast<const G*>(a.grid) + at * axes;  // [axes]
    int all = 1;
    taps[0] = {0, 1, ~uint64_t(0)};
    for (int axis = 0; axis < axes; ++axis) {
      const grid::AxisTaps t = grid::taps_of(a, kMode, axis, grid::place_of(a, axis, places[axes - 1 - axis]));
      for (int i = all - 1; i >= 0; --i) {  // backwards: tap i becomes taps i * kCount …
        const Tap outer = taps[i];
        for (int j = kCount - 1; j >= 0; --j) {
          taps[i * kCount + j] = {outer.offset * a.in[axis] + t.index[j], outer.weight * t.weight[j], outer.inside & t.inside[j]};
        }
      }
      all *= kCount;
    }
    const T* x = static_cast<const T*>(a.x) + n * a.channels * a.plane;  // [channels, plane]
    T* y = static_cast<T*>(a.y) + n * a.channels * a.points + p;         // [channels, points]
    static constexpr T kNothing{};                                       // what taps outside read, for every channel
    const T* from[kMostTaps];
    int64_t step[kMostTaps];
    for (int i = 0; i < all; ++i) {
      const auto there = reinterpret_cast<uintptr_t>(x + taps[i].offset), nowhere = reinterpret_cast<uintptr_t>(&kNothing);
      from[i] = reinterpret_cast<const T*>((there & taps[i].inside) | (nowhere & ~taps[i].inside));
      step[i] = a.plane & static_cast<int64_t>(taps[i].inside);
    }
    const int64_t channels = a.channels, points = a.points;
    for (int64_t c = 0; c < channels; ++c) {
      double sum = 0;
      for (int i = 0; i < (kAll == 0 ? all : kAll); ++i) sum += taps[i].weight * widen(from[i][c * step[i]]);
      y[c * points] = narrow<T>(sum);
    }
  }
}

template <class T, class G>
void grid_sample(const GridSampleArgs& a) {
  const bool images = a.axes == 2;
  switch (a.mode) {
    case Mode::nearest: return images ? sample<T, G, Mode::nearest, 2>(a) : sample<T, G, Mode::nearest, 0>(a);
    case Mode::linear: return images ? sample<T, G, Mode::linear, 2>(a) : sample<T, G, Mode::linear, 0>(a);
    case Mode::cubic: return sample<T, G, Mode::cubic, 0>(a);
  }
}

// By the dtype of the grid; in each the dtypes of x.
constexpr KernelRow kAtF32[] = {
    row<GridSampleArgs, grid_sample<float, float>>("grid_sample/f32_at_f32/scalar", DType::f32, Isa::scalar),
    row<GridSampleArgs, grid_sample<double, float>>("grid_sample/f64_at_f32/scalar", DType::f64, Isa::scalar),
    row<GridSampleArgs, grid_sample<f16, float>>("grid_sample/f16_at_f32/scalar", DType::f16, Isa::scalar),
    row<GridSampleArgs, grid_sample<bf16, float>>("grid_sample/bf16_at_f32/scalar", DType::bf16, Isa::scalar),
    device_row<GridSampleArgs, cuda::launch_grid_sample>("grid_sample/f32_at_f32/cuda", DType::f32),
};
constexpr KernelRow kAtF64[] = {
    row<GridSampleArgs, grid_sample<float, double>>("grid_sample/f32_at_f64/scalar", DType::f32, Isa::scalar),
    row<GridSampleArgs, grid_sample<double, double>>("grid_sample/f64_at_f64/scalar", DType::f64, Isa::scalar),
    row<GridSampleArgs, grid_sample<f16, double>>("grid_sample/f16_at_f64/scalar", DType::f16, Isa::scalar),
    row<GridSampleArgs, grid_sample<bf16, double>>("grid_sample/bf16_at_f64/scalar", DType::bf16, Isa::scalar),
};
constexpr KernelRow kAtF16[] = {
    row<GridSampleArgs, grid_sample<float, f16>>("grid_sample/f32_at_f16/scalar", DType::f32, Isa::scalar),
    row<GridSampleArgs, grid_sample<double, f16>>("grid_sample/f64_at_f16/scalar", DType::f64, Isa::scalar),
    row<GridSampleArgs, grid_sample<f16, f16>>("grid_sample/f16_at_f16/scalar", DType::f16, Isa::scalar),
    row<GridSampleArgs, grid_sample<bf16, f16>>("grid_sample/bf16_at_f16/scalar", DType::bf16, Isa::scalar),
};
constexpr KernelRow kAtBf16[] = {
    row<GridSampleArgs, grid_sample<float, bf16>>("grid_sample/f32_at_bf16/scalar", DType::f32, Isa::scalar),
    row<GridSampleArgs, grid_sample<double, bf16>>("grid_sample/f64_at_bf16/scalar", DType::f64, Isa::scalar),
    row<GridSampleArgs, grid_sample<f16, bf16>>("grid_sample/f16_at_bf16/scalar", DType::f16, Isa::scalar),
    row<GridSampleArgs, grid_sample<bf16, bf16>>("grid_sample/bf16_at_bf16/scalar", DType::bf16, Isa::scalar),
};

const KernelRow& kernel(DType x, DType grid, Isa isa) {
  std::span<const KernelRow* const> rows = rows_of<kAtF32>;
  if (grid == DType::f64) rows = rows_of<kAtF64>;
  if (grid == DType::f16) rows = rows_of<kAtF16>;
  if (grid == DType::bf16) rows = rows_of<kAtBf16>;
  return *pick(rows, x, isa);
}

std::optional<Mode> mode_of(const AttrReader& attrs) {
  const std::string s = attrs.s("mode");
  return s == "nearest"  ? std::optional(Mode::nearest)
         : s == "linear" ? std::optional(Mode::linear)
         : s == "cubic"  ? std::optional(Mode::cubic)
                         : std::nullopt;
}
std::optional<Padding> padding_of(const AttrReader& attrs) {
  const std::string s = attrs.s("padding_mode");
  return s == "zeros"        ? std::optional(Padding::zeros)
         : s == "border"     ? std::optional(Padding::border)
         : s == "reflection" ? std::optional(Padding::reflection)
                             : std::nullopt;
}

bool differ(const Dim& a, const Dim& b) { return a.known() && b.known() && a != b; }

Status infer(InferContext& c) {
  if (!mode_of(c.attrs)) return invalid("mode is \"" + c.attrs.s("mode") + "\": expected nearest, linear or cubic");
  if (!padding_of(c.attrs)) return invalid("padding_mode is \"" + c.attrs.s("padding_mode") + "\": expected zeros, border or reflection");
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  if (!is_float(c.dtype(1))) return bad_dtype(c.dtype(1));
  const Shape &x = c.shape(0), &grid = c.shape(1);
  if (!x.ranked() || !grid.ranked()) {
    c.set(0, c.dtype(0), Shape());
    return {};
  }
  const int axes = x.rank() - 2;
  if (axes < 1 || axes > kGridAxes) return unsupported("x is " + x.text() + ": 1 to 3 axes after the channels are supported");
  if (grid.rank() != x.rank() || differ(grid[0], x[0]) || differ(grid[axes + 1], Dim(axes))) {
    return invalid("x is " + x.text() + " and the grid " + grid.text() + ": it needs the same batch, " + std::to_string(axes) +
                   " axes and as many coordinates");
  }
  Shape y{x[0].known() ? x[0] : grid[0], x[1]};
  for (int i = 0; i < axes; ++i) y.push_back(grid[i + 1]);
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

Status bind(BindContext& c) {
  const TensorView &x = c.in(0), &grid = c.in(1), &y = c.out(0);
  if (y.count() == 0) return {};
  GridSampleArgs& a = c.args<GridSampleArgs>();
  a.mode = *mode_of(c.attrs);
  a.padding = *padding_of(c.attrs);
  a.align_corners = c.attrs.i("align_corners") != 0;
  a.axes = x.dims.rank - 2;
  c.set(a.x, c.input(0));
  c.set(a.grid, c.input(1));
  c.set(a.y, c.output(0));
  a.channels = x.dims[1];
  a.points = y.dims.count(2, y.dims.rank);
  a.plane = x.dims.count(2, x.dims.rank);
  if (a.plane == 0) return invalid("x is " + to_string(x.dims) + ": there is nothing to sample");
  for (int i = 0; i < a.axes; ++i) a.in[i] = x.dims[i + 2];
  const auto [begin, end] = c.range(x.dims[0] * a.points);
  a.begin = begin;
  a.end = end;
  if (begin < end) c.run(kernel(x.dtype, grid.dtype, c.isa));
  return {};
}

constexpr AttrSpec kAttrs[] = {{"align_corners", AttrKind::i, 0}, {"mode", AttrKind::s, "linear"}, {"padding_mode", AttrKind::s, "zeros"}};

}  // namespace

constinit const OpDef kGridSample = {.name = "GridSample",
                                     .inputs = {2, 2},
                                     .outputs = {1, 1},
                                     .attrs = kAttrs,
                                     .infer = infer,
                                     .bind = bind,
                                     .kernels = rows_of<kAtF32, kAtF64, kAtF16, kAtBf16>};

}  // namespace tern
