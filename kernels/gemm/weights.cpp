// Packing and binding of weights in fewer bits. See weights.h.
#include "kernels/gemm/weights.h"

#include <cmath>

#include "kernels/gemm/product.h"
#include "kernels/op.h"
#include "kernels/quantize/integer.h"
#include "runtime/base/checked.h"
#include "runtime/base/cpu_vnni.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

// f(k, n, at): element (k, n) of [K/T][G*16] lanes of T terms lies at `at`, counted in elements.
template <int T, class F>
void each_weight(int64_t n, int64_t k, F f) {
  const PanelGroups groups(n);
  for (int64_t g = 0; g < groups.groups; ++g) {
    const int64_t begin = groups.first(g) * kPanel, width = groups.first(g + 1) * kPanel - begin;
    const int64_t columns = std::min(width, n - begin);
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t j = 0; j < columns; ++j) f(i, begin + j, begin * T * ((k + T - 1) / T) + (i / T * width + j) * T + i % T);
    }
  }
}

}  // namespace

float int8_scale(const float* w, int64_t k_stride, int64_t k, float alpha) {
  float most = 0;
  bool finite = true;
  for (int64_t i = 0; i < k; ++i) {
    const float size = std::fabs(alpha * w[i * k_stride]);
    finite &= size <= 3.402823466e38f;
    most = std::max(most, size);
  }
  return finite ? most / 127 : NAN;
}
int8_t to_int8(float w, float scale) {
  if (!(scale > 0)) return 0;
  return static_cast<int8_t>(std::clamp(std::rint(w / scale), -127.0f, 127.0f));
}

void pack_weights(WeightForm form, const float* w, int64_t k_stride, int64_t n_stride, int64_t n, int64_t k, float alpha, void* packed) {
  if (form == WeightForm::bf16) {
    auto* to = static_cast<bf16*>(packed);
    each_weight<2>(n, 2 * pairs_of(k), [&](int64_t i, int64_t j, int64_t at) {
      to[at ^ 1] = i < k ? to_bf16(alpha * w[i * k_stride + j * n_stride]) : kNoTerm;  // little-endian: element 1 is the upper half
    });
    return;
  }
  auto* scales = static_cast<float*>(packed);
  auto* to = reinterpret_cast<int8_t*>(scales + padded_columns(n));
  for (int64_t j = 0; j < n; ++j) scales[j] = int8_scale(w + j * n_stride, k_stride, k, alpha);
  each_weight<2>(n, k, [&](int64_t i, int64_t j, int64_t at) { to[at] = to_int8(alpha * w[i * k_stride + j * n_stride], scales[j]); });
}

void pack_quads(const float* w, int64_t k_stride, int64_t n_stride, int64_t n, int64_t k, const float* given, void* packed) {
  auto* scales = static_cast<float*>(packed);
  auto* begins = reinterpret_cast<int32_t*>(scales + padded_columns(n));
  auto* to = reinterpret_cast<int8_t*>(begins + padded_columns(n));
  for (int64_t j = 0; j < n; ++j) scales[j] = given != nullptr ? given[j] : int8_scale(w + j * n_stride, k_stride, k, 1.0f);
  each_weight<4>(n, k, [&](int64_t i, int64_t j, int64_t at) {
    to[at] = to_int8(w[i * k_stride + j * n_stride], scales[j]);
    begins[j] -= kByteBias * to[at];
  });
}

bool keeps_weights(WeightForm form, int64_t n, int64_t k) {
  if (form == WeightForm::f32 || gemm_chains(n, k) == 0) return false;
  const auto elements = checked_mul(n, k);
  return elements && *elements >= kLeastWeights && (form == WeightForm::bf16 || k <= kMostInt8Terms);
}

bool keeps_weights(const BindContext& c, const Product& p) {
  const bool plain = p.x_k == 1 && (p.bias < 0 || bias_is_ready(p));
  return plain && c.in(1).constant && keeps_weights(c.products.weights, p.n, p.k);
}

Status bind_weights(BindContext& c, const Product& p) {
  const WeightForm form = c.products.weights;
  c.keep_weights();
  WeightsArgs& a = c.args<WeightsArgs>();
  const Share s = share(c, p, true);
  if (s.empty()) return {};
  const int64_t one = round_up(weight_bytes(form, p.n, p.k), 64), plain = p.n * p.k, matrices = c.in(1).count() / plain, first = s.rows.begin;
  Batch batch = p.batch;
  for (int64_t& step : batch.w) step = step / plain * one;
  const auto total = checked_mul(one, matrices);
  if (!total) return unsupported("packed weights of more than 2^63 bytes");
  const std::string tag = std::string("gemm/") + (form == WeightForm::bf16 ? "bf16/" : "int8/") + pack_tag(p);
  c.set(a.weights, c.packed<std::byte, float>(
                       1, tag, *total, [=, w_k = p.w_k, w_column = p.w_column, n = p.n, k = p.k, alpha = p.alpha](const float* w, std::byte* packed) {
                         for (int64_t i = 0; i < matrices; ++i) pack_weights(form, w + i * plain, w_k, w_column, n, k, alpha, packed + i * one);
                       }));
  PanelArgs& g = a.panel;
  g.chains = gemm_chains(p.n, p.k);
  g.m = s.rows.end - first;
  g.n = g.ldy = p.n;
  g.k = p.k;
  g.lda = p.x_row;
  g.group_begin = s.groups.begin;
  g.group_end = s.groups.end;
  g.epilogue = p.epilogue;
  c.set(g.x, c.input<const float>(0) + first * p.x_row);
  c.set(g.y, c.output<float>(0) + first * p.n);
  if (p.bias >= 0) {
    g.bias_stride = p.bias_rows == 1 ? 0 : p.n;
    c.set(g.bias, c.input<const float>(static_cast<size_t>(p.bias)) + first * g.bias_stride);
  }
  if (p.residual >= 0) c.set(g.residual, c.input<const float>(static_cast<size_t>(p.residual)) + first * p.n);
  if (form == WeightForm::int8) c.set(a.rows, c.workspace<int16_t>(kInt8Rows * int8_row(p.k)));
  a.batches = s.batch.end - s.batch.begin;
  if (p.batch.count() > 1) c.set(a.batch, table_of(c, batch, s.batch));
  if (form == WeightForm::bf16) c.run(*pick(rows_of<TERN_ON_EACH_ISA(gemm_weights_bf16)>, DType::f32, c.isa));
  else c.run(*pick(rows_of<TERN_ON_EACH_ISA(gemm_weights_int8)>, DType::f32, integer_isa(c.isa, has_vnni())));
  return {};
}

}  // namespace tern
