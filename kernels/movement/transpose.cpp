// Transpose: a strided copy whose loops are those of y. See movement.h and copy.h, which collapses the axes that stay together.
// Of a large weight it is done where that lies (in_place.h).
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"

namespace tern {

Result<std::vector<int>> transposed_axes(const AttrReader& attrs, int rank) {
  std::vector<int> perm;
  if (!attrs.has("perm")) {
    for (int i = rank - 1; i >= 0; --i) perm.push_back(i);
    return perm;
  }
  const std::vector<int64_t> given = attrs.ints("perm");
  if (static_cast<int>(given.size()) != rank) {
    return invalid("perm has " + std::to_string(given.size()) + " axes, the input " + std::to_string(rank));
  }
  return normalize_axes(given, rank);
}

namespace {

Status infer_transpose(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!x.ranked()) {
    c.set(0, c.dtype(0), c.attrs.has("perm") ? fresh_shape(static_cast<int>(c.attrs.ints("perm").size()), c) : Shape());
    return {};
  }
  auto perm = transposed_axes(c.attrs, x.rank());
  if (!perm) return perm.error();
  Shape y(std::vector<Dim>{});
  for (int axis : *perm) y.push_back(x[axis]);
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

Status bind_transpose(BindContext& c) {
  const TensorView& x = c.in(0);
  auto perm = transposed_axes(c.attrs, x.dims.rank);
  if (!perm) return perm.error();
  const auto from = dense_strides(x.dims), to = dense_strides(c.out(0).dims);
  CopyRequest copy(c.input(0), c.output(0), x.dtype);
  for (int i = 0; i < x.dims.rank; ++i) {
    const int axis = (*perm)[static_cast<size_t>(i)];
    copy.loop(x.dims[axis], from[static_cast<size_t>(axis)], to[static_cast<size_t>(i)]);
  }
  return bind_copy(c, copy);
}

constexpr AttrSpec kTransposeAttrs[] = {{"perm", AttrKind::ints}};

}  // namespace

constinit const OpDef kTranspose = {.name = "Transpose",
                                    .inputs = {1, 1},
                                    .outputs = {1, 1},
                                    .attrs = kTransposeAttrs,
                                    .infer = infer_transpose,
                                    .bind = bind_transpose,
                                    .kernels = rows_of<kCopyRows>,
                                    .moves_data = true};

}  // namespace tern
