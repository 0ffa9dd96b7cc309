// Expand and Tile: copies in which some loops stand still in x. See movement.h.
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"

namespace tern {
namespace {

// ---- Expand: NumPy broadcasting of x against a shape ----

Status infer_expand(InferContext& c) {
  auto target = c.ints(1);
  if (!target) {
    auto rank = length_of(c, 1);
    const bool ranked = rank && *rank <= kMaxRank && c.shape(0).ranked();
    c.set(0, c.dtype(0), ranked ? fresh_shape(std::max(static_cast<int>(*rank), c.shape(0).rank()), c) : Shape());
    return {};
  }
  for (const Dim& d : *target) {
    if (d.known() && d.value() < 0) return invalid("the shape has a dimension of " + d.text());
  }
  auto y = broadcast_shapes(c.shape(0), Shape(std::move(*target)), c);
  if (!y) return y.error();
  c.set(0, c.dtype(0), std::move(*y));
  return {};
}

Status bind_expand(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const auto from = dense_strides(x.dims), to = dense_strides(y.dims);
  CopyRequest copy(c.input(0), c.output(0), x.dtype);
  for (int d = 0; d < y.dims.rank; ++d) {
    const int s = d - (y.dims.rank - x.dims.rank);
    const bool repeats = s < 0 || x.dims[s] != y.dims[d];
    copy.loop(y.dims[d], repeats ? 0 : from[static_cast<size_t>(s)], to[static_cast<size_t>(d)]);
  }
  return bind_copy(c, copy);
}

// ---- Tile: the whole of x, repeats[d] times along d ----

Status infer_tile(InferContext& c) {
  const Shape& x = c.shape(0);
  auto repeats = c.ints(1);
  if (!x.ranked() || !repeats) {
    c.set(0, c.dtype(0), x.ranked() ? fresh_shape(x.rank(), c) : Shape());
    return {};
  }
  if (static_cast<int>(repeats->size()) != x.rank()) {
    return invalid("repeats has " + std::to_string(repeats->size()) + " elements for " + x.text());
  }
  Shape y = x;
  for (int d = 0; d < x.rank(); ++d) {
    const Dim& r = (*repeats)[static_cast<size_t>(d)];
    if (r.known() && r.value() < 0) return invalid("a repeat is " + r.text());
    auto n = mul(x[d], r);
    if (!n && x[d].known() && r.known()) return invalid("the output has no representable size");
    y[d] = n ? *n : c.fresh();
  }
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

// In one go, each run of x as often as y has it; or, where runs are short, x once, and then for each axis, the last first, what is there already once more
// for every repeat: ever longer runs, of y itself. Those are in order, so that threads do not share them.
constexpr int64_t kShortRun = 256;  // bytes

Status bind_tile(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  if (y.count() == 0) return {};
  const auto from = dense_strides(x.dims), to = dense_strides(y.dims);
  const auto at = [](int d) { return static_cast<size_t>(d); };
  CopyRequest whole(c.input(0), c.output(0), x.dtype), once = whole;
  for (int d = 0; d < x.dims.rank; ++d) {
    whole.loop(y.dims[d] / x.dims[d], 0, x.dims[d] * to[at(d)]);
    whole.loop(x.dims[d], from[at(d)], to[at(d)]);
    once.loop(x.dims[d], from[at(d)], to[at(d)]);
  }
  const CopyRequest runs = collapse(whole);
  if (c.isa == Isa::cuda || runs.rank < 2 || runs.size >= kShortRun) return bind_copy(c, whole);
  CopyList copies(c, false);
  copies.add(once);
  for (int d = x.dims.rank - 1; d >= 0; --d) {
    const int64_t block = x.dims[d] * to[at(d)];  // elements
    CopyRequest more(c.output(0), c.output(0) + block * static_cast<int64_t>(size_of(x.dtype)), x.dtype);
    for (int e = 0; e < d; ++e) more.loop(x.dims[e], to[at(e)], to[at(e)]);
    more.loop(y.dims[d] / x.dims[d] - 1, 0, block);
    more.loop(block, 1, 1);
    copies.add(more);
  }
  return copies.bind();
}

}  // namespace

constinit const OpDef kExpand = {.name = "Expand",
                                 .inputs = {2, 2},
                                 .outputs = {1, 1},
                                 .infer = infer_expand,
                                 .bind = bind_expand,
                                 .kernels = rows_of<kCopyRows>,
                                 .value_inputs = {.ints = 2},
                                 .moves_data = true};
constinit const OpDef kTile = {.name = "Tile",
                               .inputs = {2, 2},
                               .outputs = {1, 1},
                               .infer = infer_tile,
                               .bind = bind_tile,
                               .kernels = rows_of<kCopyRows>,
                               .value_inputs = {.ints = 2},
                               .moves_data = true};

}  // namespace tern
