// Packing of constant weights: once per model. See panel.h.
#include "kernels/gemm/panel.h"

#include <algorithm>

#include "kernels/turn_four.h"

namespace tern {
namespace {

// alpha times four columns of four rows, as rows of `to`.
void turn_four_times(float alpha, const float* from, int64_t from_row, float* to, int64_t to_row) {
  FourRows rows = load_four_rows(from, from_row);
  for (Four& row : rows.row) row *= alpha;
  const FourRows out = turned(rows);
  for (int i = 0; i < 4; ++i) store_four(to + i * to_row, out.row[i]);
}

#ifdef __x86_64__
typedef float Eight __attribute__((vector_size(32)));
[[gnu::target("avx2"), gnu::always_inline]] inline Eight load_two_fours(const float* p, const float* q) {
  return __builtin_shufflevector(load_four(p), load_four(q), 0, 1, 2, 3, 4, 5, 6, 7);
}
// The same of eight columns: their halves lie beside each other, so that each of AVX's lanes of four is turned as alone.
[[gnu::target("avx2"), gnu::always_inline]] inline void turn_eight_times(float alpha, const float* w, int64_t n_stride, float* out, int64_t width) {
  const float* later = w + 4 * n_stride;
  const Eight a = load_two_fours(w, later) * alpha, b = load_two_fours(w + n_stride, later + n_stride) * alpha;
  const Eight c = load_two_fours(w + 2 * n_stride, later + 2 * n_stride) * alpha, d = load_two_fours(w + 3 * n_stride, later + 3 * n_stride) * alpha;
  const Eight ac = __builtin_shufflevector(a, c, 0, 8, 1, 9, 4, 12, 5, 13), ac2 = __builtin_shufflevector(a, c, 2, 10, 3, 11, 6, 14, 7, 15);
  const Eight bd = __builtin_shufflevector(b, d, 0, 8, 1, 9, 4, 12, 5, 13), bd2 = __builtin_shufflevector(b, d, 2, 10, 3, 11, 6, 14, 7, 15);
  const auto store = [=](int row, const Eight& y) { __builtin_memcpy(out + row * width, &y, sizeof y); };
  store(0, __builtin_shufflevector(ac, bd, 0, 8, 1, 9, 4, 12, 5, 13));
  store(1, __builtin_shufflevector(ac, bd, 2, 10, 3, 11, 6, 14, 7, 15));
  store(2, __builtin_shufflevector(ac2, bd2, 0, 8, 1, 9, 4, 12, 5, 13));
  store(3, __builtin_shufflevector(ac2, bd2, 2, 10, 3, 11, 6, 14, 7, 15));
}
// As many columns as there are eights of; how many these are.
[[gnu::target("avx2")]] int64_t turn_eights(float alpha, const float* w, int64_t n_stride, int64_t columns, int64_t rows, float* out, int64_t width) {
  int64_t j = 0;
  for (; columns - j >= 8; j += 8) {
    for (int64_t i = 0; i < rows; i += 4) turn_eight_times(alpha, w + j * n_stride + i, n_stride, out + i * width + j, width);
  }
  return j;
}
#endif

}  // namespace

// One line of every column at a time: columns of a group would otherwise take lines from each other in the first cache.
void pack_transposed(const float* w, int64_t n_stride, int64_t columns, int64_t k, float alpha, float* out, int64_t width) {
  constexpr int64_t kLine = 16;
#ifdef __x86_64__
  static const bool avx2 = __builtin_cpu_supports("avx2");
#endif
  for (int64_t first = 0; first < k; first += kLine) {
    const int64_t last = std::min(k, first + kLine);
    int64_t j = 0;
#ifdef __x86_64__
    if (avx2 && (last - first) % 4 == 0) j = turn_eights(alpha, w + first, n_stride, columns, last - first, out + first * width, width);
#endif
    for (; j < columns; j += 4) {
      int64_t i = first;
      for (; columns - j >= 4 && i + 4 <= last; i += 4) turn_four_times(alpha, w + j * n_stride + i, n_stride, out + i * width + j, width);
      for (; i < last; ++i) {
        for (int64_t c = j; c < std::min(j + 4, columns); ++c) out[i * width + c] = alpha * w[c * n_stride + i];
      }
    }
  }
}

void pack_weights(const float* w, int64_t k_stride, int64_t n_stride, int64_t n, int64_t k, float alpha, int chains, float* packed) {
  if (chains == 0) {
    const int64_t row = (k + 15) / 16 * 16;
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t i = 0; i < k; ++i) packed[j * row + i] = alpha * w[i * k_stride + j * n_stride];
    }
    return;
  }
  const PanelGroups groups(n);
  for (int64_t g = 0; g < groups.groups; ++g) {
    const int64_t begin = groups.first(g) * kPanel, width = groups.first(g + 1) * kPanel - begin;
    const int64_t columns = width < n - begin ? width : n - begin;
    float* out = packed + begin * k;  // [K,width]
    if (k_stride == 1) {
      pack_transposed(w + begin * n_stride, n_stride, columns, k, alpha, out, width);
      continue;
    }
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t j = 0; j < columns; ++j) out[i * width + j] = alpha * w[i * k_stride + (begin + j) * n_stride];
    }
  }
}

}  // namespace tern
