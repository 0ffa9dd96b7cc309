// One call of a f32 product: prepares what is no constant, then runs the panels for each matrix of the batch. See gemm.h.
#include "kernels/gemm/gemm.h"

#include "kernels/gemm/tile.h"

namespace tern::TERN_ISA {
namespace {

void transpose(const float* x, int64_t x_stride, int64_t m, int64_t k, float* rows) {
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t i = 0; i < k; ++i) rows[r * k + i] = x[i * x_stride + r];
  }
}

// The columns past the last whole panel of w in place, as [K,16].
void copy_tail(const float* w, int64_t w_stride, int64_t k, int64_t columns, float* tail) {
  for (int64_t i = 0; i < k; ++i) store(tail + i * kPanel, load_n(w + i * w_stride, columns));
}

[[gnu::noinline]] void prepared(const GemmArgs& a) {
  if (a.bias != nullptr) {
    for (int64_t r = 0; r < a.bias_rows; ++r) {
      for (int64_t j = 0; j < a.panel.n; ++j) a.bias[r * a.panel.n + j] = a.beta * a.c[r * a.c_row + j * a.c_column];
    }
  }
  int64_t ready = -1;  // the offset of the w that was prepared last
  for (int64_t b = 0; b < a.batches; ++b) {
    PanelArgs p = a.panel;
    const BatchOffset at = a.batch[b];
    p.x += at.x;
    p.y += at.y;
    if (p.residual != nullptr) p.residual += at.y;
    if (a.x_rows != nullptr) {
      transpose(p.x, a.x_stride, p.m, p.k, a.x_rows);
      p.x = a.x_rows;
    }
    if (a.pack.packed != nullptr) {
      if (at.w != ready) {
        PanelPackArgs pack = a.pack;
        pack.w += at.w;
        panel_pack(pack);
      }
    } else {
      p.w += at.w;
      if (a.tail != nullptr && at.w != ready) {
        const int64_t whole = p.n / kPanel * kPanel;
        copy_tail(p.w + whole, p.w_stride, p.k, p.n - whole, a.tail);
      }
    }
    ready = at.w;
    panel_gemm(p);
  }
}

void gemm(const GemmArgs& a) {
  if (a.batch == nullptr) return panel_gemm(a.panel);
  prepared(a);
}

}  // namespace

constinit const KernelRow gemm_f32 = row<GemmArgs, gemm>("gemm/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
