// Compress and NonZero: how much comes out depends on what goes in. Inference counts when the contents are known (the evaluator runs such
// nodes); a plan refuses them. See movement.h.
#include <algorithm>

#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

// ---- Compress ----

struct CompressArgs {
  const std::byte* x;
  const uint8_t* keep;  // bytes of bools: not zero is true
  std::byte* y;
  int64_t outer, n, flags, run;  // x [outer, n, run] bytes; flags <= n
  int64_t kept;                  // flags that are true
};

// Elements that lie apart: each is written, and stays if it is kept. The last that is kept ends it, so that nothing is written behind it.
template <class U>
void compress_elements(const CompressArgs& a) {
  const U* x = reinterpret_cast<const U*>(a.x);
  U* y = reinterpret_cast<U*>(a.y);
  for (int64_t o = 0; o < a.outer; ++o, x += a.n) {
    int64_t at = 0;
    for (int64_t i = 0; at < a.kept; ++i) {
      y[at] = x[i];
      at += a.keep[i] != 0;
    }
    y += a.kept;
  }
}
void compress(const CompressArgs& a) {
  switch (a.run) {
    case 1: return compress_elements<uint8_t>(a);
    case 2: return compress_elements<uint16_t>(a);
    case 4: return compress_elements<uint32_t>(a);
    case 8: return compress_elements<uint64_t>(a);
    default: break;
  }
  std::byte* y = a.y;
  for (int64_t o = 0; o < a.outer; ++o) {
    for (int64_t i = 0; i < a.flags; ++i) {
      if (!a.keep[i]) continue;
      std::memcpy(y, a.x + (o * a.n + i) * a.run, static_cast<size_t>(a.run));
      y += a.run;
    }
  }
}

constexpr KernelRow kCompressRows[] = {row<CompressArgs, compress>("compress/scalar", DType::none, Isa::scalar)};

Status infer_compress(InferContext& c) {
  const Shape& x = c.shape(0);
  if (c.dtype(1) != DType::boolean) return bad_dtype(c.dtype(1));
  std::optional<int> axis;
  if (c.attrs.has("axis") && x.ranked()) {
    axis = normalize_axis(c.attrs.i("axis"), x.rank());
    if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  }
  Dim kept = c.fresh();
  if (const Tensor* flags = c.inputs[1].value; flags != nullptr && x.known()) {
    const auto n = axis ? std::optional(x[*axis].value()) : checked_count(x.concrete().span());
    if (n && flags->count() > *n) return invalid("more flags than elements along the axis");
    const auto* bytes = reinterpret_cast<const uint8_t*>(flags->raw());
    kept = Dim(flags->count() - static_cast<int64_t>(std::count(bytes, bytes + flags->count(), uint8_t(0))));
  }
  Shape y = x;
  if (!c.attrs.has("axis")) y = Shape{kept};
  else if (axis) y[*axis] = kept;
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

Status bind_compress(BindContext& c) {
  const TensorView& x = c.in(0);
  const int64_t size = static_cast<int64_t>(size_of(x.dtype));
  CompressArgs& a = c.args<CompressArgs>();
  a.outer = 1;
  a.n = x.count();
  a.flags = c.in(1).count();
  a.run = size;
  c.set(a.x, c.input(0));
  c.set(a.keep, c.input<const uint8_t>(1));
  c.set(a.y, c.output(0));
  if (c.attrs.has("axis")) {
    const int axis = *normalize_axis(c.attrs.i("axis"), x.dims.rank);
    a.outer = x.dims.count(0, axis);
    a.n = x.dims[axis];
    a.run = x.dims.count(axis + 1, x.dims.rank) * size;
  }
  a.kept = c.out(0).count() * size / std::max<int64_t>(a.outer * a.run, 1);
  if (c.out(0).count() > 0) c.run(kCompressRows[0]);
  return {};
}

// ---- NonZero: the coordinates, one row an axis ----

struct NonZeroArgs {
  const void* x;
  int64_t* y;
  int rank;
  int64_t n[kMaxRank], found;
};

template <class T>
bool is_zero(T v) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return (v.bits & 0x7fff) == 0;
  else if constexpr (std::is_same_v<T, StringRef>) return v.size == 0;
  else return v == T(0);
}

// A row of the last axis at a time: each of its coordinates is written, and stays if its element is not zero; those of the other axes are the same for
// all of the row.
template <class T>
void nonzero(const NonZeroArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  const int last = a.rank - 1;
  int64_t* columns = a.y + last * a.found;  // [found]
  int64_t row[kMaxRank] = {}, at = 0;
  while (at < a.found) {
    const int64_t begin = at;
    for (int64_t i = 0; i < a.n[last] && at < a.found; ++i) {
      columns[at] = i;
      at += !is_zero(x[i]);
    }
    x += a.n[last];
    for (int d = 0; d < last; ++d) std::fill(a.y + d * a.found + begin, a.y + d * a.found + at, row[d]);
    for (int d = last - 1; d >= 0 && ++row[d] == a.n[d]; --d) row[d] = 0;
  }
}

constexpr KernelRow kNonZeroRows[] = {
    row<NonZeroArgs, nonzero<float>>("nonzero/f32/scalar", DType::f32, Isa::scalar),
    row<NonZeroArgs, nonzero<double>>("nonzero/f64/scalar", DType::f64, Isa::scalar),
    row<NonZeroArgs, nonzero<f16>>("nonzero/f16/scalar", DType::f16, Isa::scalar),
    row<NonZeroArgs, nonzero<bf16>>("nonzero/bf16/scalar", DType::bf16, Isa::scalar),
    row<NonZeroArgs, nonzero<int8_t>>("nonzero/i8/scalar", DType::i8, Isa::scalar),
    row<NonZeroArgs, nonzero<uint8_t>>("nonzero/u8/scalar", DType::u8, Isa::scalar),
    row<NonZeroArgs, nonzero<int32_t>>("nonzero/i32/scalar", DType::i32, Isa::scalar),
    row<NonZeroArgs, nonzero<int64_t>>("nonzero/i64/scalar", DType::i64, Isa::scalar),
    row<NonZeroArgs, nonzero<uint8_t>>("nonzero/bool/scalar", DType::boolean, Isa::scalar),
};

Status infer_nonzero(InferContext& c) {
  const Shape& x = c.shape(0);
  if (pick(rows_of<kNonZeroRows>, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
  Dim found = c.fresh();
  if (const Tensor* t = c.inputs[0].value) {
    int64_t n = 0;
    visit(t->dtype() == DType::boolean ? DType::u8 : t->dtype(), [&]<class T>() {  // a bool is true when its byte is not zero
      if constexpr (!std::is_void_v<T>) {
        for (int64_t i = 0; i < t->count(); ++i) n += !is_zero(t->data<T>()[i]);
      }
    });
    found = Dim(n);
  }
  c.set(0, DType::i64, Shape{x.ranked() ? Dim(x.rank()) : c.fresh(), found});
  return {};
}

Status bind_nonzero(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  NonZeroArgs& a = c.args<NonZeroArgs>();
  a.rank = x.dims.rank;
  a.found = y.dims[1];
  c.set(a.x, c.input(0));
  c.set(a.y, c.output<int64_t>(0));
  for (int d = 0; d < x.dims.rank; ++d) a.n[d] = x.dims[d];
  if (y.count() > 0) c.run(*c.pick(x.dtype));
  return {};
}

constexpr AttrSpec kCompressAttrs[] = {{"axis", AttrKind::i}};

}  // namespace

constinit const OpDef kCompress = {.name = "Compress",
                                   .inputs = {2, 2},
                                   .outputs = {1, 1},
                                   .attrs = kCompressAttrs,
                                   .infer = infer_compress,
                                   .bind = bind_compress,
                                   .kernels = rows_of<kCompressRows>,
                                   .data_dependent = true};
constinit const OpDef kNonZero = {.name = "NonZero",
                                  .inputs = {1, 1},
                                  .outputs = {1, 1},
                                  .infer = infer_nonzero,
                                  .bind = bind_nonzero,
                                  .kernels = rows_of<kNonZeroRows>,
                                  .data_dependent = true};

}  // namespace tern
