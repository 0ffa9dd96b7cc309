// Pad: per axis a table says which element of x each element of y is (or none). Constant pads are a fill and one strided copy; the
// other modes fold indices back into x. See movement.h.
#include <cmath>
#include <numeric>

#include "kernels/launch.h"
#include "kernels/layouts.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"
#include "kernels/movement/movement_device.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

Result<std::vector<int>> axes_of(std::optional<std::vector<int64_t>> given, int rank) {
  if (given) return normalize_axes(*given, rank);
  std::vector<int> all;
  for (int i = 0; i < rank; ++i) all.push_back(i);
  return all;
}

bool constant_mode(const AttrReader& attrs) { return attrs.s("mode") == "constant"; }

Status infer_pad(InferContext& c) {
  const Shape& x = c.shape(0);
  const std::string mode = c.attrs.s("mode");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap") return invalid("mode is \"" + mode + "\"");
  if (c.has(2) && c.dtype(2) != c.dtype(0)) return invalid(std::string("constant_value is ") + name(c.dtype(2)) + ", the input " + name(c.dtype(0)));
  auto pads = c.ints(1);
  auto given = c.known_ints(3);
  if (!x.ranked() || !pads || (c.has(3) && !given)) {
    c.set(0, c.dtype(0), x.ranked() ? fresh_shape(x.rank(), c) : Shape());
    return {};
  }
  auto axes = axes_of(given, x.rank());
  if (!axes) return axes.error();
  if (pads->size() != 2 * axes->size())
    return invalid("pads has " + std::to_string(pads->size()) + " elements for " + std::to_string(axes->size()) + " axes");
  Shape y = x;
  for (size_t i = 0; i < axes->size(); ++i) {
    Dim& n = y[(*axes)[i]];
    const Dim &before = (*pads)[i], &after = (*pads)[i + axes->size()];
    for (const Dim& pad : {before, after}) {  // bind subtracts them from positions
      if (pad.known() && (pad.value() < -kMaxBytes || pad.value() > kMaxBytes)) return invalid("a pad is " + pad.text());
    }
    if (mode != "constant" && n.known() && before.known() && after.known()) {
      const auto left = checked_add(n.value(), std::min<int64_t>(before.value(), 0));
      const auto kept = left ? checked_add(*left, std::min<int64_t>(after.value(), 0)) : left;
      if (!kept || (*kept <= 0 && (before.value() > 0 || after.value() > 0)))
        return invalid("axis " + std::to_string((*axes)[i]) + " has nothing left to pad with");
    }
    auto sum = add(n, before);
    sum = sum ? add(*sum, after) : sum;
    if (sum && sum->known() && sum->value() < 0) return invalid("the pads of axis " + std::to_string((*axes)[i]) + " crop more than there is");
    if (!sum && n.known() && before.known() && after.known()) return invalid("the output has no representable size");
    n = sum ? *sum : c.fresh();
  }
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

// Index of x that element i of a padded axis of n elements is (i counts from the first element that no pad crops).
int64_t fold(int64_t i, int64_t n, const std::string& mode) {
  if (mode == "edge") return std::clamp<int64_t>(i, 0, n - 1);
  if (mode == "wrap") return ((i % n) + n) % n;
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1);  // reflect: the edge is not repeated
  i = ((i % period) + period) % period;
  return i < n ? i : period - i;
}

// The row-major walk over y's rows; the last axis goes through its table, but for the run in it that is x as it lies.
struct FoldArgs {
  const std::byte* x;
  std::byte* y;
  const int64_t* index[kMaxRank];  // per axis: byte offsets into x
  int64_t n[kMaxRank];
  int rank;
  int64_t size, begin, end;    // rows
  int64_t run_begin, run_end;  // of the last axis
};

template <int Size>
void fold_ends(const FoldArgs& a, const std::byte* x, std::byte* y, int64_t begin, int64_t end) {
  const int64_t* index = a.index[a.rank - 1];
  for (int64_t i = begin; i < end; ++i) std::memcpy(y + i * Size, x + index[i], Size);
}
void fold_pad(const FoldArgs& a) {
  const int last = a.rank - 1;
  const auto ends = a.size == 1 ? fold_ends<1> : a.size == 2 ? fold_ends<2> : a.size == 4 ? fold_ends<4> : a.size == 8 ? fold_ends<8> : fold_ends<16>;
  for (int64_t r = a.begin; r < a.end; ++r) {
    int64_t offset = 0, rest = r;
    for (int d = last - 1; d >= 0; --d) {
      offset += a.index[d][rest % a.n[d]];
      rest /= a.n[d];
    }
    const std::byte* x = a.x + offset;
    std::byte* y = a.y + r * a.n[last] * a.size;
    ends(a, x, y, 0, a.run_begin);
    if (a.run_begin < a.run_end)
      std::memcpy(y + a.run_begin * a.size, x + a.index[last][a.run_begin], static_cast<size_t>((a.run_end - a.run_begin) * a.size));
    ends(a, x, y, a.run_end, a.n[last]);
  }
}

constexpr KernelRow kPadRows[] = {
    row<FoldArgs, fold_pad>("pad/fold/scalar", DType::none, Isa::scalar),
    device_row<PadArgs, cuda::launch_pad>("pad/fold/cuda", DType::none),
};

// Of one axis: the element of x that comes first, where it lies in y, and how many follow; none where the pads crop all of it.
struct Inside {
  int64_t from, to, n;
};

// The borders of y, each element once: of axis d what lies before and behind x, within what earlier axes have of x.
void add_borders(CopyList& copies, const Address<const std::byte>& value, BindContext& c, const std::array<Inside, kMaxRank>& inside) {
  const TensorView& y = c.out(0);
  const auto strides = dense_strides(y.dims);
  int64_t offset = 0;
  for (int d = 0; d < y.dims.rank; ++d) {
    const size_t s = static_cast<size_t>(d);
    const int64_t ends[2][2] = {{0, inside[s].to}, {inside[s].to + inside[s].n, y.dims[d]}};
    for (const auto& [begin, end] : ends) {
      CopyRequest border(value, c.output(0) + (offset + begin * strides[s]) * static_cast<int64_t>(size_of(y.dtype)), y.dtype);
      for (int outer = 0; outer < d; ++outer) border.loop(inside[static_cast<size_t>(outer)].n, 0, strides[static_cast<size_t>(outer)]);
      border.loop((end - begin) * strides[s], 0, 1);
      copies.add(border);
    }
    offset += inside[s].to * strides[s];
  }
}

// Are the innermost borders far enough apart to be worth a visit each? Else all of y is filled first (tuned on Sapphire Rapids).
bool borders_far_apart(const TensorView& y, const std::array<Inside, kMaxRank>& inside) {
  constexpr int64_t kApart = 256;  // bytes for each of up to four elements of a border
  int64_t bytes = static_cast<int64_t>(size_of(y.dtype));
  for (int d = y.dims.rank - 1; d >= 0; --d) {
    const Inside& in = inside[static_cast<size_t>(d)];
    const int64_t widest = std::max(in.to, y.dims[d] - in.to - in.n);
    if (widest > 0) return y.dims[d] * bytes >= kApart * std::min<int64_t>(widest, 4);
    bytes *= y.dims[d];
  }
  return true;
}

// A value that may only exist at run time around a copy of what lies inside.
Status bind_constant(BindContext& c, const std::array<int64_t, kMaxRank>& before) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const int64_t size = static_cast<int64_t>(size_of(y.dtype));
  if (y.dtype == DType::string) return bad_dtype(y.dtype);
  const auto zero = c.table<std::byte>(16, [](std::byte*) {});
  const auto value = c.has(2) ? c.input(2) : zero;
  const auto from = dense_strides(x.dims), to = dense_strides(y.dims);
  std::array<Inside, kMaxRank> inside{};
  bool some = true;
  for (int d = 0; d < x.dims.rank; ++d) {
    const size_t s = static_cast<size_t>(d);
    const int64_t first = std::max<int64_t>(0, -before[s]), end = std::min(x.dims[d], y.dims[d] - before[s]);
    inside[s] = {first, first + before[s], end - first};
    some = some && end > first;
  }
  const bool bordered = some && borders_far_apart(y, inside);
  CopyList copies(c, bordered);
  if (bordered) {
    add_borders(copies, value, c, inside);
  } else {
    CopyRequest fill(value, c.output(0), y.dtype);
    fill.loop(y.count(), 0, 1);
    copies.add(fill);
    if (!some) return copies.bind();
  }
  int64_t from_offset = 0, to_offset = 0;
  for (int d = 0; d < x.dims.rank; ++d) {
    const size_t s = static_cast<size_t>(d);
    from_offset += inside[s].from * from[s];
    to_offset += inside[s].to * to[s];
  }
  CopyRequest copy(c.input(0) + from_offset * size, c.output(0) + to_offset * size, y.dtype);
  for (int d = 0; d < x.dims.rank; ++d) {
    const size_t s = static_cast<size_t>(d);
    copy.loop(inside[s].n, from[s], to[s]);
  }
  copies.add(copy);
  return copies.bind();
}

Status bind_pad(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  if (y.count() == 0) return {};
  auto axes = axes_of(c.has(3) ? std::optional(c.ints(3)) : std::nullopt, x.dims.rank);
  const auto pads = c.ints(1);
  std::array<int64_t, kMaxRank> before{}, after{};
  for (size_t i = 0; i < axes->size(); ++i) {
    before[static_cast<size_t>((*axes)[i])] = pads[i];
    after[static_cast<size_t>((*axes)[i])] = pads[i + axes->size()];
  }
  if (x.dims.rank == 0) return bind_flat_copy(c, static_cast<int64_t>(size_of(x.dtype)));
  if (constant_mode(c.attrs)) return bind_constant(c, before);
  const std::string mode = c.attrs.s("mode");
  const auto from = dense_strides(x.dims);
  const int64_t size = static_cast<int64_t>(size_of(x.dtype));
  std::array<int64_t, kMaxRank> firsts{}, kepts{};  // of x, what no pad crops
  for (int d = 0; d < x.dims.rank; ++d) {
    const size_t s = static_cast<size_t>(d);
    firsts[s] = std::max<int64_t>(0, -before[s]);
    kepts[s] = x.dims[d] - firsts[s] + std::min<int64_t>(after[s], 0);
    if (kepts[s] <= 0) return invalid("axis " + std::to_string(d) + " has nothing left to pad with");  // y is not empty
    before[s] = std::max<int64_t>(before[s], 0);
  }
  if (c.isa == Isa::cuda) {
    PadArgs& a = c.args<PadArgs>();
    a.rank = x.dims.rank;
    a.mode = mode == "reflect" ? PadArgs::Mode::reflect : mode == "edge" ? PadArgs::Mode::edge : PadArgs::Mode::wrap;
    a.size = size;
    int64_t first = 0;
    for (int d = 0; d < a.rank; ++d) {
      const size_t s = static_cast<size_t>(d);
      a.axes[d] = {y.dims[d], before[s], kepts[s], from[s] * size};
      first += firsts[s] * from[s] * size;
    }
    c.set(a.x, c.input(0) + first);
    c.set(a.y, c.output(0));
    c.run(kPadRows[1]);
    return {};
  }
  FoldArgs& a = c.args<FoldArgs>();
  a.rank = x.dims.rank;
  a.size = size;
  for (int d = 0; d < x.dims.rank; ++d) {
    const size_t s = static_cast<size_t>(d);
    c.set(a.index[d], c.table<int64_t>(y.dims[d], [&](int64_t* index) {
      for (int64_t i = 0; i < y.dims[d]; ++i) index[i] = (firsts[s] + fold(i - before[s], kepts[s], mode)) * from[s] * size;
    }));
    a.n[d] = y.dims[d];
  }
  const size_t last = static_cast<size_t>(a.rank) - 1;
  a.run_begin = std::clamp<int64_t>(before[last], 0, a.n[last]);
  a.run_end = std::clamp<int64_t>(before[last] + kepts[last], a.run_begin, a.n[last]);
  const auto [begin, end] = c.range(y.dims.count(0, y.dims.rank - 1));
  a.begin = begin;
  a.end = end;
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  if (begin < end) c.run(kPadRows[0]);
  return {};
}

// ---- CenterCropPad: a Pad whose amounts follow from the wished shape ----

Status infer_center(InferContext& c) {
  const Shape& x = c.shape(0);
  auto want = c.ints(1);
  if (!x.ranked() || !want) {
    c.set(0, c.dtype(0), x.ranked() ? fresh_shape(x.rank(), c) : Shape());
    return {};
  }
  auto axes = axes_of(c.attrs.has("axes") ? std::optional(c.attrs.ints("axes")) : std::nullopt, x.rank());
  if (!axes) return axes.error();
  if (want->size() != axes->size()) return invalid("shape and axes have different lengths");
  Shape y = x;
  for (size_t i = 0; i < axes->size(); ++i) y[(*axes)[i]] = (*want)[i];
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

Status bind_center(BindContext& c) {
  if (c.out(0).count() == 0) return {};
  std::array<int64_t, kMaxRank> before{};
  for (int d = 0; d < c.in(0).dims.rank; ++d) {
    const int64_t more = c.out(0).dims[d] - c.in(0).dims[d];
    before[static_cast<size_t>(d)] = more >= 0 ? more / 2 : -(-more / 2);
  }
  return bind_constant(c, before);
}

std::optional<LayoutForm> pad_layouts(const LayoutQuery& q) {
  const auto around = q.suits_output() && q.inputs[0].blocked ? zero_padding(q) : std::nullopt;
  return around ? std::optional(map_form("pads", *around)) : std::nullopt;
}

constexpr int64_t kMostPadding = 1 << 20;

constexpr AttrSpec kPadAttrs[] = {{"mode", AttrKind::s, "constant"}};
constexpr AttrSpec kCenterAttrs[] = {{"axes", AttrKind::ints}};

}  // namespace

std::optional<std::vector<int64_t>> zero_padding(const LayoutQuery& q) {
  const int rank = q.inputs[0].type->shape.rank();
  const auto pads = q.ints(1);
  if (q.inputs[0].type->dtype != DType::f32 || rank < 3 || !pads || q.attrs.s("mode") != "constant") return std::nullopt;
  if (q.has(2)) {
    const Tensor* value = q.inputs[2].value;
    if (value == nullptr || value->count() != 1 || *value->data<float>() != 0 || std::signbit(*value->data<float>())) return std::nullopt;
  }
  std::vector<int64_t> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  if (q.has(3)) {
    const auto listed = q.ints(3);
    if (!listed) return std::nullopt;
    axes = *listed;
    for (int64_t& a : axes) a = normalize_axis(a, rank).value_or(0);
  }
  const auto n = static_cast<int64_t>(axes.size()), spatial = int64_t(rank) - 2;
  if (static_cast<int64_t>(pads->size()) != 2 * n) return std::nullopt;
  std::vector<int64_t> around(static_cast<size_t>(2 * spatial), 0);
  for (int64_t i = 0; i < 2 * n; ++i) {
    const int64_t by = (*pads)[static_cast<size_t>(i)], axis = axes[static_cast<size_t>(i % n)];
    if (by < 0 || by > kMostPadding || (axis < 2 && by != 0)) return std::nullopt;
    if (axis >= 2) around[static_cast<size_t>(i / n * spatial + axis - 2)] += by;
  }
  return around;
}

constinit const OpDef kPad = {.name = "Pad",
                              .inputs = {2, 4},
                              .outputs = {1, 1},
                              .attrs = kPadAttrs,
                              .infer = infer_pad,
                              .bind = bind_pad,
                              .kernels = rows_of<kPadRows>,
                              .value_inputs = {.ints = 0b1010},
                              .layouts = pad_layouts};
constinit const OpDef kCenterCropPad = {.name = "CenterCropPad",
                                        .inputs = {2, 2},
                                        .outputs = {1, 1},
                                        .attrs = kCenterAttrs,
                                        .infer = infer_center,
                                        .bind = bind_center,
                                        .kernels = rows_of<kCopyRows>,
                                        .value_inputs = {.ints = 2}};

}  // namespace tern
