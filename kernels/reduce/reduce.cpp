// The reductions: inference, merging of axes, operators. See reduce.h.
#include "kernels/reduce/reduce.h"

#include <algorithm>

#include "kernels/launch.h"
#include "kernels/layouts.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/op.h"
#include "kernels/pool/pool.h"
#include "kernels/reduce/reduce_portable.h"

namespace tern::portable {
namespace {

// Where the largest of each output stands, LogSumExp's exponents are taken from there: 0 for an infinity.
template <class T, class Op>
void finite_or_zero(Folded<T>* m, int64_t n) {
  if constexpr (std::is_floating_point_v<Folded<T>>) {
    for (int64_t i = 0; i < n; ++i) m[i] = choose((m[i] == kHighest<Folded<T>>) | (m[i] == kLowest<Folded<T>>), Folded<T>(0), m[i]);
  }
}

// kN outputs at a time, each in its order, none waiting for another: sums of one chain are bound by the latency of an addition.
template <class T, class Op, int kN>
void fold_many(const T* const* x, const ReduceArgs& a, int64_t rows, const Folded<T>* m, Folded<T>* to) {
  Folded<T> acc[kN];
  for (int n = 0; n < kN; ++n) acc[n] = Op::template start<Folded<T>>();
  for (int64_t k = 0; k < rows; ++k) {
    const int64_t row = offset_of(a.reduced, k);
    for (int64_t i = row; i < row + a.run; ++i) {
#pragma GCC unroll 8
      for (int n = 0; n < kN; ++n) acc[n] = Op::step(acc[n], widen(x[n][i]), m[n]);
    }
  }
  for (int n = 0; n < kN; ++n) to[n] = acc[n];
}
template <class T, class Op, int kN>
void reduce_many(const T* const* x, const ReduceArgs& a, int64_t rows, T* y) {
  Folded<T> m[kN] = {}, acc[kN];
  if constexpr (Op::kNeedsMax) {
    fold_many<T, Max, kN>(x, a, rows, m, m);
    finite_or_zero<T, Op>(m, kN);
  }
  fold_many<T, Op, kN>(x, a, rows, m, acc);
  for (int n = 0; n < kN; ++n) y[n] = narrow<T>(Op::finish(acc[n], m[n], a.count));
}
// Runs of elements that lie together. The last outputs are computed with those before them, some a second time.
template <class T, class Op>
void reduce_runs(const ReduceArgs& a, int64_t rows) {
  constexpr int kTogether = 8;
  T* y = static_cast<T*>(a.y);
  const T* x[kTogether];
  if (a.end - a.begin < kTogether || in_lanes<T, Op>(a)) {
    for (int64_t o = a.begin; o < a.end; ++o) y[o] = reduce_one<T, Op>(static_cast<const T*>(a.x) + offset_of(a.kept, o), a, rows);
    return;
  }
  for (int64_t o = a.begin; o < a.end; o += kTogether) {
    const int64_t first = o < a.end - kTogether ? o : a.end - kTogether;
    for (int i = 0; i < kTogether; ++i) x[i] = static_cast<const T*>(a.x) + offset_of(a.kept, first + i);
    reduce_many<T, Op, kTogether>(x, a, rows, y + first);
  }
}

// n <= kSide outputs that lie side by side: kRows rows join what came before them, element by element.
constexpr int64_t kSide = 256;
template <class T, class Op, int kRows>
[[gnu::always_inline]] inline void join_rows(const T* x, const ReduceArgs& a, int64_t k, int64_t n, const Folded<T>* m, Folded<T>* __restrict acc) {
  const T* row[kRows];  // each [n]
  for (int r = 0; r < kRows; ++r) row[r] = x + offset_of(a.reduced, k + r);
  for (int64_t j = 0; j < n; ++j) {
    Folded<T> sum = acc[j];
    for (int r = 0; r < kRows; ++r) sum = Op::step(sum, widen(row[r][j]), m[j]);
    acc[j] = sum;
  }
}
template <class T, class Op>
void fold_side(const T* x, const ReduceArgs& a, int64_t rows, int64_t n, const Folded<T>* m, Folded<T>* __restrict acc) {
  for (int64_t j = 0; j < n; ++j) acc[j] = Op::template start<Folded<T>>();
  int64_t k = 0;
  for (; k + 4 <= rows; k += 4) join_rows<T, Op, 4>(x, a, k, n, m, acc);
  for (; k < rows; ++k) join_rows<T, Op, 1>(x, a, k, n, m, acc);
}
template <class T, class Op>
void reduce_columns(const ReduceArgs& a, int64_t rows) {
  for (int64_t o = a.begin; o < a.end; ++o) {
    const T* x = static_cast<const T*>(a.x) + offset_of(a.kept, o);
    T* y = static_cast<T*>(a.y) + o * a.inner;  // [inner]
    for (int64_t j = 0; j < a.inner; j += kSide) {
      const int64_t n = a.inner - j < kSide ? a.inner - j : kSide;
      Folded<T> m[kSide] = {}, acc[kSide];
      if constexpr (Op::kNeedsMax) {
        fold_side<T, Max>(x + j, a, rows, n, acc, m);
        finite_or_zero<T, Op>(m, n);
      }
      fold_side<T, Op>(x + j, a, rows, n, m, acc);
      for (int64_t i = 0; i < n; ++i) y[j + i] = narrow<T>(Op::finish(acc[i], m[i], a.count));
    }
  }
}

template <class T, class Op>
void reduce(const ReduceArgs& a) {
  const int64_t rows = count_of(a.reduced);
  if (a.inner == 1) reduce_runs<T, Op>(a, rows);
  else reduce_columns<T, Op>(a, rows);
}

}  // namespace
}  // namespace tern::portable

namespace tern {
namespace {

// Which axes are folded; nothing when they are not known.
Result<std::optional<std::vector<bool>>> mask(const AttrReader& attrs, bool given, const std::optional<std::vector<int64_t>>& axes, int rank) {
  if (given && !axes) return std::optional<std::vector<bool>>();
  std::vector<bool> out(static_cast<size_t>(rank), false);
  if (!axes || axes->empty()) {
    if (attrs.i("noop_with_empty_axes") == 0) out.assign(static_cast<size_t>(rank), true);
    return std::optional(out);
  }
  auto list = normalize_axes(*axes, rank);
  if (!list) return list.error();
  for (int a : *list) out[static_cast<size_t>(a)] = true;
  return std::optional(out);
}

Status infer_reduce(InferContext& c) {
  const Shape& x = c.shape(0);
  const DType t = c.dtype(0);
  if (!x.ranked()) {
    c.set(0, t, Shape());
    return {};
  }
  const bool keep = c.attrs.i("keepdims") != 0;
  auto folded = mask(c.attrs, c.has(1), c.known_ints(1), x.rank());
  if (!folded) return folded.error();
  if (!*folded) {
    auto count = length_of(c, 1);
    c.set(0, t,
          keep                                        ? fresh_shape(x.rank(), c)
          : count && *count > 0 && *count <= x.rank() ? fresh_shape(x.rank() - static_cast<int>(*count), c)
                                                      : Shape());
    return {};
  }
  Shape y(std::vector<Dim>{});
  for (int d = 0; d < x.rank(); ++d) {
    if (!(**folded)[static_cast<size_t>(d)]) y.push_back(x[d]);
    else if (keep) y.push_back(Dim(1));
  }
  c.set(0, t, std::move(y));
  return {};
}

// The product of a list of dims is how exporters count elements.
Status infer_prod(InferContext& c) {
  if (Status s = infer_reduce(c); !s) return s;
  auto ints = c.ints(0);
  if (!ints || c.shape(0).rank() > 1 || c.outputs[0].shape.rank() > 1 || c.attrs.i("noop_with_empty_axes") != 0) return {};
  std::optional<Dim> product = Dim(1);
  for (const Dim& d : *ints) product = product ? mul(*product, d) : product;
  if (product) c.output_ints[0] = SymbolicInts{*product};
  return {};
}

Status bind_reduce(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const KernelRow* kernel = c.pick(x.dtype);
  if (kernel == nullptr) return bad_dtype(x.dtype);
  if (y.count() == 0) return {};
  auto folded = mask(c.attrs, c.has(1), c.ints(1), x.dims.rank);
  if (!folded) return folded.error();
  // Neighbouring axes of the same kind become one; extents of 1 vanish.
  struct Merged {
    int64_t n, stride;
    bool folded;
  };
  std::vector<Merged> loops;
  const auto strides = dense_strides(x.dims);
  for (int d = 0; d < x.dims.rank; ++d) {
    const size_t s = static_cast<size_t>(d);
    const bool f = (**folded)[s];
    if (x.dims[d] == 1) continue;
    if (!loops.empty() && loops.back().folded == f) loops.back() = {loops.back().n * x.dims[d], strides[s], f};
    else loops.push_back({x.dims[d], strides[s], f});
  }
  ReduceArgs& a = c.args(ReduceArgs{nullptr, nullptr, {0, {}, {}}, {0, {}, {}}, 1, 1, 0, 0, 1});
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  for (const Merged& l : loops) {
    if (l.folded) a.count *= l.n;
  }
  if (!loops.empty()) {
    (loops.back().folded ? a.run : a.inner) = loops.back().n;
    loops.pop_back();
  }
  for (const Merged& l : loops) {
    ReduceLoops& to = l.folded ? a.reduced : a.kept;
    to.n[to.rank] = l.n;
    to.stride[to.rank++] = l.stride;
  }
  if (a.count == 0) a.reduced = {1, {0}, {0}};  // nothing to fold: no loop over the other extents
  const int64_t outputs = y.count() / a.inner;
  const auto [begin, end] = c.range(outputs);
  a.begin = begin;
  a.end = end;
  if (begin < end) c.run(*kernel);
  return {};
}

// ---- the tables: "reduce_sum/f64/scalar" out of an operator's name and a dtype's ----

template <size_t N>
struct Text {
  char s[N];
  constexpr Text(const char (&text)[N]) { std::copy_n(text, N, s); }
};
template <Text A, Text B>
constexpr auto joined() {
  char out[sizeof(A.s) + sizeof(B.s) - 1] = {};
  std::copy_n(A.s, sizeof(A.s) - 1, out);
  std::copy_n(B.s, sizeof(B.s), out + sizeof(A.s) - 1);
  return Text(out);
}
template <Text A, Text B>
constexpr auto kJoined = joined<A, B>();

template <Text Name, class Op>
constexpr KernelRow kPortableFloats[] = {
    row<ReduceArgs, portable::reduce<double, Op>>(kJoined<Name, "/f64/scalar">.s, DType::f64, Isa::scalar),
    row<ReduceArgs, portable::reduce<f16, Op>>(kJoined<Name, "/f16/scalar">.s, DType::f16, Isa::scalar),
    row<ReduceArgs, portable::reduce<bf16, Op>>(kJoined<Name, "/bf16/scalar">.s, DType::bf16, Isa::scalar),
};
template <Text Name, class Op>
constexpr KernelRow kPortableInts[] = {
    row<ReduceArgs, portable::reduce<int32_t, Op>>(kJoined<Name, "/i32/scalar">.s, DType::i32, Isa::scalar),
    row<ReduceArgs, portable::reduce<int64_t, Op>>(kJoined<Name, "/i64/scalar">.s, DType::i64, Isa::scalar),
    row<ReduceArgs, portable::reduce<uint32_t, Op>>(kJoined<Name, "/u32/scalar">.s, DType::u32, Isa::scalar),
    row<ReduceArgs, portable::reduce<uint64_t, Op>>(kJoined<Name, "/u64/scalar">.s, DType::u64, Isa::scalar),
    row<ReduceArgs, portable::reduce<int8_t, Op>>(kJoined<Name, "/i8/scalar">.s, DType::i8, Isa::scalar),
    row<ReduceArgs, portable::reduce<uint8_t, Op>>(kJoined<Name, "/u8/scalar">.s, DType::u8, Isa::scalar),
    row<ReduceArgs, portable::reduce<bool, Op>>(kJoined<Name, "/bool/scalar">.s, DType::boolean, Isa::scalar),
};
// Those of a device, besides f32: of floats, of numbers that count, and of what has only extremes there.
template <Text Name, cuda::ReduceKind kKind>
constexpr KernelRow kFloatsOnDevice[] = {
    device_row<ReduceArgs, cuda::launch_reduce<DType::f64, kKind>>(kJoined<Name, "/f64/cuda">.s, DType::f64),
    device_row<ReduceArgs, cuda::launch_reduce<DType::f16, kKind>>(kJoined<Name, "/f16/cuda">.s, DType::f16),
    device_row<ReduceArgs, cuda::launch_reduce<DType::bf16, kKind>>(kJoined<Name, "/bf16/cuda">.s, DType::bf16),
};
template <Text Name, cuda::ReduceKind kKind>
constexpr KernelRow kIntsOnDevice[] = {
    device_row<ReduceArgs, cuda::launch_reduce<DType::i32, kKind>>(kJoined<Name, "/i32/cuda">.s, DType::i32),
    device_row<ReduceArgs, cuda::launch_reduce<DType::i64, kKind>>(kJoined<Name, "/i64/cuda">.s, DType::i64),
};
template <Text Name, cuda::ReduceKind kKind>
constexpr KernelRow kBytesOnDevice[] = {
    device_row<ReduceArgs, cuda::launch_reduce<DType::i8, kKind>>(kJoined<Name, "/i8/cuda">.s, DType::i8),
    device_row<ReduceArgs, cuda::launch_reduce<DType::u8, kKind>>(kJoined<Name, "/u8/cuda">.s, DType::u8),
    device_row<ReduceArgs, cuda::launch_reduce<DType::boolean, kKind>>(kJoined<Name, "/bool/cuda">.s, DType::boolean),
};

constexpr AttrSpec kReduceAttrs[] = {{"keepdims", AttrKind::i, 1}, {"noop_with_empty_axes", AttrKind::i, 0}};

// Over all spatial axes of blocked maps, in the order of sums that this operator has (GlobalAveragePool has another).
std::optional<LayoutForm> reduce_mean_layouts(const LayoutQuery& q) {
  const auto axes = q.suits(0) ? q.ints(1) : std::nullopt;
  if (!axes) return std::nullopt;
  const Dims d = q.x(0);
  std::vector<bool> reduced(static_cast<size_t>(d.rank), false);
  for (int64_t a : *axes) reduced[static_cast<size_t>(normalize_axis(a, d.rank).value_or(0))] = true;
  if (d.count(2, d.rank) <= 1 || reduced[0] || reduced[1] || !std::all_of(reduced.begin() + 2, reduced.end(), [](bool r) { return r; }))
    return std::nullopt;
  auto f = mean_layouts(q);
  f->op = &kMeanBlocks;
  f->attrs.set("keepdims", q.attrs.i("keepdims"));
  f->inputs = {0};
  return f;
}

constexpr OpDef reduction(const char* name, std::span<const KernelRow* const> rows, Status (*inference)(InferContext&) = infer_reduce,
                          LayoutsFn layouts = nullptr) {
  return {.name = name,
          .inputs = {1, 2},
          .outputs = {1, 1},
          .attrs = kReduceAttrs,
          .infer = inference,
          .bind = bind_reduce,
          .kernels = rows,
          .value_inputs = {.ints = 2},
          .layouts = layouts};
}

}  // namespace

constinit const OpDef kReduceSum =
    reduction("ReduceSum", rows_of<TERN_ON_EACH_ISA(reduce_sum_f32), cuda::reduce_sum_f32, kPortableFloats<"reduce_sum", portable::Sum>,
                                   kPortableInts<"reduce_sum", portable::Sum>, kFloatsOnDevice<"reduce_sum", cuda::ReduceKind::sum>,
                                   kIntsOnDevice<"reduce_sum", cuda::ReduceKind::sum>>);
constinit const OpDef kReduceMean =
    reduction("ReduceMean",
              rows_of<TERN_ON_EACH_ISA(reduce_mean_f32), cuda::reduce_mean_f32, kPortableFloats<"reduce_mean", portable::Mean>,
                      kPortableInts<"reduce_mean", portable::Mean>, kFloatsOnDevice<"reduce_mean", cuda::ReduceKind::mean>,
                      kIntsOnDevice<"reduce_mean", cuda::ReduceKind::mean>>,
              infer_reduce, reduce_mean_layouts);
constinit const OpDef kReduceMax =
    reduction("ReduceMax", rows_of<TERN_ON_EACH_ISA(reduce_max_f32), TERN_ON_EACH_ISA(reduce_max_any), cuda::reduce_max_f32,
                                   kFloatsOnDevice<"reduce_max", cuda::ReduceKind::max>, kIntsOnDevice<"reduce_max", cuda::ReduceKind::max>,
                                   kBytesOnDevice<"reduce_max", cuda::ReduceKind::max>>);
constinit const OpDef kReduceMin =
    reduction("ReduceMin", rows_of<TERN_ON_EACH_ISA(reduce_min_f32), TERN_ON_EACH_ISA(reduce_min_any), cuda::reduce_min_f32,
                                   kFloatsOnDevice<"reduce_min", cuda::ReduceKind::min>, kIntsOnDevice<"reduce_min", cuda::ReduceKind::min>,
                                   kBytesOnDevice<"reduce_min", cuda::ReduceKind::min>>);
constinit const OpDef kReduceProd =
    reduction("ReduceProd",
              rows_of<TERN_ON_EACH_ISA(reduce_prod_f32), cuda::reduce_prod_f32, kPortableFloats<"reduce_prod", portable::Prod>,
                      kPortableInts<"reduce_prod", portable::Prod>, kFloatsOnDevice<"reduce_prod", cuda::ReduceKind::prod>,
                      kIntsOnDevice<"reduce_prod", cuda::ReduceKind::prod>>,
              infer_prod);
constinit const OpDef kReduceL1 =
    reduction("ReduceL1", rows_of<TERN_ON_EACH_ISA(reduce_l1_f32), cuda::reduce_l1_f32, kPortableFloats<"reduce_l1", portable::L1>,
                                  kPortableInts<"reduce_l1", portable::L1>, kFloatsOnDevice<"reduce_l1", cuda::ReduceKind::l1>,
                                  kIntsOnDevice<"reduce_l1", cuda::ReduceKind::l1>>);
constinit const OpDef kReduceL2 =
    reduction("ReduceL2", rows_of<TERN_ON_EACH_ISA(reduce_l2_f32), cuda::reduce_l2_f32, kPortableFloats<"reduce_l2", portable::L2>,
                                  kPortableInts<"reduce_l2", portable::L2>, kFloatsOnDevice<"reduce_l2", cuda::ReduceKind::l2>,
                                  kIntsOnDevice<"reduce_l2", cuda::ReduceKind::l2>>);
constinit const OpDef kReduceSumSquare =
    reduction("ReduceSumSquare",
              rows_of<TERN_ON_EACH_ISA(reduce_sum_square_f32), cuda::reduce_sum_square_f32, kPortableFloats<"reduce_sum_square", portable::SumSquare>,
                      kPortableInts<"reduce_sum_square", portable::SumSquare>, kFloatsOnDevice<"reduce_sum_square", cuda::ReduceKind::sum_square>,
                      kIntsOnDevice<"reduce_sum_square", cuda::ReduceKind::sum_square>>);
constinit const OpDef kReduceLogSum = reduction(
    "ReduceLogSum", rows_of<TERN_ON_EACH_ISA(reduce_log_sum_f32), cuda::reduce_log_sum_f32, kPortableFloats<"reduce_log_sum", portable::LogSum>,
                            kPortableInts<"reduce_log_sum", portable::LogSum>, kFloatsOnDevice<"reduce_log_sum", cuda::ReduceKind::log_sum>>);
constinit const OpDef kReduceLogSumExp = reduction(
    "ReduceLogSumExp",
    rows_of<TERN_ON_EACH_ISA(reduce_log_sum_exp_f32), cuda::reduce_log_sum_exp_f32, TERN_ON_EACH_ISA(reduce_log_sum_exp_any),
            kPortableInts<"reduce_log_sum_exp", portable::LogSumExp>, kFloatsOnDevice<"reduce_log_sum_exp", cuda::ReduceKind::log_sum_exp>>);

}  // namespace tern
