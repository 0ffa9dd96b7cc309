// Slice: a strided copy; the work is in the bounds. Per axis, with n its extent: a negative start or end counts from n; then a positive
// step clamps both to [0,n], a negative one start to [0,n-1] and end to [-1,n-1]. See movement.h.
#include <algorithm>

#include "kernels/conv/conv.h"
#include "kernels/layouts.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

struct Cut {
  int64_t start, step, count;
};

Cut cut(int64_t n, int64_t start, int64_t end, int64_t step) {
  if (start < 0) start += n;  // n >= 0, so that neither sum overflows
  if (end < 0) end += n;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, n);
    end = std::clamp<int64_t>(end, 0, n);
    return {start, step, end <= start ? 0 : 1 + (end - start - 1) / step};
  }
  if (n == 0) return {0, step, 0};
  start = std::clamp<int64_t>(start, 0, n - 1);
  end = std::clamp<int64_t>(end, -1, n - 1);
  if (start <= end) return {0, step, 0};
  // -step overflows for INT64_MIN alone; any such step takes one element
  return {start, step, step == INT64_MIN ? 1 : 1 + (start - end - 1) / -step};
}

// The extent that comes out of a symbolic axis, as far as it is linear. A bound given as a symbol is taken to lie inside.
Dim symbolic_count(const Dim& n, Dim start, Dim end, int64_t step, InferContext& c) {
  constexpr int64_t kFar = int64_t(1) << 30;
  if (step == -1 && start.known() && (start.value() == -1 || start.value() >= kFar) && end.known() && end.value() < -kFar) return n;
  if (step <= 0) return c.fresh();
  auto place = [&](Dim& d) {
    if (d.known() && d.value() >= kFar) d = n;
    else if (d.known() && d.value() < 0) {
      auto from_end = d.value() <= -kFar ? std::optional(Dim(0)) : add(n, d);
      if (!from_end) return false;
      d = *from_end;
    }
    return true;
  };
  if (!place(start) || !place(end)) return c.fresh();
  auto length = sub(end, start);
  if (!length) return c.fresh();
  // Numbers against a symbolic extent: x[:, 0:1] is one wide in every model that runs, x[:, :512] may be cut short.
  if (length->known() && start.known() && end.known() && length->value() > 1) return c.fresh();
  if (length->known()) return Dim(length->value() <= 0 ? 0 : 1 + (length->value() - 1) / step);
  auto steps = div(*length, Dim(step));
  return steps ? *steps : c.fresh();
}

Status infer_slice(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!x.ranked()) {
    c.set(0, c.dtype(0), Shape());
    return {};
  }
  auto starts = c.ints(1), ends = c.ints(2), steps = c.ints(4);
  std::optional<std::vector<int64_t>> axes = c.known_ints(3);
  const size_t count = starts ? starts->size() : ends ? ends->size() : static_cast<size_t>(length_of(c, 1).value_or(x.rank()));
  if (!c.has(3)) {
    axes.emplace();
    for (size_t i = 0; i < count; ++i) axes->push_back(static_cast<int64_t>(i));
  }
  if (!axes) {
    c.set(0, c.dtype(0), fresh_shape(x.rank(), c));
    return {};
  }
  auto list = normalize_axes(*axes, x.rank());
  if (!list) return list.error();
  if (list->size() != count || (starts && starts->size() != count) || (ends && ends->size() != count) || (steps && steps->size() != count)) {
    return invalid("starts, ends, axes and steps have different lengths");
  }
  Shape y = x;
  for (size_t i = 0; i < count; ++i) {
    Dim& n = y[(*list)[i]];
    if (!starts || !ends || (c.has(4) && !steps) || (steps && !(*steps)[i].known())) {
      n = c.fresh();
      continue;
    }
    const int64_t step = steps ? (*steps)[i].value() : 1;
    const Dim &start = (*starts)[i], &end = (*ends)[i];
    if (step == 0) return invalid("a step is 0");
    const bool known = n.known() && start.known() && end.known();
    n = known ? Dim(cut(n.value(), start.value(), end.value(), step).count) : symbolic_count(n, start, end, step, c);
  }
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

Status bind_slice(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const int rank = x.dims.rank;
  const auto starts = c.ints(1), ends = c.ints(2), axes = c.ints(3), steps = c.ints(4);
  const auto from = dense_strides(x.dims), to = dense_strides(y.dims);
  std::array<int64_t, kMaxRank> stride = from;
  int64_t offset = 0;
  if (y.count() == 0) return {};
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t axis = static_cast<size_t>(*normalize_axis(c.has(3) ? axes[i] : static_cast<int64_t>(i), rank));
    const Cut k = cut(x.dims[static_cast<int>(axis)], starts[i], ends[i], c.has(4) ? steps[i] : 1);
    offset += k.start * from[axis];
    stride[axis] = k.count > 1 ? k.step * from[axis] : 0;  // a huge step over one element must not overflow
  }
  CopyRequest copy(c.input(0) + offset * static_cast<int64_t>(size_of(x.dtype)), c.output(0), x.dtype);
  for (int d = 0; d < rank; ++d) copy.loop(y.dims[d], stride[static_cast<size_t>(d)], to[static_cast<size_t>(d)]);
  return bind_copy(c, copy);
}

// Of channels alone, or of rows and columns with steps forward.
std::optional<LayoutForm> slice_layouts(const LayoutQuery& q) {
  if (!q.suits_output() || !q.inputs[0].blocked) return std::nullopt;
  std::optional<std::vector<int64_t>> ints[5];  // starts, ends, axes, steps
  for (size_t i = 1; i < q.inputs.size(); ++i) {
    if (q.has(i) && !(ints[i] = q.ints(i))) return std::nullopt;
  }
  const Dims x = q.x(0), y = q.y();
  std::vector<int64_t> first(static_cast<size_t>(x.rank), 0), by(static_cast<size_t>(x.rank), 1);
  for (size_t i = 0; i < ints[1]->size(); ++i) {
    const auto axis = normalize_axis(ints[3] ? (*ints[3])[i] : static_cast<int64_t>(i), x.rank);
    if (!axis || (ints[4] && (*ints[4])[i] < 1)) return std::nullopt;
    const int64_t start = (*ints[1])[i], size = x[*axis];
    first[static_cast<size_t>(*axis)] = std::clamp<int64_t>(start < 0 ? start + size : start, 0, size);
    if (ints[4]) by[static_cast<size_t>(*axis)] = (*ints[4])[i];
  }
  if (x[0] != y[0] || by[1] != 1) return std::nullopt;
  std::vector<int64_t> pads;
  for (int i = 2; i < x.rank; ++i) pads.push_back(-first[static_cast<size_t>(i)]);
  bool whole = true;
  for (size_t i = 2; i < first.size(); ++i) {
    const int at = static_cast<int>(i);
    pads.push_back(first[i] + (y[at] - 1) * by[i] + 1 - x[at]);
    whole = whole && x[at] == y[at];
  }
  LayoutForm f = map_form("pads", std::move(pads));
  if (whole) {
    f.op = &kConcatBlocks;
    f.attrs = some_channels(first[1], y[1]);
  } else if (x[1] != y[1]) {
    return std::nullopt;
  } else {
    f.attrs.set("steps", std::vector<int64_t>(by.begin() + 2, by.end()));
  }
  return f;
}

}  // namespace

constinit const OpDef kSlice = {.name = "Slice",
                                .inputs = {3, 5},
                                .outputs = {1, 1},
                                .infer = infer_slice,
                                .bind = bind_slice,
                                .kernels = rows_of<kCopyRows>,
                                .value_inputs = {.ints = 0b11110},
                                .moves_data = true,
                                .layouts = slice_layouts};

}  // namespace tern
