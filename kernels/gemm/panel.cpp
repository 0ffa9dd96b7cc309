// Packing of constant weights: once per model. See panel.h.
#include "kernels/gemm/panel.h"

namespace tern {

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
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t j = 0; j < columns; ++j) out[i * width + j] = alpha * w[i * k_stride + (begin + j) * n_stride];
    }
  }
}

}  // namespace tern
