// Shape and Size: known when a session is bound, so that a plan only copies a number or two. See shape.h.
#include "kernels/shape/shape.h"

#include "kernels/movement/copy.h"

namespace tern {
namespace {

struct Window {
  int begin, end;
};
Window window(const AttrReader& attrs, int rank) {
  auto clamp = [&](int64_t i) { return static_cast<int>(std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank)); };
  const int begin = clamp(attrs.i("start")), end = attrs.has("end") ? clamp(attrs.i("end")) : rank;
  return {begin, std::max(begin, end)};
}

Status infer_shape(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!x.ranked()) {
    c.set(0, DType::i64, Shape{c.fresh()});
    return {};
  }
  const Window w = window(c.attrs, x.rank());
  c.set(0, DType::i64, Shape{Dim(w.end - w.begin)});
  c.output_ints[0] = SymbolicInts(x.dims().begin() + w.begin, x.dims().begin() + w.end);
  return {};
}

// Output 0 is `count` numbers that are known now.
template <class Fill>
Status bind_numbers(BindContext& c, int64_t count, Fill fill) {
  CopyRequest copy(bytes_of(c.table<int64_t>(count, fill)), c.output(0), DType::i64);
  copy.loop(count, 1, 1);
  return bind_copy(c, copy);
}

Status bind_shape(BindContext& c) {
  const Dims& x = c.in(0).dims;
  const Window w = window(c.attrs, x.rank);
  return bind_numbers(c, w.end - w.begin, [&](int64_t* to) {
    for (int d = w.begin; d < w.end; ++d) to[d - w.begin] = x[d];
  });
}

Status infer_size(InferContext& c) {
  const Shape& x = c.shape(0);
  c.set(0, DType::i64, Shape(std::vector<Dim>{}));
  if (!x.ranked()) return {};
  std::optional<Dim> n = Dim(1);
  for (const Dim& d : x.dims()) n = n ? mul(*n, d) : n;
  if (n) c.output_ints[0] = SymbolicInts{*n};
  return {};
}

Status bind_size(BindContext& c) {
  return bind_numbers(c, 1, [&](int64_t* to) { *to = c.in(0).count(); });
}

constexpr AttrSpec kShapeAttrs[] = {{"start", AttrKind::i, 0}, {"end", AttrKind::i}};

}  // namespace

constinit const OpDef kShape = {.name = "Shape",
                                .inputs = {1, 1},
                                .outputs = {1, 1},
                                .attrs = kShapeAttrs,
                                .infer = infer_shape,
                                .bind = bind_shape,
                                .kernels = rows_of<kCopyRows>};
constinit const OpDef kSize = {
    .name = "Size", .inputs = {1, 1}, .outputs = {1, 1}, .infer = infer_size, .bind = bind_size, .kernels = rows_of<kCopyRows>};

}  // namespace tern
