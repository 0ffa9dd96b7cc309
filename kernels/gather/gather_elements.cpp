// GatherElements and GatherND. See gather.h.
#include "kernels/gather/elements.h"
#include "kernels/gather/gather.h"
#include "kernels/gather/index.h"
#include "kernels/launch.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"

namespace tern {
namespace {

// ---- GatherElements ----

constexpr KernelRow kElementsRows[] = {
    // of a device; a CPU's are in elements.simd.cpp
    device_row<GatherElementsArgs, cuda::launch_gather_elements<false>>("gather_elements/i32/cuda", DType::i32),
    device_row<GatherElementsArgs, cuda::launch_gather_elements<true>>("gather_elements/i64/cuda", DType::i64),
};

Status infer_elements(InferContext& c) {
  if (Status s = check_index_dtype(c.dtype(1)); !s) return s;
  const Shape &x = c.shape(0), &k = c.shape(1);
  c.set(0, c.dtype(0), k);
  if (!x.ranked() || !k.ranked()) return {};
  auto axis = normalize_axis(c.attrs.i("axis"), x.rank());
  if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  if (Status s = check_elements_shapes(x, k, *axis); !s) return s;
  return check_indices(c.inputs[1].value, x[*axis], k);
}

Status bind_elements(BindContext& c) {
  const TensorView &x = c.in(0), &k = c.in(1);
  const int axis = *normalize_axis(c.attrs.i("axis"), x.dims.rank);
  const auto [begin, end] = c.range(k.count());
  if (begin == end) return {};
  if (x.dims[axis] == 0) return invalid("an axis of 0 has nothing to gather");
  const auto strides = dense_strides(x.dims);
  GatherElementsArgs& a = c.args(GatherElementsArgs{nullptr,
                                                    nullptr,
                                                    nullptr,
                                                    x.dims.rank,
                                                    {},
                                                    {},
                                                    x.dims[axis],
                                                    strides[static_cast<size_t>(axis)],
                                                    static_cast<int64_t>(size_of(x.dtype)),
                                                    begin,
                                                    end,
                                                    nullptr});
  c.set(a.x, c.input(0));
  c.set(a.indices, c.input(1));
  c.set(a.y, c.output(0));
  c.set(a.fault, c.fault(index_fault(x.dims[axis])));
  for (int d = 0; d < x.dims.rank; ++d) {
    a.n[d] = k.dims[d];
    a.stride[d] = d == axis ? 0 : strides[static_cast<size_t>(d)];
  }
  c.run(*c.pick(k.dtype));
  return {};
}

// ---- GatherND ----

// f(width) with the bytes of an element, or of a run, as a number that the compiler knows; 0 for others.
template <class F>
void with_width(int64_t bytes, F f) {
  switch (bytes) {
    case 1: return f(std::integral_constant<int, 1>());
    case 2: return f(std::integral_constant<int, 2>());
    case 4: return f(std::integral_constant<int, 4>());
    case 8: return f(std::integral_constant<int, 8>());
    case 16: return f(std::integral_constant<int, 16>());
    default: return f(std::integral_constant<int, 0>());
  }
}

template <class Index>
void gather_nd(const GatherNdArgs& a) {
  const Index* tuple = static_cast<const Index*>(a.indices) + a.begin * a.depth;
  int64_t in_batch = a.begin % a.per_batch, batch = a.begin / a.per_batch * a.batch_stride;
  uint32_t fault = 0;
  with_width(a.run, [&](auto width) {
    const int64_t run = width == 0 ? a.run : width;
    for (int64_t t = a.begin; t < a.end; ++t, tuple += a.depth) {
      int64_t offset = batch;
      for (int64_t d = 0; d < a.depth; ++d) offset += place_index(tuple[d], a.n[d], fault) * a.stride[d];
      std::memcpy(a.y + t * run, a.x + offset, static_cast<size_t>(run));
      if (++in_batch == a.per_batch) in_batch = 0, batch += a.batch_stride;
    }
  });
  *a.fault = fault;
}

constexpr KernelRow kNdRows[] = {
    row<GatherNdArgs, gather_nd<int32_t>>("gather_nd/i32/scalar", DType::i32, Isa::scalar),
    row<GatherNdArgs, gather_nd<int64_t>>("gather_nd/i64/scalar", DType::i64, Isa::scalar),
    device_row<GatherNdArgs, cuda::launch_gather_nd<false>>("gather_nd/i32/cuda", DType::i32),
    device_row<GatherNdArgs, cuda::launch_gather_nd<true>>("gather_nd/i64/cuda", DType::i64),
};

Status infer_nd(InferContext& c) {
  if (Status s = check_index_dtype(c.dtype(1)); !s) return s;
  const Shape &x = c.shape(0), &k = c.shape(1);
  if (!x.ranked() || !k.ranked() || k.rank() == 0 || !k[k.rank() - 1].known()) {
    c.set(0, c.dtype(0), Shape());
    return k.ranked() && k.rank() == 0 ? Status(invalid("the indices are a scalar")) : Status();
  }
  const int64_t batch = c.attrs.i("batch_dims"), depth = k[k.rank() - 1].value();
  if (batch < 0 || batch >= std::min(x.rank(), k.rank())) return invalid("batch_dims is " + std::to_string(batch));
  if (depth > x.rank() - batch) return invalid("index tuples of " + std::to_string(depth) + " for " + x.text());
  const int b = static_cast<int>(batch), r = static_cast<int>(depth);
  for (int d = 0; d < b; ++d) {
    if (x[d].known() && k[d].known() && !(x[d] == k[d])) return invalid("batch dimensions of " + x.text() + " and " + k.text() + " differ");
  }
  Shape y(std::vector<Dim>(k.dims().begin(), k.dims().end() - 1));
  for (int d = b + r; d < x.rank(); ++d) y.push_back(x[d]);
  if (Status s = check_tuples(c.inputs[1].value, x, b, r, y); !s) return s;
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

Status bind_nd(BindContext& c) {
  const TensorView &x = c.in(0), &k = c.in(1);
  const int b = static_cast<int>(c.attrs.i("batch_dims")), r = static_cast<int>(k.dims.back());
  const int64_t size = static_cast<int64_t>(size_of(x.dtype));
  const auto strides = dense_strides(x.dims);
  GatherNdArgs& a = c.args(GatherNdArgs{nullptr,
                                        nullptr,
                                        nullptr,
                                        r,
                                        {},
                                        {},
                                        x.dims.count(b + r, x.dims.rank) * size,
                                        std::max<int64_t>(1, k.dims.count(b, k.dims.rank - 1)),
                                        x.dims.count(b, x.dims.rank) * size,
                                        0,
                                        0,
                                        nullptr});
  c.set(a.x, c.input(0));
  c.set(a.indices, c.input(1));
  c.set(a.y, c.output(0));
  const auto [begin, end] = c.range(k.dims.count(0, k.dims.rank - 1));
  if (begin == end || a.run == 0) return {};
  for (int d = 0; d < r; ++d) {
    a.n[d] = x.dims[b + d];
    a.stride[d] = strides[static_cast<size_t>(b + d)] * size;
    if (a.n[d] == 0) return invalid("an axis of 0 has nothing to gather");
  }
  a.begin = begin;
  a.end = end;
  c.set(a.fault, c.fault(tuple_fault(x.dims.span().subspan(static_cast<size_t>(b), static_cast<size_t>(r)))));
  c.run(*c.pick(k.dtype));
  return {};
}

constexpr AttrSpec kElementsAttrs[] = {{"axis", AttrKind::i, 0}};
constexpr AttrSpec kNdAttrs[] = {{"batch_dims", AttrKind::i, 0}};

}  // namespace

Status check_elements_shapes(const Shape& x, const Shape& k, int axis) {
  if (x.rank() != k.rank()) return invalid("the input " + x.text() + " and the indices " + k.text() + " differ in rank");
  for (int d = 0; d < x.rank(); ++d) {
    if (d != axis && x[d].known() && k[d].known() && k[d].value() > x[d].value()) {
      return invalid("the indices " + k.text() + " reach beyond " + x.text());
    }
  }
  return {};
}

namespace {

bool is_empty(const Shape& y) {
  return std::any_of(y.dims().begin(), y.dims().end(), [](const Dim& d) { return d.is(0); });
}

// Whether one of the known indices, which belong to axes of n[0], n[1] ... in turn, is outside; an axis of INT64_MAX takes any.
bool outside(const Tensor& indices, std::span<const int64_t> n) {
  uint32_t fault = 0;
  auto scan = [&](const auto* data) {
    for (int64_t i = 0, count = indices.count(); i < count; ++i) {
      const int64_t extent = n[static_cast<size_t>(i) % n.size()];
      fault |= data[i] < -extent || data[i] >= extent;
    }
  };
  if (indices.dtype() == DType::i32) scan(indices.data<int32_t>());
  if (indices.dtype() == DType::i64) scan(indices.data<int64_t>());
  return fault != 0;
}

}  // namespace

Status check_indices(const Tensor* indices, const Dim& n, const Shape& y) {
  if (indices == nullptr || !n.known() || is_empty(y)) return {};
  const int64_t extent = n.value();
  return outside(*indices, {&extent, 1}) ? Status(invalid(index_fault(extent))) : Status();
}

Status check_tuples(const Tensor* indices, const Shape& x, int first, int depth, const Shape& y) {
  if (indices == nullptr || depth == 0 || is_empty(y)) return {};
  std::vector<int64_t> n;
  for (int d = first; d < first + depth; ++d) n.push_back(x[d].known() ? x[d].value() : INT64_MAX);
  return outside(*indices, n) ? Status(invalid(tuple_fault(n))) : Status();
}

std::string tuple_fault(std::span<const int64_t> n) {
  if (n.size() == 1) return index_fault(n[0]);
  std::string axes;
  for (int64_t extent : n) axes += (axes.empty() ? "" : ",") + (extent == INT64_MAX ? "?" : std::to_string(extent));
  return "an index was out of range of [" + axes + "]";
}

constinit const OpDef kGatherElements = {.name = "GatherElements",
                                         .inputs = {2, 2},
                                         .outputs = {1, 1},
                                         .attrs = kElementsAttrs,
                                         .infer = infer_elements,
                                         .bind = bind_elements,
                                         .kernels = rows_of<TERN_ON_EACH_ISA(gather_elements_any), kElementsRows>};
constinit const OpDef kGatherND = {
    .name = "GatherND", .inputs = {2, 2}, .outputs = {1, 1}, .attrs = kNdAttrs, .infer = infer_nd, .bind = bind_nd, .kernels = rows_of<kNdRows>};

}  // namespace tern
