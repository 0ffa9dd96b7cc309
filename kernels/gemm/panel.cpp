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

}  // namespace

// One line of every column at a time: columns of a group would otherwise take lines from each other in the first cache.
void pack_transposed(const float* w, int64_t n_stride, int64_t columns, int64_t k, float alpha, float* out, int64_t width) {
  constexpr int64_t kLine = 16;
  for (int64_t first = 0; first < k; first += kLine) {
    const int64_t last = std::min(k, first + kLine);
    for (int64_t j = 0; j < columns; j += 4) {
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
