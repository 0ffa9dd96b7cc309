// Packing of constant weights: once per model. See panel.h.
#include "kernels/gemm/panel.h"

#include <algorithm>
#include <cstring>

namespace tern {
namespace {

// alpha times four columns of four rows, as rows of `to`.
void transpose_four(const float* from, int64_t from_row, float alpha, float* to, int64_t to_row) {
  typedef float Four __attribute__((vector_size(16)));
  Four r[4];
  for (int i = 0; i < 4; ++i) {
    std::memcpy(&r[i], from + i * from_row, sizeof r[i]);
    r[i] *= alpha;
  }
  const Four a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), b = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const Four c = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7), d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  const Four out[4] = {__builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
                       __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
  for (int i = 0; i < 4; ++i) std::memcpy(to + i * to_row, &out[i], sizeof out[i]);
}

// Some columns of a group where each column's K lie side by side: 16 of them at a time, one line of every column, whose lines the columns of a group would
// otherwise take from each other in the first cache.
void pack_transposed(const float* w, int64_t n_stride, int64_t columns, int64_t k, float alpha, float* out, int64_t width) {
  constexpr int64_t kLine = 16;
  for (int64_t first = 0; first < k; first += kLine) {
    const int64_t last = std::min(k, first + kLine);
    for (int64_t j = 0; j < columns; j += 4) {
      int64_t i = first;
      for (; columns - j >= 4 && i + 4 <= last; i += 4) transpose_four(w + j * n_stride + i, n_stride, alpha, out + i * width + j, width);
      for (; i < last; ++i) {
        for (int64_t c = j; c < std::min(j + 4, columns); ++c) out[i * width + c] = alpha * w[c * n_stride + i];
      }
    }
  }
}

}  // namespace

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
