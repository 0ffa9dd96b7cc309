// The reductions: inference, merging of axes, kernel tables. See reduce.h.
#include "kernels/reduce/reduce.h"

#include <algorithm>

#include "kernels/movement/axes.h"
#include "kernels/movement/copy.h"
#include "kernels/op.h"
#include "kernels/reduce/reduce_portable.h"

namespace tern {
namespace {

// Which axes are folded; nothing when they are not known.
Result<std::optional<std::vector<bool>>> mask(const Attributes& attrs, bool given, const std::optional<std::vector<int64_t>>& axes, int rank) {
  if (given && !axes) return std::optional<std::vector<bool>>();
  std::vector<bool> out(static_cast<size_t>(rank), false);
  if (!axes || axes->empty()) {
    if (attrs.i("noop_with_empty_axes", 0) == 0) out.assign(static_cast<size_t>(rank), true);
    return std::optional(out);
  }
  auto list = normalize_axes(*axes, rank);
  if (!list) return list.error();
  for (int a : *list) out[static_cast<size_t>(a)] = true;
  return std::optional(out);
}

Status infer(InferContext& c) {
  const Shape& x = c.shape(0);
  const DType t = c.dtype(0);
  if (!x.ranked()) {
    c.set(0, t, Shape());
    return {};
  }
  const bool keep = c.attrs.i("keepdims", 1) != 0;
  auto folded = mask(c.attrs, c.has(1), c.known_ints(1), x.rank());
  if (!folded) return folded.error();
  if (!*folded) {
    auto count = length_of(c, 1);
    c.set(0, t, keep ? fresh_shape(x.rank(), c) : count && *count > 0 && *count <= x.rank() ? fresh_shape(x.rank() - static_cast<int>(*count), c) : Shape());
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
  if (Status s = infer(c); !s) return s;
  auto ints = c.ints(0);
  if (!ints || c.shape(0).rank() > 1 || c.outputs[0].shape.rank() > 1 || c.attrs.i("noop_with_empty_axes", 0) != 0) return {};
  std::optional<Dim> product = Dim(1);
  for (const Dim& d : *ints) product = product ? mul(*product, d) : product;
  if (product) c.output_ints[0] = SymbolicInts{*product};
  return {};
}

Status bind(BindContext& c, std::span<const KernelRow> rows) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const KernelRow* kernel = pick(rows, x.dtype, c.isa);
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

template <Text Name, class Op, void (*Scalar)(const ReduceArgs&), void (*Avx2)(const ReduceArgs&), void (*Avx512)(const ReduceArgs&)>
constexpr KernelRow kRows[] = {
    row<ReduceArgs, Scalar>(kJoined<Name, "/f32/scalar">.s, DType::f32, Isa::scalar),
    row<ReduceArgs, Avx2>(kJoined<Name, "/f32/avx2">.s, DType::f32, Isa::avx2),
    row<ReduceArgs, Avx512>(kJoined<Name, "/f32/avx512">.s, DType::f32, Isa::avx512),
    row<ReduceArgs, portable::reduce<double, Op>>(kJoined<Name, "/f64/scalar">.s, DType::f64, Isa::scalar),
    row<ReduceArgs, portable::reduce<f16, Op>>(kJoined<Name, "/f16/scalar">.s, DType::f16, Isa::scalar),
    row<ReduceArgs, portable::reduce<bf16, Op>>(kJoined<Name, "/bf16/scalar">.s, DType::bf16, Isa::scalar),
    row<ReduceArgs, portable::reduce<int32_t, Op>>(kJoined<Name, "/i32/scalar">.s, DType::i32, Isa::scalar),
    row<ReduceArgs, portable::reduce<int64_t, Op>>(kJoined<Name, "/i64/scalar">.s, DType::i64, Isa::scalar),
    row<ReduceArgs, portable::reduce<uint32_t, Op>>(kJoined<Name, "/u32/scalar">.s, DType::u32, Isa::scalar),
    row<ReduceArgs, portable::reduce<uint64_t, Op>>(kJoined<Name, "/u64/scalar">.s, DType::u64, Isa::scalar),
    row<ReduceArgs, portable::reduce<int8_t, Op>>(kJoined<Name, "/i8/scalar">.s, DType::i8, Isa::scalar),
    row<ReduceArgs, portable::reduce<uint8_t, Op>>(kJoined<Name, "/u8/scalar">.s, DType::u8, Isa::scalar),
    row<ReduceArgs, portable::reduce<bool, Op>>(kJoined<Name, "/bool/scalar">.s, DType::boolean, Isa::scalar),
};

template <const auto& Rows>
Status bind_rows(BindContext& c) { return bind(c, Rows); }

constexpr AttrSpec kAttrs[] = {{"keepdims", AttrKind::i}, {"noop_with_empty_axes", AttrKind::i}};

template <const auto& Rows>
constexpr OpDef reduction(const char* name, Status (*inference)(InferContext&) = infer) {
  return {.name = name, .inputs = {1, 2}, .outputs = {1, 1}, .attrs = kAttrs, .infer = inference, .bind = bind_rows<Rows>, .kernels = Rows,
          .value_inputs = {.ints = 2}};
}

constexpr auto& kSumRows = kRows<"reduce_sum", portable::Sum, scalar::reduce_sum_f32, avx2::reduce_sum_f32, avx512::reduce_sum_f32>;
constexpr auto& kMeanRows = kRows<"reduce_mean", portable::Mean, scalar::reduce_mean_f32, avx2::reduce_mean_f32, avx512::reduce_mean_f32>;
constexpr auto& kMaxRows = kRows<"reduce_max", portable::Max, scalar::reduce_max_f32, avx2::reduce_max_f32, avx512::reduce_max_f32>;
constexpr auto& kMinRows = kRows<"reduce_min", portable::Min, scalar::reduce_min_f32, avx2::reduce_min_f32, avx512::reduce_min_f32>;
constexpr auto& kProdRows = kRows<"reduce_prod", portable::Prod, scalar::reduce_prod_f32, avx2::reduce_prod_f32, avx512::reduce_prod_f32>;
constexpr auto& kL1Rows = kRows<"reduce_l1", portable::L1, scalar::reduce_l1_f32, avx2::reduce_l1_f32, avx512::reduce_l1_f32>;
constexpr auto& kL2Rows = kRows<"reduce_l2", portable::L2, scalar::reduce_l2_f32, avx2::reduce_l2_f32, avx512::reduce_l2_f32>;
constexpr auto& kSumSquareRows = kRows<"reduce_sum_square", portable::SumSquare, scalar::reduce_sum_square_f32, avx2::reduce_sum_square_f32,
                                       avx512::reduce_sum_square_f32>;
constexpr auto& kLogSumRows = kRows<"reduce_log_sum", portable::LogSum, scalar::reduce_log_sum_f32, avx2::reduce_log_sum_f32,
                                    avx512::reduce_log_sum_f32>;
constexpr auto& kLogSumExpRows = kRows<"reduce_log_sum_exp", portable::LogSumExp, scalar::reduce_log_sum_exp_f32,
                                       avx2::reduce_log_sum_exp_f32, avx512::reduce_log_sum_exp_f32>;

}  // namespace

constinit const OpDef kReduceSum = reduction<kSumRows>("ReduceSum");
constinit const OpDef kReduceMean = reduction<kMeanRows>("ReduceMean");
constinit const OpDef kReduceMax = reduction<kMaxRows>("ReduceMax");
constinit const OpDef kReduceMin = reduction<kMinRows>("ReduceMin");
constinit const OpDef kReduceProd = reduction<kProdRows>("ReduceProd", infer_prod);
constinit const OpDef kReduceL1 = reduction<kL1Rows>("ReduceL1");
constinit const OpDef kReduceL2 = reduction<kL2Rows>("ReduceL2");
constinit const OpDef kReduceSumSquare = reduction<kSumSquareRows>("ReduceSumSquare");
constinit const OpDef kReduceLogSum = reduction<kLogSumRows>("ReduceLogSum");
constinit const OpDef kReduceLogSumExp = reduction<kLogSumExpRows>("ReduceLogSumExp");

}  // namespace tern
