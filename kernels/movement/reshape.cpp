// The views: Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout, and BitCast, whose elements are read otherwise. They stay where they are; when a
// plan cannot share the memory they are one memcpy. The interesting part is inference: which shape comes out. See movement.h.
#include "kernels/dtype_code.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

Status bind_view(BindContext& c) { return bind_flat_copy(c, *storage_bytes(c.out(0).dtype, c.out(0).dims)); }

// ---- Reshape ----

// The dimension that -1 stands for: (product of `in`) / (product of `rest`). Equal dimensions cancel first, so that symbols need not
// be multiplied: [batch,seq,768] to [batch,-1] is 768*seq.
Result<Dim> missing_dim(std::vector<Dim> in, const std::vector<Dim>& rest, InferContext& c) {
  std::vector<Dim> below;
  for (const Dim& d : rest) {
    auto same = std::find(in.begin(), in.end(), d);
    if (same != in.end()) in.erase(same);
    else below.push_back(d);
  }
  Dim up(1), down(1);
  for (const Dim& d : in) {
    auto p = mul(up, d);
    if (!p) return c.fresh();
    up = *p;
  }
  for (const Dim& d : below) {
    auto p = mul(down, d);
    if (!p) return c.fresh();
    down = *p;
  }
  if (up.known() && down.known()) {
    if (down.value() == 0) return invalid("-1 cannot be told beside a dimension of 0");
    if (up.value() % down.value() != 0) return invalid("the elements do not divide evenly for -1");
    return Dim(up.value() / down.value());
  }
  auto q = div(up, down);
  return q ? *q : c.fresh();
}

Status infer_reshape(InferContext& c) {
  const Shape& x = c.shape(0);
  auto target = c.ints(1);
  if (!target) {
    auto rank = length_of(c, 1);
    c.set(0, c.dtype(0), rank && *rank <= kMaxRank ? fresh_shape(static_cast<int>(*rank), c) : Shape());
    return {};
  }
  const bool allow_zero = c.attrs.i("allowzero") != 0;
  Shape y(std::vector<Dim>{});
  int missing = -1;
  bool zero = false;
  for (size_t i = 0; i < target->size(); ++i) {
    const Dim& d = (*target)[i];
    if (d.is(-1)) {
      if (missing >= 0) return invalid("the shape has more than one -1");
      missing = static_cast<int>(i);
    } else if (d.known() && d.value() < 0) {
      return invalid("the shape has a dimension of " + d.text());
    }
    if (d.is(0) && !allow_zero) {
      if (x.ranked() && static_cast<int>(i) >= x.rank())
        return invalid("0 copies dimension " + std::to_string(i) + ", which " + x.text() + " has not");
      y.push_back(x.ranked() ? x[static_cast<int>(i)] : c.fresh());
      continue;
    }
    zero = zero || d.is(0);
    y.push_back(d);
  }
  if (missing >= 0) {
    if (zero) return invalid("with allowzero the shape may not have both 0 and -1");
    std::vector<Dim> rest;
    for (int i = 0; i < y.rank(); ++i) {
      if (i != missing) rest.push_back(y[i]);
    }
    if (!x.ranked()) {
      y[missing] = c.fresh();
    } else {
      auto d = missing_dim(x.dims(), rest, c);
      if (!d) return invalid("cannot reshape " + x.text() + " to " + y.text() + ": " + d.error().message());
      y[missing] = *d;
    }
  }
  if (x.known() && y.known()) {
    std::vector<int64_t> a, b;
    for (const Dim& d : x.dims()) a.push_back(d.value());
    for (const Dim& d : y.dims()) b.push_back(d.value());
    auto n = checked_count(a), m = checked_count(b);
    if (!n || !m || *n != *m) return invalid("cannot reshape " + x.text() + " to " + y.text() + ": the element counts differ");
  }
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

// ---- Flatten ----

Dim product(const Shape& s, int begin, int end, InferContext& c) {
  Dim p(1);
  bool zero = false;
  for (int i = begin; i < end; ++i) zero = zero || s[i].is(0);
  if (zero) return Dim(0);
  for (int i = begin; i < end; ++i) {
    auto next = mul(p, s[i]);
    if (!next) return c.fresh();
    p = *next;
  }
  return p;
}

Status infer_flatten(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!x.ranked()) {
    c.set(0, c.dtype(0), fresh_shape(2, c));
    return {};
  }
  int64_t axis = c.attrs.i("axis");
  if (axis < -x.rank() || axis > x.rank()) return invalid("axis " + std::to_string(axis) + " is outside of " + x.text());
  if (axis < 0) axis += x.rank();
  const int a = static_cast<int>(axis);
  c.set(0, c.dtype(0), Shape{product(x, 0, a, c), product(x, a, x.rank(), c)});
  return {};
}

// ---- Squeeze, Unsqueeze ----

Status infer_squeeze(InferContext& c) {
  const Shape& x = c.shape(0);
  auto axes = c.known_ints(1);
  // Without axes every 1 goes; a symbol may turn out to be 1, so that even the rank is not known.
  const bool unclear = c.has(1) ? !axes : std::any_of(x.dims().begin(), x.dims().end(), [](const Dim& d) { return !d.known(); });
  if (!x.ranked() || unclear) {
    auto count = length_of(c, 1);
    c.set(0, c.dtype(0), x.ranked() && count && *count <= x.rank() ? fresh_shape(x.rank() - static_cast<int>(*count), c) : Shape());
    return {};
  }
  std::vector<bool> drop(static_cast<size_t>(x.rank()));
  if (c.has(1)) {
    auto list = normalize_axes(*axes, x.rank());
    if (!list) return list.error();
    for (int a : *list) {
      if (x[a].known() && !x[a].is(1)) return invalid("axis " + std::to_string(a) + " of " + x.text() + " is not 1");
      drop[static_cast<size_t>(a)] = true;
    }
  } else {
    for (int a = 0; a < x.rank(); ++a) drop[static_cast<size_t>(a)] = x[a].is(1);
  }
  Shape y(std::vector<Dim>{});
  for (int a = 0; a < x.rank(); ++a) {
    if (!drop[static_cast<size_t>(a)]) y.push_back(x[a]);
  }
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

Status infer_unsqueeze(InferContext& c) {
  const Shape& x = c.shape(0);
  auto axes = c.known_ints(1);
  if (!x.ranked() || !axes) {
    auto count = length_of(c, 1);
    c.set(0, c.dtype(0), x.ranked() && count && *count <= kMaxRank ? fresh_shape(x.rank() + static_cast<int>(*count), c) : Shape());
    return {};
  }
  if (axes->size() > kMaxRank) return unsupported("more than 8 axes");
  const int rank = x.rank() + static_cast<int>(axes->size());
  auto list = normalize_axes(*axes, rank);
  if (!list) return list.error();
  Shape y(std::vector<Dim>{});
  for (int i = 0, next = 0; i < rank; ++i) {
    const bool added = std::find(list->begin(), list->end(), i) != list->end();
    y.push_back(added ? Dim(1) : x[next++]);
  }
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

// ---- Dropout ----

Status infer_dropout(InferContext& c) {
  if (c.has(2)) {
    const Tensor* mode = c.inputs[2].value;
    if (mode == nullptr) return unsupported("training_mode must be a constant");
    if (is_true(*mode)) return unsupported("training mode: only inference is supported");
  }
  c.set(0, c.dtype(0), c.shape(0));
  c.set(1, DType::boolean, c.shape(0));
  return {};
}

Status bind_dropout(BindContext& c) {
  if (!c.has_out(1)) return bind_view(c);
  const auto yes = c.table<std::byte>(1, [](std::byte* to) { *to = std::byte{1}; });
  CopyRequest data(c.input(0), c.output(0), c.in(0).dtype), mask(yes, c.output(1), DType::boolean);
  data.loop(c.in(0).count(), 1, 1);
  mask.loop(c.out(1).count(), 0, 1);
  CopyList copies(c);
  copies.add(data);
  copies.add(mask);
  return copies.bind();
}

// ---- BitCast ----

// Bools stand for less than their bits.
Status infer_bit_cast(InferContext& c) {
  const DType from = c.dtype(0), to = dtype_from_code(c.attrs.i("to"));
  for (DType t : {from, to}) {
    if (t == DType::none || t == DType::string || t == DType::boolean) return bad_dtype(t);
  }
  if (size_of(from) != size_of(to)) return invalid(std::string(name(from)) + " and " + name(to) + " have different widths");
  c.set(0, to, c.shape(0));
  return {};
}

constexpr AttrSpec kBitCastAttrs[] = {{"to", AttrKind::i, kRequired}};
constexpr AttrSpec kReshapeAttrs[] = {{"allowzero", AttrKind::i, 0}};
constexpr AttrSpec kFlattenAttrs[] = {{"axis", AttrKind::i, 1}};
constexpr AttrSpec kDropoutAttrs[] = {{"seed", AttrKind::i}};

}  // namespace

constinit const OpDef kBitCast = {.name = "BitCast",
                                  .inputs = {1, 1},
                                  .outputs = {1, 1},
                                  .attrs = kBitCastAttrs,
                                  .infer = infer_bit_cast,
                                  .bind = bind_view,
                                  .kernels = rows_of<kCopyRows>};
constinit const OpDef kReshape = {.name = "Reshape",
                                  .inputs = {2, 2},
                                  .outputs = {1, 1},
                                  .attrs = kReshapeAttrs,
                                  .infer = infer_reshape,
                                  .bind = bind_view,
                                  .kernels = rows_of<kCopyRows>,
                                  .value_inputs = {.ints = 2},
                                  .view = true,
                                  .moves_data = true};
constinit const OpDef kFlatten = {.name = "Flatten",
                                  .inputs = {1, 1},
                                  .outputs = {1, 1},
                                  .attrs = kFlattenAttrs,
                                  .infer = infer_flatten,
                                  .bind = bind_view,
                                  .kernels = rows_of<kCopyRows>,
                                  .view = true,
                                  .moves_data = true};
constinit const OpDef kSqueeze = {.name = "Squeeze",
                                  .inputs = {1, 2},
                                  .outputs = {1, 1},
                                  .infer = infer_squeeze,
                                  .bind = bind_view,
                                  .kernels = rows_of<kCopyRows>,
                                  .value_inputs = {.ints = 2},
                                  .view = true,
                                  .moves_data = true};
constinit const OpDef kUnsqueeze = {.name = "Unsqueeze",
                                    .inputs = {2, 2},
                                    .outputs = {1, 1},
                                    .infer = infer_unsqueeze,
                                    .bind = bind_view,
                                    .kernels = rows_of<kCopyRows>,
                                    .value_inputs = {.ints = 2},
                                    .view = true,
                                    .moves_data = true};
constinit const OpDef kIdentity = {.name = "Identity",
                                   .inputs = {1, 1},
                                   .outputs = {1, 1},
                                   .infer = infer_same,
                                   .bind = bind_view,
                                   .kernels = rows_of<kCopyRows>,
                                   .view = true,
                                   .moves_data = true,
                                   .any_kind = true};
constinit const OpDef kDropout = {.name = "Dropout",
                                  .inputs = {1, 3},
                                  .outputs = {1, 2},
                                  .attrs = kDropoutAttrs,
                                  .infer = infer_dropout,
                                  .bind = bind_dropout,
                                  .kernels = rows_of<kCopyRows>,
                                  .value_inputs = {.number = 2, .boolean = 4},
                                  .view = true};

}  // namespace tern
