// The attention kernel: for each head k is transposed once, then a few rows of q at a time are multiplied with it in register tiles,
// turned into weights in a buffer that stays in L1, and multiplied with v. The tiles are those of the matrix product (gemm/tile.h).
#include "kernels/attention/attention.h"

#include "kernels/gemm/tile.h"
#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

// Register tiles: rows, panels of scores (one chain), panels of results (two chains).
#if defined(__AVX512F__)
constexpr int kRows = 6, kScorePanels = 4, kResultPanels = 2;
#elif defined(__AVX2__)
constexpr int kRows = 3, kScorePanels = 2, kResultPanels = 1;
#elif defined(TERN_NEON)
constexpr int kRows = 2, kScorePanels = 2, kResultPanels = 1;
#else
constexpr int kRows = 1, kScorePanels = 1, kResultPanels = 1;
#endif
static_assert(kRows <= kAttentionRows);

struct Head {
  const float *q, *keys, *v, *mask;
  float* y;
  int64_t S16, v_stride;
};

// keys[d, s] = k[s, d]; columns past S are zero. Four by four where SSE is there: a transposition is half of the cost of a small head.
void transpose_keys(const float* k, int64_t S, int64_t D, int64_t S16, float* keys) {
  int64_t s = 0;
#if defined(__AVX2__)
  for (; s + 4 <= S; s += 4) {
    int64_t d = 0;
    for (; d + 4 <= D; d += 4) {
      const float* from = k + s * D + d;
      __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + D), c = _mm_loadu_ps(from + 2 * D), e = _mm_loadu_ps(from + 3 * D);
      _MM_TRANSPOSE4_PS(a, b, c, e);
      float* to = keys + d * S16 + s;
      _mm_storeu_ps(to, a);
      _mm_storeu_ps(to + S16, b);
      _mm_storeu_ps(to + 2 * S16, c);
      _mm_storeu_ps(to + 3 * S16, e);
    }
    for (; d < D; ++d) {
      for (int64_t i = 0; i < 4; ++i) keys[d * S16 + s + i] = k[(s + i) * D + d];
    }
  }
#endif
  for (; s < S; ++s) {
    for (int64_t d = 0; d < D; ++d) keys[d * S16 + s] = k[s * D + d];
  }
  for (int64_t d = 0; d < D; ++d) {
    for (int64_t i = S; i < S16; ++i) keys[d * S16 + i] = 0;
  }
}

// weights[r, j] = (q k^T)[t + r, j] * scale + mask, for panels [p, p + P).
template <int R, int P>
void score_tile(const AttentionArgs& a, const Head& h, int64_t t, int64_t p) {
  Tile<R, P, 1> s;
  unroll<R>([&](auto r) TERN_INLINE_CALL { unroll<P>([&](auto c) TERN_INLINE_CALL { s.acc[r.v][c.v][0] = zero(); }); });
  accumulate(s, h.q + t * a.D, a.D, h.keys + p * 16, h.S16, a.D);
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto c) TERN_INLINE_CALL {
      const int64_t j = (p + c.v) * 16, n = a.S - j < 16 ? a.S - j : 16;
      f32x16 v = s.acc[r.v][c.v][0] * splat(a.scale);
      if (h.mask != nullptr) {
        const float* mask = h.mask + (t + r.v) * a.mask_row;
        v = v + (a.mask_column == 0 ? splat(mask[0]) : n == 16 ? load(mask + j) : load_n(mask + j, n));
      }
      store(a.weights + r.v * h.S16 + j, v);
    });
  });
}
template <int R>
void scores(const AttentionArgs& a, const Head& h, int64_t t) {
  const int64_t panels = h.S16 / 16;
  int64_t p = 0;
  for (; p + kScorePanels <= panels; p += kScorePanels) score_tile<R, kScorePanels>(a, h, t, p);
  if constexpr (kScorePanels > 3) {
    if (panels - p == 3) score_tile<R, 3>(a, h, t, p);
  }
  if constexpr (kScorePanels > 2) {
    if (panels - p == 2) score_tile<R, 2>(a, h, t, p);
  }
  if constexpr (kScorePanels > 1) {
    if (panels - p == 1) score_tile<R, 1>(a, h, t, p);
  }
}

// One row of scores becomes exponentials; returns 1 / their sum. The last vector's lanes past S count as -inf.
TERN_INLINE float exponentials(float* w, int64_t S, int64_t S16) {
  const int64_t last = S16 - 16;
  const mask16 there = lanes_below(S - last);
  const f32x16 rest = select(there, load(w + last), splat(-__builtin_inff()));
  f32x16 top = rest;
  for (int64_t j = 0; j < last; j += 16) top = max_raw(load(w + j), top);
  const f32x16 m = splat(reduce_max_raw(top));
  f32x16 sum = zero();
  for (int64_t j = 0; j < last; j += 16) {
    const f32x16 e = exp_nonpositive(load(w + j) - m);
    store(w + j, e);
    sum = sum + e;
  }
  const f32x16 e = select(there, exp_nonpositive(rest - m), zero());
  store(w + last, e);
  return 1.0f / reduce_add(sum + e);
}

template <int R, int P>
TERN_INLINE void result_tile(const AttentionArgs& a, const Head& h, int64_t t, int64_t p, const float* inverse) {
  Tile<R, P, 2> s;
  unroll<R>([&](auto r) TERN_INLINE_CALL { unroll<P>([&](auto c) TERN_INLINE_CALL { s.acc[r.v][c.v][0] = s.acc[r.v][c.v][1] = zero(); }); });
  accumulate(s, a.weights, h.S16, h.v + p * 16, h.v_stride, a.S);
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto c) TERN_INLINE_CALL {
      const int64_t i = (p + c.v) * 16;
      const f32x16 v = total(s, r.v, c.v) * splat(inverse[r.v]);
      float* y = h.y + (t + r.v) * a.E + i;
      if (a.E - i >= 16) {
        store(y, v);
      } else {
        store_n(y, v, a.E - i);
      }
    });
  });
}

template <int R>
void rows(const AttentionArgs& a, const Head& h, int64_t t) {
  scores<R>(a, h, t);
  float inverse[R];
  for (int64_t r = 0; r < R; ++r) inverse[r] = exponentials(a.weights + r * h.S16, a.S, h.S16);
  const int64_t panels = (a.E + 15) / 16;
  int64_t p = 0;
  for (; p + kResultPanels <= panels; p += kResultPanels) result_tile<R, kResultPanels>(a, h, t, p, inverse);
  if constexpr (kResultPanels > 1) {
    if (p < panels) result_tile<R, 1>(a, h, t, p, inverse);
  }
}

template <int R>
TERN_INLINE void rows_of(int64_t r, const AttentionArgs& a, const Head& h, int64_t t) {
  if (r == R) {
    rows<R>(a, h, t);
  } else if constexpr (R > 1) {
    rows_of<R - 1>(r, a, h, t);
  }
}

void attention(const AttentionArgs& a) {
  const int64_t S16 = (a.S + 15) / 16 * 16, E16 = (a.E + 15) / 16 * 16;
  for (int64_t head = 0; head < a.heads; ++head) {
    Head h{a.q + head * a.T * a.D,
           a.keys,
           a.v + head * a.S * a.E,
           a.mask == nullptr ? nullptr : a.mask + a.mask_head[head],
           a.y + head * a.T * a.E,
           S16,
           a.E};
    transpose_keys(a.k + head * a.S * a.D, a.S, a.D, S16, a.keys);
    if (a.values != nullptr) {
      for (int64_t s = 0; s < a.S; ++s) {
        for (int64_t i = 0; i < E16; i += 16) store(a.values + s * E16 + i, load_n(h.v + s * a.E + i, a.E - i < 16 ? a.E - i : 16));
      }
      h.v = a.values;
      h.v_stride = E16;
    }
    const int64_t count = (a.T + kRows - 1) / kRows, each = a.T / count, longer = a.T % count;  // rows split evenly
    for (int64_t i = 0, t = 0; i < count; ++i) {
      const int64_t r = each + (i < longer);
      rows_of<kRows>(r, a, h, t);
      t += r;
    }
  }
}

}  // namespace

constinit const KernelRow attention_f32 = row<AttentionArgs, attention>("attention/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
