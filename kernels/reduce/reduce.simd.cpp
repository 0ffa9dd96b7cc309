// The f32 reductions: two walks (along rows, down columns), ten ways to fold. See reduce.h.
#include "kernels/reduce/reduce.h"

#include "kernels/reduce/folds.h"

namespace tern::TERN_ISA {
namespace {

int64_t count_of(const ReduceLoops& l) {
  int64_t n = 1;
  for (int d = 0; d < l.rank; ++d) n *= l.n[d];
  return n;
}

// Walks the numbers of `l` in order: offset() of each.
struct Walk {
  const ReduceLoops& l;
  int64_t at[8];
  int64_t offset;
};
TERN_INLINE Walk walk(const ReduceLoops& l) {
  Walk w{l, {}, 0};
  return w;
}
// Where number `number` is; divisions only here, once a run.
TERN_INLINE Walk walk_from(const ReduceLoops& l, int64_t number) {
  Walk w{l, {}, 0};
  for (int d = l.rank - 1; d >= 0; --d) {
    w.at[d] = number % l.n[d];
    w.offset += w.at[d] * l.stride[d];
    number /= l.n[d];
  }
  return w;
}
TERN_INLINE void next(Walk& w) {
  for (int d = w.l.rank - 1; d >= 0; --d) {
    w.offset += w.l.stride[d];
    if (++w.at[d] < w.l.n[d]) return;
    w.offset -= w.l.n[d] * w.l.stride[d];
    w.at[d] = 0;
  }
}

// The tree over lanes, i with i + 8, then + 4, + 2, + 1: in vectors where simd.h has it.
template <class Op>
TERN_INLINE float tree(f32x16 acc) {
  float t[16];
  store(t, acc);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) t[i] = Op::merge1(t[i], t[i + width]);
  }
  return t[0];
}
TERN_INLINE float merge_lanes(Sum, f32x16 acc) { return reduce_add(acc); }
TERN_INLINE float merge_lanes(Prod, f32x16 acc) { return tree<Prod>(acc); }
#if defined(TERN_NEON)  // its maximum of zeros of both signs is +0, not the second
TERN_INLINE float merge_lanes(Max, f32x16 acc) { return tree<Max>(acc); }
TERN_INLINE float merge_lanes(Min, f32x16 acc) { return tree<Min>(acc); }
#else
// reduce_max_raw may lose a NaN; a sum of those does not.
TERN_INLINE float merge_lanes(Max, f32x16 acc) {
  const float nan = reduce_add(select(unordered(acc, acc), acc, zero()));
  return choose1(nan != nan, nan, reduce_max_raw(acc));
}
TERN_INLINE float merge_lanes(Min, f32x16 acc) {
  const float nan = reduce_add(select(unordered(acc, acc), acc, zero()));
  return choose1(nan != nan, nan, -reduce_max_raw(neg(acc)));
}
#endif

// One output: runs of contiguous elements. Lanes past the tail keep what they had.
template <class Op>
TERN_INLINE f32x16 fold_runs(const float* x, const ReduceArgs& a, int64_t runs, f32x16 m) {
  f32x16 p = Op::start(), q = p, r = p, s = p;
  Walk w = walk(a.reduced);
  for (int64_t k = 0; k < runs; ++k, next(w)) {
    const float* row = x + w.offset;  // [run]
    int64_t i = 0;
    for (; i + 64 <= a.run; i += 64) {
      p = Op::step(p, load(row + i), m);
      q = Op::step(q, load(row + i + 16), m);
      r = Op::step(r, load(row + i + 32), m);
      s = Op::step(s, load(row + i + 48), m);
    }
    for (; i + 16 <= a.run; i += 16) p = Op::step(p, load(row + i), m);
    const int64_t tail = a.run - i;
    if (tail > 0) p = select(lanes_below(tail), Op::step(p, load_n(row + i, tail), m), p);
  }
  return splat(merge_lanes(Op(), Op::merge(Op::merge(p, q), Op::merge(r, s))));
}

// Sixteen outputs of runs of at most kShort elements, `rows` of them wanted: t holds element i of each at t[i]. The order is fold_runs', of which every
// lane is a vector here, so that sixteen trees are one.
constexpr int64_t kShort = 32;
template <class Op>
TERN_INLINE f32x16 fold_turned(const float (*t)[16], int64_t run, f32x16 m) {
  const f32x16 start = Op::start(), others = Op::merge(start, start);
  f32x16 v[16];
  for (int64_t i = 0; i < 16; ++i) v[i] = i < run ? Op::step(start, load(t[i]), m) : start;
  for (int64_t i = 16; i < run; ++i) v[i - 16] = Op::step(v[i - 16], load(t[i]), m);
  for (int64_t i = 0; i < 16; ++i) v[i] = Op::merge(Op::merge(v[i], start), others);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) v[i] = Op::merge(v[i], v[i + width]);
  }
  return v[0];
}
template <class Op>
TERN_INLINE void fold_short(const float* x, Walk& kept, int64_t rows, const ReduceArgs& a, float* y) {
  alignas(64) float t[kShort][16];
  for (int64_t i = 0; i < a.run; ++i) store(t[i], zero());  // those that are not wanted, too
  for (int64_t r = 0; r < rows; ++r, next(kept)) {
    const float* row = x + kept.offset;  // [run]
    for (int64_t i = 0; i < a.run; ++i) t[i][r] = row[i];
  }
  f32x16 m = zero();
  if (Op::kNeedsMax) m = finite_or_zero(fold_turned<Max>(t, a.run, m));
  store_n(y, Op::finish(fold_turned<Op>(t, a.run, m), m, static_cast<float>(a.count)), rows);
}

// Sixteen outputs side by side (n of them wanted): r in order.
template <class Op>
TERN_INLINE f32x16 fold_columns(const float* x, const ReduceArgs& a, int64_t rows, int64_t n, f32x16 m) {
  f32x16 acc = Op::start();
  Walk w = walk(a.reduced);
  for (int64_t k = 0; k < rows; ++k, next(w)) acc = Op::step(acc, load_n(x + w.offset, n), m);
  return acc;
}

// Sixty-four outputs side by side: four chains that do not wait for each other.
template <class Op>
TERN_INLINE void fold_wide(const float* x, float* y, const ReduceArgs& a, int64_t rows) {
  f32x16 p = Op::start(), q = p, r = p, s = p;
  Walk w = walk(a.reduced);
  for (int64_t k = 0; k < rows; ++k, next(w)) {
    const float* row = x + w.offset;  // [64]
    p = Op::step(p, load(row), p);
    q = Op::step(q, load(row + 16), q);
    r = Op::step(r, load(row + 32), r);
    s = Op::step(s, load(row + 48), s);
  }
  const float count = static_cast<float>(a.count);
  store(y, Op::finish(p, p, count));
  store(y + 16, Op::finish(q, q, count));
  store(y + 32, Op::finish(r, r, count));
  store(y + 48, Op::finish(s, s, count));
}

template <class Op>
TERN_INLINE void reduce(const ReduceArgs& a) {
  const float* x = static_cast<const float*>(a.x);
  float* y = static_cast<float*>(a.y);
  const int64_t folds = count_of(a.reduced);
  const float count = static_cast<float>(a.count);
  Walk kept = walk_from(a.kept, a.begin);
  if (a.inner == 1 && folds == 1 && a.run <= kShort) {
    for (int64_t o = a.begin; o < a.end; o += 16) fold_short<Op>(x, kept, a.end - o < 16 ? a.end - o : 16, a, y + o);
    return;
  }
  for (int64_t o = a.begin; o < a.end; ++o, next(kept)) {
    const float* base = x + kept.offset;
    if (a.inner == 1) {
      f32x16 m = zero();
      if (Op::kNeedsMax) m = finite_or_zero(fold_runs<Max>(base, a, folds, m));
      store_n(y + o, Op::finish(fold_runs<Op>(base, a, folds, m), m, count), 1);
      continue;
    }
    float* row = y + o * a.inner;  // [inner]
    int64_t j = 0;
    if (!Op::kNeedsMax) {
      for (; j + 64 <= a.inner; j += 64) fold_wide<Op>(base + j, row + j, a, folds);
    }
    for (; j < a.inner; j += 16) {
      const int64_t n = a.inner - j < 16 ? a.inner - j : 16;
      f32x16 m = zero();
      if (Op::kNeedsMax) m = finite_or_zero(fold_columns<Max>(base + j, a, folds, n, m));
      store_n(row + j, Op::finish(fold_columns<Op>(base + j, a, folds, n, m), m, count), n);
    }
  }
}

template <class Op>
constexpr KernelRow reduce_row(const char* name) {
  return row<ReduceArgs, reduce<Op>>(name, DType::f32, Isa::TERN_ISA);
}

}  // namespace

constinit const KernelRow reduce_sum_f32 = reduce_row<Sum>("reduce_sum/f32/" TERN_ISA_NAME);
constinit const KernelRow reduce_mean_f32 = reduce_row<Mean>("reduce_mean/f32/" TERN_ISA_NAME);
constinit const KernelRow reduce_max_f32 = reduce_row<Max>("reduce_max/f32/" TERN_ISA_NAME);
constinit const KernelRow reduce_min_f32 = reduce_row<Min>("reduce_min/f32/" TERN_ISA_NAME);
constinit const KernelRow reduce_prod_f32 = reduce_row<Prod>("reduce_prod/f32/" TERN_ISA_NAME);
constinit const KernelRow reduce_l1_f32 = reduce_row<L1>("reduce_l1/f32/" TERN_ISA_NAME);
constinit const KernelRow reduce_l2_f32 = reduce_row<L2>("reduce_l2/f32/" TERN_ISA_NAME);
constinit const KernelRow reduce_sum_square_f32 = reduce_row<SumSquare>("reduce_sum_square/f32/" TERN_ISA_NAME);
constinit const KernelRow reduce_log_sum_f32 = reduce_row<LogSum>("reduce_log_sum/f32/" TERN_ISA_NAME);
constinit const KernelRow reduce_log_sum_exp_f32 = reduce_row<LogSumExp>("reduce_log_sum_exp/f32/" TERN_ISA_NAME);

}  // namespace tern::TERN_ISA
