// GridSample: schema, inference, binding, kernels. See grid_sample.h.
#include "kernels/resize/grid_sample.h"

#include <bit>
#include <cmath>

#include "kernels/elementwise/portable.h"
#include "kernels/op.h"
#include "kernels/portable_math.h"

namespace tern {
namespace {

using Mode = GridSampleArgs::Mode;
using Padding = GridSampleArgs::Padding;

constexpr int kMostTaps = 64;              // 4 on each of three axes
constexpr double kFar = 1125899906842624;  // 2^50: doubles still tell halves apart

using portable::select;

// a, or 0, without a branch.
double masked(uint64_t mask, double a) { return std::bit_cast<double>(std::bit_cast<uint64_t>(a) & mask); }
double clamp(double v, double low, double high) { return select(!(v >= low), low, select(v > high, high, v)); }  // NaN: low

// Precondition of both: |v| <= kFar.
double floor_of(double v) {
  const auto whole = static_cast<double>(static_cast<int64_t>(v));
  return whole - select(v < whole, 1, 0);  // of a converted bool compilers make a branch
}
double round_half_even(double v) {
  constexpr double kMagic = 6755399441055744;  // 1.5 * 2^52: adding it rounds to whole numbers
  return (v + kMagic) - kMagic;
}

// From -1..1 to indices, in the precision of the grid.
template <class F>
double place(F n, int64_t length, bool align_corners) {
  const F l = static_cast<F>(length);
  return align_corners ? (n + 1) / 2 * (l - 1) : ((n + 1) * l - 1) / 2;
}

// v mirrored at low and high until it lies between them.
double reflect(double v, double low, double high) {
  const double range = high - low, divisor = select(range > 0, range, 1);
  const double t = clamp(std::fabs(v - low), 0, kFar);
  const double turns = floor_of(t / divisor), rest = t - turns * divisor;
  const double odd = turns - 2 * floor_of(turns / 2);  // 0 or 1; arithmetic, as compilers make a branch of a choice here
  return select(range > 0, low + rest + odd * (range - 2 * rest), low);
}

// The taps of one place along one axis.
struct AxisTaps {
  int64_t index[4];
  double weight[4];
  uint64_t inside[4];  // all ones, or 0: it reads as zero
};

AxisTaps taps_of(const GridSampleArgs& a, int axis, double v) {
  const auto last = static_cast<double>(a.in[axis] - 1);
  const double low = a.align_corners ? 0 : -0.5, high = a.align_corners ? last : last + 0.5;
  v = clamp(v, -kFar, kFar);
  if (a.mode == Mode::nearest) v = round_half_even(v);
  const bool outside = clamp(v, low, high) != v;
  if (a.padding == Padding::border) v = select(outside, clamp(v, 0, last), v);
  if (a.padding == Padding::reflection) v = select(outside, reflect(v, low, high), v);
  if (a.padding == Padding::zeros) v = clamp(v, -3, last + 3);  // all taps outside: as good as any place farther away
  AxisTaps t;
  const double first = a.mode == Mode::nearest ? v : floor_of(v), f = v - first;
  const int count = a.mode == Mode::nearest ? 1 : a.mode == Mode::linear ? 2 : 4;
  constexpr double kA = -0.75;
  if (a.mode == Mode::nearest) {
    t.weight[0] = 1;
  } else if (a.mode == Mode::linear) {
    t.weight[0] = 1 - f;
    t.weight[1] = f;
  } else {
    const double g = 1 - f;
    t.weight[0] = ((kA * (f + 1) - 5 * kA) * (f + 1) + 8 * kA) * (f + 1) - 4 * kA;
    t.weight[1] = ((kA + 2) * f - (kA + 3)) * f * f + 1;
    t.weight[2] = ((kA + 2) * g - (kA + 3)) * g * g + 1;
    t.weight[3] = ((kA * (g + 1) - 5 * kA) * (g + 1) + 8 * kA) * (g + 1) - 4 * kA;
  }
  for (int i = 0; i < count; ++i) {
    double at = first + (a.mode == Mode::cubic ? i - 1 : i);
    t.inside[i] = -static_cast<uint64_t>(a.padding != Padding::zeros || clamp(at, 0, last) == at);
    if (a.padding == Padding::reflection) at = select(clamp(at, low, high) != at, reflect(at, low, high), at);
    t.index[i] = static_cast<int64_t>(clamp(at, 0, last));
  }
  return t;
}

// One tap of a whole place: the product of its axes'.
struct Tap {
  int64_t offset;
  double weight;
  uint64_t inside;
};

template <class T, class G>
void grid_sample(const GridSampleArgs& a) {
  const int count = a.mode == Mode::nearest ? 1 : a.mode == Mode::linear ? 2 : 4;
  Tap taps[kMostTaps];
  for (int64_t at = a.begin; at < a.end; ++at) {
    const int64_t n = at / a.points, p = at % a.points;
    const G* grid = static_cast<const G*>(a.grid) + at * a.axes;  // [axes]
    int all = 1;
    taps[0] = {0, 1, ~uint64_t(0)};
    for (int axis = 0; axis < a.axes; ++axis) {
      using F = std::conditional_t<std::is_same_v<G, double>, double, float>;
      const auto given = static_cast<F>(widen(grid[a.axes - 1 - axis]));
      const auto coordinate = static_cast<F>(select(given == given, static_cast<double>(given), -1));
      const AxisTaps t = taps_of(a, axis, place(coordinate, a.in[axis], a.align_corners));
      for (int i = all - 1; i >= 0; --i) {  // backwards: tap i becomes taps i * count …
        const Tap outer = taps[i];
        for (int j = count - 1; j >= 0; --j) {
          taps[i * count + j] = {outer.offset * a.in[axis] + t.index[j], outer.weight * t.weight[j], outer.inside & t.inside[j]};
        }
      }
      all *= count;
    }
    const T* x = static_cast<const T*>(a.x) + n * a.channels * a.plane;  // [channels, plane]
    T* y = static_cast<T*>(a.y) + n * a.channels * a.points + p;         // [channels, points]
    for (int64_t c = 0; c < a.channels; ++c) {
      double sum = 0;
      for (int i = 0; i < all; ++i) sum += taps[i].weight * masked(taps[i].inside, widen(x[c * a.plane + taps[i].offset]));
      y[c * a.points] = narrow<T>(sum);
    }
  }
}

// By the dtype of the grid; in each the dtypes of x.
constexpr KernelRow kAtF32[] = {
    row<GridSampleArgs, grid_sample<float, float>>("grid_sample/f32_at_f32/scalar", DType::f32, Isa::scalar),
    row<GridSampleArgs, grid_sample<double, float>>("grid_sample/f64_at_f32/scalar", DType::f64, Isa::scalar),
    row<GridSampleArgs, grid_sample<f16, float>>("grid_sample/f16_at_f32/scalar", DType::f16, Isa::scalar),
    row<GridSampleArgs, grid_sample<bf16, float>>("grid_sample/bf16_at_f32/scalar", DType::bf16, Isa::scalar),
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
  const std::span<const KernelRow* const> rows = grid == DType::f32   ? rows_of<kAtF32>
                                                 : grid == DType::f64 ? rows_of<kAtF64>
                                                 : grid == DType::f16 ? rows_of<kAtF16>
                                                                      : rows_of<kAtBf16>;
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
