// The attention kernel: for each head (of those that share keys) k is transposed once, then a few rows of q at a time are multiplied with it in register tiles,
// turned into weights in a buffer that stays in L1, and multiplied with v. The tiles are those of the matrix product (gemm/tile.h).
#include "kernels/attention/attention.h"

#include "kernels/attention/weights_row.h"
#include "kernels/gemm/tile.h"

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
  HeadMask mask;
  const float *q, *v, *past_v;
  float* y;
  int64_t S16, v_stride, past;  // past: how many values are past_v's
};

// to[d, s] = k[s, d] of `count` keys, `stride` apart; rows of `to` are `columns` long. Four by four where SSE is there: a transposition is a good part
// of a small head.
void transpose(const float* k, int64_t stride, int64_t count, int64_t D, float* to, int64_t columns) {
  int64_t s = 0;
#if defined(__AVX2__)
  for (; s + 4 <= count; s += 4) {
    int64_t d = 0;
    for (; d + 4 <= D; d += 4) {
      const float* from = k + s * stride + d;
      __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + stride), c = _mm_loadu_ps(from + 2 * stride), e = _mm_loadu_ps(from + 3 * stride);
      _MM_TRANSPOSE4_PS(a, b, c, e);
      float* at = to + d * columns + s;
      _mm_storeu_ps(at, a);
      _mm_storeu_ps(at + columns, b);
      _mm_storeu_ps(at + 2 * columns, c);
      _mm_storeu_ps(at + 3 * columns, e);
    }
    for (; d < D; ++d) {
      for (int64_t i = 0; i < 4; ++i) to[d * columns + s + i] = k[(s + i) * stride + d];
    }
  }
#endif
  for (; s < count; ++s) {
    for (int64_t d = 0; d < D; ++d) to[d * columns + s] = k[s * stride + d];
  }
}
// The columns of the group of key s.
TERN_INLINE int64_t columns_at(int64_t s, int64_t S16) {
  const int64_t left = S16 - s / kKeyGroup * kKeyGroup;
  return left < kKeyGroup ? left : kKeyGroup;
}
// Keys [first, end) of the groups, from k on.
void place_keys(const AttentionArgs& a, int64_t S16, const float* k, int64_t stride, int64_t first, int64_t end) {
  while (first < end) {
    const int64_t in_group = first % kKeyGroup, left = kKeyGroup - in_group, n = end - first < left ? end - first : left;
    transpose(k, stride, n, a.D, a.keys + (first - in_group) * a.D + in_group, columns_at(first, S16));
    k += n * stride;
    first += n;
  }
}

// to[s, i] = from[s, i] for i below `width`, rows of `to` padded with zeros to whole vectors where they are `padded` apart.
void copy_rows(float* to, int64_t padded, const float* from, int64_t stride, int64_t count, int64_t width) {
  for (int64_t s = 0; s < count; ++s) {
    int64_t i = 0;
    for (; i + 16 <= width; i += 16) store(to + s * padded + i, load(from + s * stride + i));
    if (i == width) continue;
    const f32x16 rest = load_n(from + s * stride + i, width - i);
    if (i + 16 <= padded) store(to + s * padded + i, rest);
    else store_n(to + s * padded + i, rest, width - i);
  }
}

// weights[r, j] = (q k^T)[t + r, j] * scale + mask, for panels [p, p + P).
template <int R, int P>
void score_tile(const AttentionArgs& a, const Head& h, int64_t t, int64_t p) {
  Tile<R, P, 1> s;
  unroll<R>([&](auto r) TERN_INLINE_CALL { unroll<P>([&](auto c) TERN_INLINE_CALL { s.acc[r.v][c.v][0] = zero(); }); });
  const int64_t column = p * 16 % kKeyGroup;
  accumulate(s, h.q + t * a.q_at.place, a.q_at.place, a.keys + (p * 16 - column) * a.D + column, columns_at(p * 16, h.S16), a.D);
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto c) TERN_INLINE_CALL {
      const int64_t j = (p + c.v) * 16, n = a.S - j < 16 ? a.S - j : 16;
      f32x16 v = s.acc[r.v][c.v][0] * splat(a.scale);
      if (h.mask.bias != nullptr && !a.hides) {
        const float* mask = h.mask.bias + (t + r.v) * a.mask_row;
        v = v + (a.mask_column == 0 ? splat(mask[0]) : n == 16 ? load(mask + j) : load_n(mask + j, n));
      }
      store(a.weights + r.v * h.S16 + j, v);
    });
  });
}
template <int R>
void scores(const AttentionArgs& a, const Head& h, int64_t t, KeyRange range) {
  const int64_t panels = (range.to + 15) / 16;
  int64_t p = range.from / 16;
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

// The chains of even and odd j go on with values [from, to), `stride` apart.
template <int R, int P>
TERN_INLINE void add_values(Tile<R, P, 2>& s, const float* weights, int64_t S16, const float* v, int64_t stride, int64_t from, int64_t to) {
  if (from < to && from % 2 != 0) {
    unroll<P>([&](auto c) TERN_INLINE_CALL {
      const f32x16 b = load(v + c.v * 16);
      unroll<R>([&](auto r) TERN_INLINE_CALL { s.acc[r.v][c.v][1] = fma(splat(weights[r.v * S16 + from]), b, s.acc[r.v][c.v][1]); });
    });
    v += stride;
    ++from;
  }
  accumulate(s, weights + from, S16, v, stride, to - from);
}

template <int R, int P>
TERN_INLINE void result_tile(const AttentionArgs& a, const Head& h, int64_t t, int64_t p, KeyRange range, const RowScale* scales) {
  Tile<R, P, 2> s;
  unroll<R>([&](auto r) TERN_INLINE_CALL { unroll<P>([&](auto c) TERN_INLINE_CALL { s.acc[r.v][c.v][0] = s.acc[r.v][c.v][1] = zero(); }); });
  const int64_t past = h.past < range.from ? range.from : h.past < range.to ? h.past : range.to;
  if (range.from < past) add_values(s, a.weights, h.S16, h.past_v + range.from * a.E + p * 16, a.E, range.from, past);
  add_values(s, a.weights, h.S16, h.v + (past - h.past) * h.v_stride + p * 16, h.v_stride, past, range.to);
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto c) TERN_INLINE_CALL {
      const int64_t i = (p + c.v) * 16;
      store_columns(h.y + (t + r.v) * a.y_at.place + i, scaled(total(s, r.v, c.v), scales[r.v]), lanes(a.E - i));
    });
  });
}

template <int R>
void rows(const AttentionArgs& a, const Head& h, int64_t t, KeyRange range) {
  scores<R>(a, h, t, range);
  RowScale scales[R];
  for (int64_t r = 0; r < R; ++r) scales[r] = weigh(a, h.mask, t + r, range, a.weights + r * h.S16);
  const int64_t panels = (a.E + 15) / 16;
  int64_t p = 0;
  constexpr int kMost = 2 * R <= kRows ? 2 * kResultPanels : kResultPanels;
  for (; p + kMost <= panels; p += kMost) result_tile<R, kMost>(a, h, t, p, range, scales);
  if constexpr (kMost > 2) {
    if (p + 2 <= panels) {
      result_tile<R, 2>(a, h, t, p, range, scales);
      p += 2;
    }
  }
  if constexpr (kMost > 1) {
    if (p < panels) result_tile<R, 1>(a, h, t, p, range, scales);
  }
}

template <int R>
TERN_INLINE void rows_of(int64_t r, const AttentionArgs& a, const Head& h, int64_t t, KeyRange range) {
  if (r == R) {
    rows<R>(a, h, t, range);
  } else if constexpr (R > 1) {
    rows_of<R - 1>(r, a, h, t, range);
  }
}

// keys and values as the tiles read them: transposed, and, where a row is no whole vectors, copied.
void prepare(const AttentionArgs& a, int64_t b, int64_t kv, Head& h) {
  const int64_t past = (b * (a.heads / a.group) + kv) * a.P, now = a.S - a.P, E16 = (a.E + 15) / 16 * 16;
  place_keys(a, h.S16, a.past_key + past * a.D, a.D, 0, a.P);
  place_keys(a, h.S16, a.k + a.k_at.at(b, kv, 0), a.k_at.place, a.P, a.S);
  float* last = a.keys + (a.S - 1) / kKeyGroup * kKeyGroup * a.D;  // [D, columns]
  const int64_t columns = columns_at(a.S - 1, h.S16);
  for (int64_t d = 0; d < a.D; ++d) {
    for (int64_t i = columns - (h.S16 - a.S); i < columns; ++i) last[d * columns + i] = 0;
  }
  h.past = a.P;
  h.past_v = a.past_value + past * a.E;
  h.v = a.v + a.v_at.at(b, kv, 0);
  h.v_stride = a.v_at.place;
  if (a.values == nullptr) return;
  copy_rows(a.values, E16, h.past_v, a.E, a.P, a.E);
  copy_rows(a.values + a.P * E16, E16, h.v, h.v_stride, now, a.E);
  h.past = 0;
  h.v = a.values;
  h.v_stride = E16;
}

// present = past, then what is new, of one head of k or v: [S, width], dense.
void write_present(const AttentionArgs& a, float* present, const float* past, const float* now, const HeadLayout& at, int64_t width, int64_t b,
                   int64_t kv) {
  const int64_t head = b * (a.heads / a.group) + kv;
  copy_rows(present + head * a.S * width, width, past + head * a.P * width, width, a.P, width);
  copy_rows(present + (head * a.S + a.P) * width, width, now + at.at(b, kv, 0), at.place, a.S - a.P, width);
}

void attention(const AttentionArgs& a) {
  const int64_t kv_heads = a.heads / a.group;
  for (int64_t i = a.present_begin; i < a.present_end; ++i) {
    const int64_t b = i / kv_heads, kv = i % kv_heads;
    if (a.present_key != nullptr) write_present(a, a.present_key, a.past_key, a.k, a.k_at, a.D, b, kv);
    if (a.present_value != nullptr) write_present(a, a.present_value, a.past_value, a.v, a.v_at, a.E, b, kv);
  }
  Head h{};
  h.S16 = (a.S + 15) / 16 * 16;
  for (int64_t i = a.begin; i < a.end; ++i) {
    const int64_t b = i / a.heads, head = i % a.heads;
    if (i == a.begin || head % a.group == 0) prepare(a, b, head / a.group, h);
    h.mask = mask_of(a, b, head);
    h.q = a.q + a.q_at.at(b, head, 0);
    h.y = a.y + a.y_at.at(b, head, 0);
    for (int64_t first = 0; first < a.T; first += a.block) {
      const int64_t n = a.T - first < a.block ? a.T - first : a.block;
      const KeyRange range = keys_of(a, first, n);
      const int64_t count = (n + kRows - 1) / kRows, each = n / count, longer = n % count;  // rows split evenly
      for (int64_t c = 0, t = first; c < count; ++c) {
        const int64_t r = each + (c < longer);
        rows_of<kRows>(r, a, h, t, range);
        t += r;
      }
    }
  }
}

}  // namespace

constinit const KernelRow attention_f32 = row<AttentionArgs, attention>("attention/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
