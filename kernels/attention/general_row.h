// One row of the general Attention, in pieces that a CPU calls in turn and a device from many threads: see general.h for the formula. Nothing
// depends on which thread calls what: every sum is of one thread, in ascending order. Next: general.cpp, general.cu.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/elementwise/portable.h"
#include "kernels/portable_math.h"
#include "kernels/row.h"

namespace tern {

struct GeneralAttentionArgs {
  const void *q, *k, *v, *mask, *past_key, *past_value;
  const int64_t* valid;  // [B], how many keys are no padding; null: all
  void *y, *present_key, *present_value, *qk;
  int64_t heads, group, S, T, P, D, Dv;  // group: heads for one of K and V
  HeadLayout q_at, k_at, v_at, y_at;
  int64_t mask_batch, mask_head, mask_row, masked_from;  // strides of the mask; keys behind it are masked
  double scale, softcap;
  AttentionMask kind;
  int64_t before, after;   // how far a row sees on each side of its place
  int mode;                // of qk
  double *weights, *sums;  // [T], [Dv]; on a device [kGeneralBlocks, T], and none
  bool writes_present;
  int64_t batches, kv_heads;
  int64_t begin, end;  // rows: of B * heads * S
};

namespace general {

constexpr double kInfinity = __builtin_inf();

struct RowPlace {
  int64_t b, h, s, kv, past, mask, valid, offset;
};
TERN_HD inline RowPlace place_of(const GeneralAttentionArgs& a, int64_t row) {
  RowPlace r{};
  r.s = row % a.S;
  r.h = row / a.S % a.heads;
  r.b = row / a.S / a.heads;
  r.kv = r.h / a.group;
  r.past = (r.b * a.kv_heads + r.kv) * a.P;
  r.mask = r.b * a.mask_batch + r.h * a.mask_head + r.s * a.mask_row;
  r.valid = a.T;
  if (a.valid != nullptr) {
    const int64_t given = a.valid[r.b];
    r.valid = given < 0 ? 0 : given > a.T ? a.T : given;
  }
  r.offset = a.valid == nullptr ? a.P : r.valid - a.S;
  return r;
}

// The score of key j as the softmax takes it, and what was added to it; writes qk where that is asked for.
struct Score {
  double masked, bias;
};
template <class T>
TERN_HD inline Score score(const GeneralAttentionArgs& a, const RowPlace& r, int64_t row, int64_t j) {
  const T* q = static_cast<const T*>(a.q) + a.q_at.at(r.b, r.h, r.s);  // [D]
  const T* key = j < a.P ? static_cast<const T*>(a.past_key) + (r.past + j) * a.D : static_cast<const T*>(a.k) + a.k_at.at(r.b, r.kv, j - a.P);
  double sum = 0;
  for (int64_t d = 0; d < a.D; ++d) sum += widen(q[d]) * widen(key[d]);
  sum *= a.scale;
  const double capped = a.softcap == 0 ? sum : a.softcap * portable::tanh(sum / a.softcap);
  bool takes_part = (j < r.valid) & (j <= r.s + r.offset + a.after) & (j >= r.s + r.offset - a.before) & (j < a.masked_from);
  double bias = 0;
  if (a.kind == AttentionMask::bools && j < a.masked_from) takes_part &= static_cast<const uint8_t*>(a.mask)[r.mask + j] != 0;
  if (a.kind == AttentionMask::floats && j < a.masked_from) bias = widen(static_cast<const T*>(a.mask)[r.mask + j]);
  bias = portable::select(takes_part, bias, -kInfinity);
  const double masked = portable::select(bias == -kInfinity, -kInfinity, capped + bias);
  if (a.qk != nullptr && a.mode < 3) static_cast<T*>(a.qk)[row * a.T + j] = narrow<T>(a.mode == 0 ? sum : a.mode == 1 ? capped : masked);
  return {masked, bias};
}

// Element d of value j.
template <class T>
TERN_HD inline double value(const GeneralAttentionArgs& a, const RowPlace& r, int64_t j, int64_t d) {
  return widen(j < a.P ? static_cast<const T*>(a.past_value)[(r.past + j) * a.Dv + d]
                       : static_cast<const T*>(a.v)[a.v_at.at(r.b, r.kv, j - a.P) + d]);
}

}  // namespace general

namespace cuda {
extern const KernelRow kGeneralAttention[4];  // general_launch.cpp
constexpr int kGeneralThreads = 128;
constexpr int64_t kGeneralBlocks = 264;  // each with a row of weights: two for each multiprocessor of an H100
}  // namespace cuda

}  // namespace tern
