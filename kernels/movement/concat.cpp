// Concat and Split: one copy an input (an output), of runs that reach from the axis to the end. See movement.h.
#include <algorithm>
#include <numeric>

#include "kernels/conv/conv.h"
#include "kernels/layouts.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// ---- Concat ----

Status infer_concat(InferContext& c) {
  Shape y;
  int axis = 0;
  bool exact = true;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.has(i)) return invalid("input " + std::to_string(i) + " is missing");
    if (c.dtype(i) != c.dtype(0)) return invalid(std::string("inputs are both ") + name(c.dtype(0)) + " and " + name(c.dtype(i)));
    const Shape& x = c.shape(i);
    if (!x.ranked()) {
      exact = false;
      continue;
    }
    if (!y.ranked()) {
      auto a = normalize_axis(c.attrs.i("axis"), x.rank());
      if (!a) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
      axis = *a;
      y = x;
      continue;
    }
    if (x.rank() != y.rank()) return invalid("shapes " + y.text() + " and " + x.text() + " have different ranks");
    for (int d = 0; d < x.rank(); ++d) {
      if (d == axis) {
        auto sum = add(y[d], x[d]);
        y[d] = sum ? *sum : c.fresh();
      } else if (!y[d].known()) {
        if (x[d].known()) y[d] = x[d];
      } else if (x[d].known() && !(x[d] == y[d])) {
        return invalid("shapes " + y.text() + " and " + x.text() + " differ outside of axis " + std::to_string(axis));
      }
    }
  }
  if (y.ranked() && !exact) y[axis] = c.fresh();
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

Status bind_concat(BindContext& c) {
  const TensorView& y = c.out(0);
  const int axis = *normalize_axis(c.attrs.i("axis"), y.dims.rank);
  const int64_t outer = y.dims.count(0, axis), row = y.dims.count(axis, y.dims.rank);
  CopyList copies(c);
  int64_t at = 0;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const int64_t run = c.in(i).dims.count(axis, y.dims.rank);
    CopyRequest copy(c.input(i), c.output(0) + at * static_cast<int64_t>(size_of(y.dtype)), y.dtype);
    copy.loop(outer, run, row);
    copy.loop(run, 1, 1);
    copies.add(copy);
    at += run;
  }
  return copies.bind();
}

// ---- Split ----

// The extents of the outputs along the axis; nothing when they are not known.
Result<std::optional<SymbolicInts>> parts(InferContext& c, const Dim& whole) {
  const size_t count = c.outputs.size();
  if (c.has(1)) {
    auto given = c.ints(1);
    if (!given) return std::optional<SymbolicInts>();
    if (given->size() != count) return invalid("split has " + std::to_string(given->size()) + " sizes for " + std::to_string(count) + " outputs");
    Dim sum(0);
    bool exact = true;
    for (const Dim& d : *given) {
      if (d.known() && d.value() < 0) return invalid("a split size is " + d.text());
      auto next = add(sum, d);
      exact = exact && next;
      if (next) sum = *next;
    }
    if (exact && sum.known() && whole.known() && !(sum == whole)) {
      return invalid("the split sizes sum to " + sum.text() + ", the axis is " + whole.text());
    }
    return std::optional(std::move(*given));
  }
  const int64_t n = c.attrs.has("num_outputs") ? c.attrs.i("num_outputs") : static_cast<int64_t>(count);
  if (n != static_cast<int64_t>(count)) return invalid("num_outputs is " + std::to_string(n) + " but there are " + std::to_string(count));
  if (!whole.known()) {
    auto even = div(whole, Dim(n));
    return even ? std::optional(SymbolicInts(count, *even)) : std::optional<SymbolicInts>();
  }
  SymbolicInts out;
  const int64_t chunk = ceil_div(whole.value(), n);
  for (int64_t i = 0, left = whole.value(); i < n; ++i) {
    out.emplace_back(std::min(chunk, left));
    left -= std::min(chunk, left);
  }
  return std::optional(std::move(out));
}

Status infer_split(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!x.ranked()) {
    for (size_t o = 0; o < c.outputs.size(); ++o) c.set(o, c.dtype(0), Shape());
    return {};
  }
  auto axis = normalize_axis(c.attrs.i("axis"), x.rank());
  if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  auto sizes = parts(c, x[*axis]);
  if (!sizes) return sizes.error();
  const auto symbols = x.rank() == 1 ? c.ints(0) : std::nullopt;
  size_t at = 0;
  for (size_t o = 0; o < c.outputs.size(); ++o) {
    Shape y = x;
    y[*axis] = *sizes ? (**sizes)[o] : c.fresh();
    if (symbols && y[0].known() && at + static_cast<size_t>(y[0].value()) <= symbols->size()) {
      const size_t n = static_cast<size_t>(y[0].value());
      c.output_ints[o] = SymbolicInts(symbols->begin() + static_cast<std::ptrdiff_t>(at), symbols->begin() + static_cast<std::ptrdiff_t>(at + n));
      at += n;
    }
    c.set(o, c.dtype(0), std::move(y));
  }
  return {};
}

Status bind_split(BindContext& c) {
  const TensorView& x = c.in(0);
  const int axis = *normalize_axis(c.attrs.i("axis"), x.dims.rank);
  const int64_t outer = x.dims.count(0, axis), row = x.dims.count(axis, x.dims.rank), inner = x.dims.count(axis + 1, x.dims.rank);
  const auto given = c.ints(1);
  const int64_t chunk = ceil_div(x.dims[axis], static_cast<int64_t>(c.outputs.size()));
  CopyList copies(c);
  int64_t at = 0;
  for (size_t o = 0; o < c.outputs.size(); ++o) {
    // An output that nobody reads still takes its place.
    const int64_t run = inner * (c.has(1) ? given[o] : std::clamp<int64_t>(x.dims[axis] - static_cast<int64_t>(o) * chunk, 0, chunk));
    if (c.has_out(o)) {
      CopyRequest copy(c.input(0) + at * static_cast<int64_t>(size_of(x.dtype)), c.output(o), x.dtype);
      copy.loop(outer, row, run);
      copy.loop(run, 1, 1);
      copies.add(copy);
    }
    at += run;
  }
  return copies.bind();
}

constexpr AttrSpec kConcatAttrs[] = {{"axis", AttrKind::i, kRequired}};
constexpr AttrSpec kSplitAttrs[] = {{"axis", AttrKind::i, 0}, {"num_outputs", AttrKind::i}};

// Along the channels; what is plain of the inputs is joined as it is.
std::optional<LayoutForm> concat_layouts(const LayoutQuery& q) {
  const bool known =
      std::all_of(q.inputs.begin(), q.inputs.end(), [](const LayoutQuery::Input& x) { return x.type != nullptr && x.type->shape.known(); });
  if (!q.suits_output() || !known || normalize_axis(q.attrs.i("axis"), q.outputs[0]->shape.rank()) != 1) return std::nullopt;
  LayoutForm f;
  f.takes.assign(q.inputs.size(), Takes::as_it_comes);
  f.gives = true;
  f.op = &kConcatBlocks;
  return f;
}
std::optional<LastForm> concat_channels_last(const LayoutQuery& q) {
  const int rank = q.outputs[0]->shape.ranked() ? q.outputs[0]->shape.rank() : 0;
  if (normalize_axis(q.attrs.i("axis"), rank) != 1) return std::nullopt;
  std::vector<size_t> all(q.inputs.size());
  std::iota(all.begin(), all.end(), size_t(0));
  LastForm f = takes_last(q, std::move(all));
  f.attrs.set("axis", int64_t(rank - 1));
  return f;
}
std::optional<LayoutForm> split_layouts(const LayoutQuery& q) {
  if (!q.inputs[0].blocked || normalize_axis(q.attrs.i("axis"), q.inputs[0].type->shape.rank()) != 1) return std::nullopt;
  LayoutForm f;
  int64_t first = 0;
  for (size_t o = 0; o < q.outputs.size(); ++o) {
    if (!q.suits_output(o)) return std::nullopt;
    const int64_t channels = q.outputs[o]->shape[1].value();
    f.each_output.push_back(some_channels(first, channels));
    first += channels;
  }
  f.takes = {Takes::blocked};
  f.gives = true;
  f.op = &kConcatBlocks;
  f.inputs = {0};
  return f;
}

}  // namespace

constinit const OpDef kConcat = {.name = "Concat",
                                 .inputs = {1, -1},
                                 .outputs = {1, 1},
                                 .attrs = kConcatAttrs,
                                 .infer = infer_concat,
                                 .bind = bind_concat,
                                 .kernels = rows_of<kCopyRows>,
                                 .moves_data = true,
                                 .layouts = concat_layouts,
                                 .channels_last = concat_channels_last};
constinit const OpDef kSplit = {.name = "Split",
                                .inputs = {1, 2},
                                .outputs = {1, -1},
                                .attrs = kSplitAttrs,
                                .infer = infer_split,
                                .bind = bind_split,
                                .kernels = rows_of<kCopyRows>,
                                .value_inputs = {.ints = 2},
                                .optional_outputs = ~0u,
                                .moves_data = true,
                                .layouts = split_layouts};

}  // namespace tern
