// RotaryEmbedding: schema, inference, binding and the kernel, plain C++. See rotary.h.
#include "kernels/rotary/rotary.h"

#include "kernels/apart.h"
#include "kernels/gather/index.h"
#include "kernels/launch.h"
#include "kernels/rotary/rotary_device.h"

namespace tern {
namespace {

// y may be x: a pair is read before it is written (-O3, CMakeLists.txt).
template <bool kInterleaved, class T>
void turn_all(const T* x, T* y, const T* cos, const T* sin, int64_t half) {
  TERN_APART
  for (int64_t i = 0; i < half; ++i) turn(kInterleaved, half, x, y, cos, sin, i);
}
template <class T>
void rotary(const RotaryArgs& a) {
  const T *cos_cache = static_cast<const T*>(a.cos), *sin_cache = static_cast<const T*>(a.sin);
  uint32_t fault = 0;
  for (int64_t bs = a.begin; bs < a.end; ++bs) {
    const int64_t at = (a.positions == nullptr ? bs : place_index(a.positions[bs], a.cached, fault)) * a.half;
    for (int64_t h = 0; h < a.heads; ++h) {
      const int64_t offset = bs / a.S * a.batch + h * a.head + bs % a.S * a.place;
      const T* x = static_cast<const T*>(a.x) + offset;  // [D]
      T* y = static_cast<T*>(a.y) + offset;              // [D]
      if (a.interleaved) turn_all<true>(x, y, cos_cache + at, sin_cache + at, a.half);
      else turn_all<false>(x, y, cos_cache + at, sin_cache + at, a.half);
      for (int64_t i = 2 * a.half; i < a.D; ++i) y[i] = x[i];
    }
  }
  if (a.fault != nullptr) *a.fault = fault;
}

constexpr KernelRow kRows[] = {
    row<RotaryArgs, rotary<float>>("rotary_embedding/f32/scalar", DType::f32, Isa::scalar),
    row<RotaryArgs, rotary<double>>("rotary_embedding/f64/scalar", DType::f64, Isa::scalar),
    row<RotaryArgs, rotary<f16>>("rotary_embedding/f16/scalar", DType::f16, Isa::scalar),
    row<RotaryArgs, rotary<bf16>>("rotary_embedding/bf16/scalar", DType::bf16, Isa::scalar),
    device_row<RotaryArgs, cuda::launch_rotary<DType::f32>>("rotary_embedding/f32/cuda", DType::f32),
    device_row<RotaryArgs, cuda::launch_rotary<DType::f64>>("rotary_embedding/f64/cuda", DType::f64),
    device_row<RotaryArgs, cuda::launch_rotary<DType::f16>>("rotary_embedding/f16/cuda", DType::f16),
    device_row<RotaryArgs, cuda::launch_rotary<DType::bf16>>("rotary_embedding/bf16/cuda", DType::bf16),
};

constexpr AttrSpec kAttrs[] = {{"interleaved", AttrKind::i, 0}, {"num_heads", AttrKind::i}, {"rotary_embedding_dim", AttrKind::i, 0}};

Status infer(InferContext& c) {
  if (pick(rows_of<kRows>, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
  const Shape &x = c.shape(0), &cache = c.shape(1);
  for (size_t i : {1, 2}) {
    if (c.dtype(i) != c.dtype(0))
      return invalid(std::string("input 0 is ") + name(c.dtype(0)) + " and input " + std::to_string(i) + " is " + name(c.dtype(i)));
  }
  if (x.ranked() && x.rank() != 3 && x.rank() != 4) return invalid("the input is " + x.text() + ", it must have 3 or 4 dimensions");
  if (x.ranked() && x.rank() == 3 && c.attrs.i("num_heads") < 1) return invalid("an input of 3 dimensions needs num_heads");
  if (cache.ranked() && cache.rank() != (c.has(3) ? 2 : 3)) {
    return invalid("cos_cache is " + cache.text() + ", it must have " + (c.has(3) ? "2 dimensions with" : "3 dimensions without") + " position_ids");
  }
  if (c.has(3)) {
    if (Status s = check_index_dtype(c.dtype(3)); !s) return s;
    if (c.dtype(3) != DType::i64) return unsupported("position_ids of i32 are not supported");
    if (cache.ranked()) {
      if (Status s = check_indices(c.inputs[3].value, cache[0], x); !s) return s;
    }
  }
  return infer_same(c);
}

Status bind(BindContext& c) {
  const TensorView &x = c.in(0), &cos = c.in(1), &sin = c.in(2);
  const KernelRow* kernel = c.pick(x.dtype);
  if (kernel == nullptr) return bad_dtype(x.dtype);
  const bool flat = x.dims.rank == 3, by_position = c.has(3);
  if (!flat && x.dims.rank != 4) return invalid("the input must have 3 or 4 dimensions");
  RotaryArgs& a = c.args<RotaryArgs>();
  a.heads = flat ? c.attrs.i("num_heads") : x.dims[1];
  a.S = x.dims[flat ? 1 : 2];
  if (flat && (a.heads < 1 || x.dims[2] % a.heads != 0))
    return invalid("num_heads " + std::to_string(a.heads) + " does not divide the hidden size " + std::to_string(x.dims[2]));
  a.D = flat ? x.dims[2] / a.heads : x.dims[3];
  const int64_t given = c.attrs.i("rotary_embedding_dim"), R = given == 0 ? a.D : given;
  if (R < 0 || R > a.D || R % 2 != 0)
    return invalid("rotary_embedding_dim " + std::to_string(R) + " is not even, or larger than the head of " + std::to_string(a.D));
  a.half = R / 2;
  const int64_t B = x.dims[0];
  a.cached = by_position && cos.dims.rank == 2 ? cos.dims[0] : 0;
  const Dims caches = by_position ? Dims{a.cached, a.half} : Dims{B, a.S, a.half};
  if (!(cos.dims == caches) || !(sin.dims == caches))
    return invalid("the caches are " + to_string(cos.dims) + " and " + to_string(sin.dims) + ", expected " + to_string(caches));
  if (by_position && !(c.in(3).dims == Dims{B, a.S}))
    return invalid("position_ids are " + to_string(c.in(3).dims) + ", expected " + to_string(Dims{B, a.S}));
  if (x.count() == 0) return {};
  if (by_position && a.cached == 0) return invalid("the caches hold no position");
  c.set(a.x, c.input(0));
  c.set(a.cos, c.input(1));
  c.set(a.sin, c.input(2));
  c.set(a.y, c.output(0));
  c.set(a.positions, c.input<const int64_t>(3));
  a.interleaved = c.attrs.i("interleaved") != 0;
  a.batch = a.heads * a.S * a.D;
  a.head = flat ? a.D : a.S * a.D;
  a.place = flat ? a.heads * a.D : a.D;
  const auto [begin, end] = c.range(B * a.S);
  a.begin = begin;
  a.end = end;
  if (by_position) c.set(a.fault, c.fault(index_fault(a.cached)));
  if (begin < end) c.run(*kernel);
  return {};
}

}  // namespace

constinit const OpDef kRotaryEmbedding = {
    .name = "RotaryEmbedding", .inputs = {3, 4}, .outputs = {1, 1}, .attrs = kAttrs, .infer = infer, .bind = bind, .kernels = rows_of<kRows>};

}  // namespace tern
