// GridSample: schema, inference, binding. See grid_sample.h.
#include "kernels/resize/grid_sample.h"

#include "kernels/launch.h"
#include "kernels/op.h"
#include "kernels/resize/grid_taps.h"

namespace tern {
namespace {

using Mode = GridSampleArgs::Mode;
using Padding = GridSampleArgs::Padding;

constexpr KernelRow kGridOnDevice = device_row<GridSampleArgs, cuda::launch_grid_sample>("grid_sample/f32_at_f32/cuda", DType::f32);

const KernelRow& kernel(DType x, DType grid, Isa isa) {
  std::span<const KernelRow* const> rows = rows_of<TERN_ON_EACH_ISA(grid_sample_at_f32), kGridOnDevice>;
  if (grid == DType::f64) rows = rows_of<TERN_ON_EACH_ISA(grid_sample_at_f64)>;
  if (grid == DType::f16) rows = rows_of<TERN_ON_EACH_ISA(grid_sample_at_f16)>;
  if (grid == DType::bf16) rows = rows_of<TERN_ON_EACH_ISA(grid_sample_at_bf16)>;
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
                                     .kernels = rows_of<TERN_ON_EACH_ISA(grid_sample_at_f32), TERN_ON_EACH_ISA(grid_sample_at_f64),
                                                        TERN_ON_EACH_ISA(grid_sample_at_f16), TERN_ON_EACH_ISA(grid_sample_at_bf16), kGridOnDevice>};

}  // namespace tern
