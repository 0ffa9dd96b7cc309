// The f32 kernels. A row that lies together: three passes that stay in L1 (maximum, exponentials and their sum, division, which goes with the
// exponentials of the row behind it), or one vector from first to last. Rows that lie across (inner > 1): sixteen of them at a time, the same three passes.
// The maximum may ignore NaN: a NaN makes its exponential, hence the sum, hence the whole row NaN.
#include "kernels/softmax/softmax.h"

#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

TERN_INLINE f32x16 lowest() { return splat(-__builtin_inff()); }

// What is left to do when maximum and sum are known. `e` is exp(x - m).
template <bool kLog>
TERN_INLINE f32x16 result(f32x16 centred, f32x16 e, f32x16 last) {
  return kLog ? centred - last : e / last;
}
template <bool kLog>
TERN_INLINE f32x16 last_operand(f32x16 sum) {
  if constexpr (kLog) return log(sum);
  return sum;
}

template <bool kLog>
TERN_INLINE void short_row(const float* x, float* y, int64_t cols) {  // cols <= 16
  const mask16 there = lanes_below(cols);
  const f32x16 v = select(there, load_n(x, cols), lowest());
  const f32x16 centred = v - splat(reduce_max_raw(v));
  const f32x16 e = exp_nonpositive(centred);  // 0 where nothing is, NaN in a row of -inf: so is the row
  const f32x16 sum = splat(reduce_add(select(there, e, zero())));
  store_n(y, result<kLog>(centred, e, last_operand<kLog>(sum)), cols);
}

// Up to sixteen short rows at once: lane r is row r, so that a maximum and a sum cost a few operations for all of them. The sum is the tree of
// reduce_add: an absent column adds 0, which changes nothing, as exponentials are no -0.
constexpr int64_t kRowsTogether = 16, kFewestTogether = 3;
template <bool kLog>
void short_rows(const float* x, float* y, int64_t rows, int64_t cols) {
  alignas(64) float t[16 * 16], e[16 * 16];  // [cols][16 rows]
  for (int64_t c = 0; c < cols; ++c) {
    for (int64_t r = 0; r < rows; ++r) t[c * 16 + r] = x[r * cols + c];
    for (int64_t r = rows; r < 16; ++r) t[c * 16 + r] = 0;
  }
  f32x16 m = lowest();
  for (int64_t c = 0; c < cols; ++c) m = max_raw(load(t + c * 16), m);
  for (int64_t c = 0; c < cols; ++c) {
    const f32x16 centred = load(t + c * 16) - m, exponential = exp_nonpositive(centred);
    store(t + c * 16, kLog ? centred : exponential);
    store(e + c * 16, exponential);
  }
  for (int64_t width = 8, left = cols; width > 0; left = left < width ? left : width, width /= 2) {
    for (int64_t c = 0; c + width < left; ++c) store(e + c * 16, load(e + c * 16) + load(e + (c + width) * 16));
  }
  const f32x16 last = last_operand<kLog>(load(e));
  for (int64_t c = 0; c < cols; ++c) {
    const f32x16 v = load(t + c * 16);
    store(t + c * 16, result<kLog>(v, v, last));
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) y[r * cols + c] = t[c * 16 + r];
  }
}

// y + c of the row before this one, of which the last operation is outstanding.
struct Before {
  float* y;
  f32x16 last;
};
template <bool kLog>
TERN_INLINE void finish(Before b, int64_t c) {
  const f32x16 v = load(b.y + c);
  store(b.y + c, result<kLog>(v, v, b.last));
}

// Divisions of a row go between the exponentials of the next one, as the divider works beside the rest: 256 x 256 took 0.86 of the time on AVX-512
// (Zen 4). AVX2 gained nothing there, and a row alone lost.
#if defined(__AVX512F__)
constexpr bool kBetween = true;
#else
constexpr bool kBetween = false;
#endif

// exp(x - m) of the whole vectors, and their sum.
template <bool kLog, bool kBefore>
TERN_INLINE f32x16 exponentials(const float* x, float* y, int64_t whole, f32x16 m, Before before) {
  f32x16 sum = zero();
  for (int64_t c = 0; c < whole; c += 16) {
    const f32x16 centred = load(x + c) - m, e = exp_nonpositive(centred);
    store(y + c, kLog ? centred : e);
    sum = sum + e;
    if constexpr (kBefore) finish<kLog>(before, c);
  }
  return sum;
}

template <bool kLog, bool kBefore>
TERN_INLINE void long_row(const float* x, float* y, int64_t cols, Before& before) {
  f32x16 top = lowest();
  const int64_t whole = cols & ~int64_t(15), tail = cols - whole;
  for (int64_t c = 0; c < whole; c += 16) top = max_raw(load(x + c), top);
  const mask16 there = lanes_below(tail);
  const f32x16 rest = select(there, load_n(x + whole, tail), lowest());
  const f32x16 m = splat(reduce_max_raw(max_raw(rest, top)));
  const f32x16 sum = exponentials<kLog, kBefore>(x, y, whole, m, before);
  const f32x16 e = select(there, exp_nonpositive(rest - m), zero());
  before = {y, last_operand<kLog>(splat(reduce_add(sum + e)))};
  store_n(y + whole, result<kLog>(rest - m, e, before.last), tail);
}
template <bool kLog>
TERN_INLINE void finish_row(Before before, int64_t cols) {
  for (int64_t c = 0; c + 16 <= cols; c += 16) finish<kLog>(before, c);
}
template <bool kLog>
void long_rows(const float* x, float* y, int64_t rows, int64_t cols) {
  Before before{y, zero()};
  for (int64_t r = 0; r < rows; ++r) {
    if (!kBetween || r == 0) long_row<kLog, false>(x + r * cols, y + r * cols, cols, before);
    else long_row<kLog, true>(x + r * cols, y + r * cols, cols, before);
    if (!kBetween || r + 1 == rows) finish_row<kLog>(before, cols);
  }
}

// Rows beside each other: element c of sixteen rows is one vector.
template <bool kLog, class Load, class Store>
TERN_INLINE void rows_across(const float* x, float* y, int64_t cols, int64_t stride, Load load_some, Store store_some) {
  f32x16 m = lowest();
  for (int64_t c = 0; c < cols; ++c) m = max_raw(load_some(x + c * stride), m);
  f32x16 sum = zero();
  for (int64_t c = 0; c < cols; ++c) {
    const f32x16 centred = load_some(x + c * stride) - m, e = exp_nonpositive(centred);
    store_some(y + c * stride, kLog ? centred : e);
    sum = sum + e;
  }
  const f32x16 last = last_operand<kLog>(sum);
  for (int64_t c = 0; c < cols; ++c) {
    const f32x16 v = load_some(y + c * stride);
    store_some(y + c * stride, result<kLog>(v, v, last));
  }
}

template <bool kLog>
TERN_INLINE void softmax(const SoftmaxArgs& a) {
  if (a.stride == 1 && a.cols <= 16 && a.outer >= kFewestTogether) {
    const float* x = static_cast<const float*>(a.x);  // [outer, cols]
    float* y = static_cast<float*>(a.y);              // [outer, cols]
    for (int64_t r = 0; r < a.outer; r += kRowsTogether) {
      const int64_t rows = a.outer - r < kRowsTogether ? a.outer - r : kRowsTogether;
      short_rows<kLog>(x + r * a.cols, y + r * a.cols, rows, a.cols);
    }
    return;
  }
  if (a.stride == 1 && a.cols > 16) return long_rows<kLog>(static_cast<const float*>(a.x), static_cast<float*>(a.y), a.outer, a.cols);
  for (int64_t o = 0; o < a.outer; ++o) {
    const float* x = static_cast<const float*>(a.x) + o * a.cols * a.stride;  // [cols, inner], rows stride apart
    float* y = static_cast<float*>(a.y) + o * a.cols * a.stride;
    if (a.stride == 1) {
      short_row<kLog>(x, y, a.cols);
      continue;
    }
    int64_t i = 0;
    for (; i + 16 <= a.inner; i += 16) {
      rows_across<kLog>(
          x + i, y + i, a.cols, a.stride, [](const float* p) { return load(p); }, [](float* p, f32x16 v) { store(p, v); });
    }
    const int64_t n = a.inner - i;
    if (n > 0) {
      rows_across<kLog>(
          x + i, y + i, a.cols, a.stride, [=](const float* p) { return load_n(p, n); }, [=](float* p, f32x16 v) { store_n(p, v, n); });
    }
  }
}

}  // namespace

constinit const KernelRow softmax_f32 = row<SoftmaxArgs, softmax<false>>("softmax/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow log_softmax_f32 = row<SoftmaxArgs, softmax<true>>("log_softmax/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
