// ScatterElements and ScatterND: y = x, then updates one after another. See gather.h.
#include <algorithm>

#include "kernels/gather/combine.h"
#include "kernels/gather/gather.h"
#include "kernels/gather/gather_device.h"
#include "kernels/gather/index.h"
#include "kernels/launch.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

std::optional<Reduction> reduction_of(const AttrReader& attrs) {
  const std::string s = attrs.s("reduction");
  constexpr const char* kNames[] = {"none", "add", "mul", "min", "max"};
  for (int i = 0; i < 5; ++i) {
    if (s == kNames[i]) return static_cast<Reduction>(i);
  }
  return std::nullopt;
}

template <class T>
T combined(Reduction reduction, T a, T b) {
  if constexpr (std::is_same_v<T, f16>) return to_f16(combine(reduction, to_f32(a), to_f32(b)));
  else if constexpr (std::is_same_v<T, bf16>) return to_bf16(combine(reduction, to_f32(a), to_f32(b)));
  else return combine(reduction, a, b);
}

// Where 256 updates go at a time: where each stands of itself, and what its indices say; then they go there, one after another.
constexpr int64_t kTogether = 256;
struct Standing {
  int64_t at[kMaxRank] = {}, position = 0;  // of the next update, where updates have places of their own, and what that means in y
};
void list_positions(const ScatterArgs& a, Standing& s, int64_t count, int64_t* offsets) {
  if (a.rank == 0) return std::fill_n(offsets, count, 0), void();
  const int last = a.rank - 1;
  for (int64_t u = 0; u < count;) {
    const int64_t run = std::min(a.at_n[last] - s.at[last], count - u), stride = a.at_stride[last];
    for (int64_t i = 0; i < run; ++i) offsets[u + i] = s.position + i * stride;
    u += run;
    s.position += run * stride;
    s.at[last] += run;
    for (int d = last; d >= 0 && s.at[d] == a.at_n[d]; --d) {
      s.position -= a.at_n[d] * a.at_stride[d];
      s.at[d] = 0;
      if (d == 0) break;
      s.position += a.at_stride[d - 1];
      ++s.at[d - 1];
    }
  }
}
template <class Index>
void add_places(const ScatterArgs& a, int64_t first, int64_t count, int64_t* offsets, uint32_t& fault) {
  const Index* indices = static_cast<const Index*>(a.indices) + first * a.depth;  // [count, depth]
  for (int64_t d = 0; d < a.depth; ++d) {
    const int64_t n = a.n[d], stride = a.stride[d];
    for (int64_t u = 0; u < count; ++u) offsets[u] += place_index(indices[u * a.depth + d], n, fault) * stride;
  }
}

template <Reduction kReduction, class T>
void combine_all(T* y, const T* from, const int64_t* offsets, int64_t count, int64_t run) {
  for (int64_t u = 0; u < count; ++u, from += run) {
    T* to = y + offsets[u];  // [run]
    for (int64_t i = 0; i < run; ++i) to[i] = combined(kReduction, to[i], from[i]);
  }
}
template <class T>
void put_all(T* y, const T* from, const int64_t* offsets, int64_t count, int64_t run) {
  if (run == 1) {
    for (int64_t u = 0; u < count; ++u) y[offsets[u]] = from[u];
  } else {
    for (int64_t u = 0; u < count; ++u) std::memcpy(y + offsets[u], from + u * run, static_cast<size_t>(run) * sizeof(T));
  }
}
template <class T>
void scatter(const ScatterArgs& a) {
  if (a.x != a.y) std::memcpy(a.y, a.x, static_cast<size_t>(a.bytes));
  T* y = reinterpret_cast<T*>(a.y);
  Standing standing;
  int64_t offsets[kTogether];
  uint32_t fault = 0;
  for (int64_t u = 0; u < a.count; u += kTogether) {
    const int64_t count = std::min(a.count - u, kTogether);
    const T* from = reinterpret_cast<const T*>(a.updates) + u * a.run;
    list_positions(a, standing, count, offsets);
    if (a.wide_indices) add_places<int64_t>(a, u, count, offsets, fault);
    else add_places<int32_t>(a, u, count, offsets, fault);
    if constexpr (std::is_same_v<T, StringRef>) {
      put_all(y, from, offsets, count, a.run);
    } else {
      switch (a.reduction) {
        case Reduction::none: put_all(y, from, offsets, count, a.run); break;
        case Reduction::add: combine_all<Reduction::add>(y, from, offsets, count, a.run); break;
        case Reduction::mul: combine_all<Reduction::mul>(y, from, offsets, count, a.run); break;
        case Reduction::min: combine_all<Reduction::min>(y, from, offsets, count, a.run); break;
        case Reduction::max: combine_all<Reduction::max>(y, from, offsets, count, a.run); break;
      }
    }
  }
  *a.fault = fault;
}

constexpr KernelRow kScatterRows[] = {
    row<ScatterArgs, scatter<float>>("scatter/f32/scalar", DType::f32, Isa::scalar),
    row<ScatterArgs, scatter<double>>("scatter/f64/scalar", DType::f64, Isa::scalar),
    row<ScatterArgs, scatter<f16>>("scatter/f16/scalar", DType::f16, Isa::scalar),
    row<ScatterArgs, scatter<bf16>>("scatter/bf16/scalar", DType::bf16, Isa::scalar),
    row<ScatterArgs, scatter<int8_t>>("scatter/i8/scalar", DType::i8, Isa::scalar),
    row<ScatterArgs, scatter<int16_t>>("scatter/i16/scalar", DType::i16, Isa::scalar),
    row<ScatterArgs, scatter<int32_t>>("scatter/i32/scalar", DType::i32, Isa::scalar),
    row<ScatterArgs, scatter<int64_t>>("scatter/i64/scalar", DType::i64, Isa::scalar),
    row<ScatterArgs, scatter<uint8_t>>("scatter/u8/scalar", DType::u8, Isa::scalar),
    row<ScatterArgs, scatter<uint16_t>>("scatter/u16/scalar", DType::u16, Isa::scalar),
    row<ScatterArgs, scatter<uint32_t>>("scatter/u32/scalar", DType::u32, Isa::scalar),
    row<ScatterArgs, scatter<uint64_t>>("scatter/u64/scalar", DType::u64, Isa::scalar),
    row<ScatterArgs, scatter<bool>>("scatter/bool/scalar", DType::boolean, Isa::scalar),
    row<ScatterArgs, scatter<StringRef>>("scatter/string/scalar", DType::string, Isa::scalar),
    device_row<ScatterArgs, cuda::launch_scatter<DType::f32>>("scatter/f32/cuda", DType::f32),
    device_row<ScatterArgs, cuda::launch_scatter<DType::f64>>("scatter/f64/cuda", DType::f64),
    device_row<ScatterArgs, cuda::launch_scatter<DType::f16>>("scatter/f16/cuda", DType::f16),
    device_row<ScatterArgs, cuda::launch_scatter<DType::bf16>>("scatter/bf16/cuda", DType::bf16),
    device_row<ScatterArgs, cuda::launch_scatter<DType::i8>>("scatter/i8/cuda", DType::i8),
    device_row<ScatterArgs, cuda::launch_scatter<DType::i16>>("scatter/i16/cuda", DType::i16),
    device_row<ScatterArgs, cuda::launch_scatter<DType::i32>>("scatter/i32/cuda", DType::i32),
    device_row<ScatterArgs, cuda::launch_scatter<DType::i64>>("scatter/i64/cuda", DType::i64),
    device_row<ScatterArgs, cuda::launch_scatter<DType::u8>>("scatter/u8/cuda", DType::u8),
    device_row<ScatterArgs, cuda::launch_scatter<DType::u16>>("scatter/u16/cuda", DType::u16),
    device_row<ScatterArgs, cuda::launch_scatter<DType::u32>>("scatter/u32/cuda", DType::u32),
    device_row<ScatterArgs, cuda::launch_scatter<DType::u64>>("scatter/u64/cuda", DType::u64),
    device_row<ScatterArgs, cuda::launch_scatter<DType::boolean>>("scatter/bool/cuda", DType::boolean),
};

Status infer_common(InferContext& c) {
  if (Status s = check_index_dtype(c.dtype(1)); !s) return s;
  if (c.dtype(2) != c.dtype(0)) return invalid(std::string("updates are ") + name(c.dtype(2)) + ", the input is " + name(c.dtype(0)));
  auto reduction = reduction_of(c.attrs);
  if (!reduction) return invalid("reduction is \"" + c.attrs.s("reduction") + "\"");
  if (*reduction != Reduction::none && !is_number(c.dtype(0)) && c.dtype(0) != DType::boolean) return bad_dtype(c.dtype(0));
  return infer_same(c);
}

Status infer_scatter_elements(InferContext& c) {
  if (Status s = infer_common(c); !s) return s;
  const Shape &x = c.shape(0), &k = c.shape(1), &u = c.shape(2);
  if (!x.ranked() || !k.ranked()) return {};
  auto axis = normalize_axis(c.attrs.i("axis"), x.rank());
  if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  if (Status s = check_elements_shapes(x, k, *axis); !s) return s;
  if (k.known() && u.known() && !(k == u)) return invalid("indices are " + k.text() + ", updates " + u.text());
  return check_indices(c.inputs[1].value, x[*axis], x);
}

ScatterArgs& common(BindContext& c) {
  const TensorView& x = c.in(0);
  ScatterArgs& a = c.args<ScatterArgs>();
  c.set(a.x, c.input(0));
  c.set(a.indices, c.input(1));
  c.set(a.updates, c.input(2));
  c.set(a.y, c.output(0));
  a.size = static_cast<int64_t>(size_of(x.dtype));
  a.bytes = x.count() * a.size;
  a.reduction = *reduction_of(c.attrs);
  a.wide_indices = c.in(1).dtype == DType::i64;
  return a;
}

Status finish(BindContext& c, ScatterArgs& a) {
  for (int64_t d = 0; d < a.depth; ++d) {
    if (a.n[d] == 0 && a.count > 0) return invalid("an axis of 0 has no place for updates");
  }
  c.set(a.fault, c.fault(tuple_fault({a.n, static_cast<size_t>(a.depth)})));
  if (a.bytes == 0) return {};
  if (c.isa == Isa::cuda) {
    if (a.reduction == Reduction::none) c.set(a.last, c.workspace<uint64_t>(a.bytes / a.size / std::max<int64_t>(a.run, 1)));
    else if (c.in(0).dtype == DType::f16 || c.in(0).dtype == DType::bf16) return unsupported("reductions of 16-bit floats");
  }
  c.run(*c.pick(c.in(0).dtype));
  return {};
}

Status bind_scatter_elements(BindContext& c) {
  const TensorView &x = c.in(0), &k = c.in(1);
  const int axis = *normalize_axis(c.attrs.i("axis"), x.dims.rank);
  const auto strides = dense_strides(x.dims);
  ScatterArgs& a = common(c);
  if (!(k.dims == c.in(2).dims)) return invalid("indices and updates have different shapes");
  a.count = k.count();
  a.run = 1;
  a.depth = 1;
  a.n[0] = x.dims[axis];
  a.stride[0] = strides[static_cast<size_t>(axis)];
  a.rank = x.dims.rank;
  a.axis = axis;
  for (int d = 0; d < a.rank; ++d) {
    a.at_n[d] = k.dims[d];
    a.at_stride[d] = d == axis ? 0 : strides[static_cast<size_t>(d)];
  }
  return finish(c, a);
}

Status infer_scatter_nd(InferContext& c) {
  if (Status s = infer_common(c); !s) return s;
  const Shape &x = c.shape(0), &k = c.shape(1), &u = c.shape(2);
  if (!x.ranked() || !k.ranked()) return {};
  if (k.rank() == 0) return invalid("the indices are a scalar");
  if (!k[k.rank() - 1].known()) return {};
  const int64_t depth = k[k.rank() - 1].value();
  if (depth > x.rank()) return invalid("index tuples of " + std::to_string(depth) + " for " + x.text());
  Shape expected(std::vector<Dim>(k.dims().begin(), k.dims().end() - 1));
  for (int d = static_cast<int>(depth); d < x.rank(); ++d) expected.push_back(x[d]);
  if (expected.known() && u.known() && !(expected == u)) return invalid("updates are " + u.text() + ", expected " + expected.text());
  return check_tuples(c.inputs[1].value, x, 0, static_cast<int>(depth), x);
}

Status bind_scatter_nd(BindContext& c) {
  const TensorView &x = c.in(0), &k = c.in(1);
  const int r = static_cast<int>(k.dims.back());
  const auto strides = dense_strides(x.dims);
  ScatterArgs& a = common(c);
  a.count = k.dims.count(0, k.dims.rank - 1);
  a.run = x.dims.count(r, x.dims.rank);
  a.depth = r;
  if (c.in(2).count() != a.count * a.run) return invalid("the updates " + to_string(c.in(2).dims) + " do not fit the indices " + to_string(k.dims));
  for (int d = 0; d < r; ++d) {
    a.n[d] = x.dims[d];
    a.stride[d] = strides[static_cast<size_t>(d)];
  }
  return finish(c, a);
}

constexpr AttrSpec kScatterElementsAttrs[] = {{"axis", AttrKind::i, 0}, {"reduction", AttrKind::s, "none"}};
constexpr AttrSpec kScatterNdAttrs[] = {{"reduction", AttrKind::s, "none"}};

}  // namespace

constinit const OpDef kScatterElements = {.name = "ScatterElements",
                                          .inputs = {3, 3},
                                          .outputs = {1, 1},
                                          .attrs = kScatterElementsAttrs,
                                          .infer = infer_scatter_elements,
                                          .bind = bind_scatter_elements,
                                          .kernels = rows_of<kScatterRows>,
                                          .inplace_inputs = 1};
constinit const OpDef kScatterND = {.name = "ScatterND",
                                    .inputs = {3, 3},
                                    .outputs = {1, 1},
                                    .attrs = kScatterNdAttrs,
                                    .infer = infer_scatter_nd,
                                    .bind = bind_scatter_nd,
                                    .kernels = rows_of<kScatterRows>,
                                    .inplace_inputs = 1};

}  // namespace tern
