// The f32 normalisations on a device. Sums have the order of norm.simd.cpp: sixteen lanes (c mod 16), the fixed tree, two passes.
//   short, medium  half a warp a row, which stays in its registers: one read, one write
//   long           a block a row, which stays in shared memory; sixteen threads sum it, in order
//   huge           rows that no shared memory holds pass through it in chunks, once for each sum
//   batch, lrn     a thread an element
// launch.cpp chooses. Next: launch.cpp.
#include "kernels/norm/norm.h"
#include "kernels/norm/norm_device.h"
#include "kernels/simd.h"

namespace tern::cuda {
namespace {

// What differs between the operators that normalise rows: where scale and bias of column c are.
struct ByColumn {
  const RowNormArgs& a;
  __device__ float scale(int64_t c) const { return a.scale[a.scale_index == nullptr ? c : a.scale_index[c]]; }
  __device__ float bias(int64_t c) const { return a.bias == nullptr ? 0.0f : a.bias[a.bias_index == nullptr ? c : a.bias_index[c]]; }
};
template <class Div>
struct ByChannel {
  const GroupNormUnits<Div>& g;
  int64_t first;  // channel of column 0
  __device__ ByChannel(const GroupNormUnits<Div>& group, int64_t row) : g(group), first(row % group.a.groups * group.a.channels_per_group) {}
  __device__ float scale(int64_t c) const { return g.a.scale[first + g.inner.quotient(static_cast<typename Div::Int>(c))]; }
  __device__ float bias(int64_t c) const { return g.a.bias[first + g.inner.quotient(static_cast<typename Div::Int>(c))]; }
};

struct Moments {
  float mean, inv;
};
__device__ float inverse(float squares, float n, float epsilon) { return 1.0f / sqrtf(squares / n + epsilon); }

template <class Parameters>
__device__ float normalized(float x, const Moments& m, const Parameters& p, int64_t c) {
  return fmaf((x - m.mean) * m.inv, p.scale(c), p.bias(c));
}

// kEach elements a thread of a row of at most 16 * kEach. Rows past the last go along, for the shuffles.
template <int kEach, bool kCenter, class Parameters>
__device__ Moments short_row(const float* x, float* y, int64_t cols, float epsilon, bool there, const Parameters& p) {
  const int each = static_cast<int>((cols + 15) / 16);  // the last may be of fewer lanes; the others add 0
  const float n = static_cast<float>(cols);
  float v[kEach];
#pragma unroll
  for (int i = 0; i < kEach; ++i) v[i] = there && 16 * i + lane() < cols ? x[16 * i + lane()] : 0.0f;
  Moments m = {0, 0};
  if (kCenter) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      if (i < each) sum = sum + v[i];
    }
    m.mean = reduce_add(f32x16{sum}) / n;
  }
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const float d = v[i] - m.mean;
    if (16 * i + lane() < cols) squares = fmaf(d, d, squares);
  }
  m.inv = inverse(reduce_add(f32x16{squares}), n, epsilon);
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int c = 16 * i + lane();
    if (there && c < cols) y[c] = normalized(v[i], m, p, c);
  }
  return m;
}

// Sums of elements first .. first + n of a row, which lie at `x`; all threads of a warp call, and its halves do the same.
__device__ float add_to(float sum, const float* x, int64_t n) {
  const int64_t whole = n & ~int64_t(15);
#pragma unroll 4
  for (int64_t c = lane(); c < whole; c += 16) sum = sum + x[c];
  if (whole < n) sum = sum + (whole + lane() < n ? x[whole + lane()] : 0.0f);
  return sum;
}
__device__ float add_squares_to(float sum, const float* x, int64_t n, float mean) {
#pragma unroll 4
  for (int64_t c = lane(); c < n; c += 16) {
    const float d = x[c] - mean;
    sum = fmaf(d, d, sum);
  }
  return sum;
}

template <bool kCenter>
__device__ Moments long_moments(const float* row, int64_t cols, float epsilon) {
  __shared__ Moments shared;
  const float n = static_cast<float>(cols);
  if (threadIdx.x < 32) {
    Moments m = {0, 0};
    if (kCenter) m.mean = reduce_add(f32x16{add_to(0, row, cols)}) / n;
    m.inv = inverse(reduce_add(f32x16{add_squares_to(0, row, cols, m.mean)}), n, epsilon);
    if (threadIdx.x == 0) shared = m;
  }
  __syncthreads();
  return shared;
}

template <bool kCenter, class Parameters>
__device__ Moments long_row(const float* x, float* y, int64_t cols, float epsilon, const Parameters& p) {
  extern __shared__ float row[];  // [cols]
  for (int64_t c = threadIdx.x; c < cols; c += kNormLongBlock) row[c] = x[c];
  __syncthreads();
  const Moments m = long_moments<kCenter>(row, cols, epsilon);
  for (int64_t c = threadIdx.x; c < cols; c += kNormLongBlock) y[c] = normalized(row[c], m, p, c);
  return m;
}

// Calls fold(chunk, its elements) in one warp for each chunk of a row.
template <class Fold>
__device__ void each_chunk(const float* x, int64_t cols, Fold fold) {
  __shared__ float chunk[kNormChunk];
  for (int64_t at = 0; at < cols; at += kNormChunk) {
    const int64_t n = cols - at < kNormChunk ? cols - at : kNormChunk;
    __syncthreads();
    for (int64_t c = threadIdx.x; c < n; c += kNormLongBlock) chunk[c] = x[at + c];
    __syncthreads();
    if (threadIdx.x < 32) fold(chunk, n);
  }
}
template <bool kCenter, class Parameters>
__device__ Moments huge_row(const float* x, float* y, int64_t cols, float epsilon, const Parameters& p) {
  __shared__ Moments shared;
  const float n = static_cast<float>(cols);
  Moments m = {0, 0};
  float sum = 0;
  if (kCenter) {
    each_chunk(x, cols, [&](const float* chunk, int64_t many) { sum = add_to(sum, chunk, many); });
    if (threadIdx.x < 32) m.mean = reduce_add(f32x16{sum}) / n;
  }
  float squares = 0;
  each_chunk(x, cols, [&](const float* chunk, int64_t many) { squares = add_squares_to(squares, chunk, many, m.mean); });
  if (threadIdx.x < 32) {
    m.inv = inverse(reduce_add(f32x16{squares}), n, epsilon);
    if (threadIdx.x == 0) shared = m;
  }
  __syncthreads();
  m = shared;
  for (int64_t c = threadIdx.x; c < cols; c += kNormLongBlock) y[c] = normalized(x[c], m, p, c);
  return m;
}

__device__ void keep(const RowNormArgs& a, int64_t row, const Moments& m) {
  if (a.mean != nullptr) a.mean[row] = m.mean;
  if (a.inv != nullptr) a.inv[row] = m.inv;
}
// The row of this half warp.
__device__ int64_t half_warp_row() { return static_cast<int64_t>(blockIdx.x) * (kNormBlock / 16) + threadIdx.x / 16; }

template <int kEach, bool kCenter>
__device__ void short_rows(const RowNormArgs& a) {
  const int64_t row = half_warp_row();
  const bool there = row < a.rows;
  const Moments m = short_row<kEach, kCenter>(a.x + row * a.cols, a.y + row * a.cols, a.cols, a.epsilon, there, ByColumn{a});
  if (there && lane() == 0) keep(a, row, m);
}
template <bool kCenter>
__device__ void long_rows(const RowNormArgs& a) {
  const int64_t row = blockIdx.x;
  const Moments m = long_row<kCenter>(a.x + row * a.cols, a.y + row * a.cols, a.cols, a.epsilon, ByColumn{a});
  if (threadIdx.x == 0) keep(a, row, m);
}
template <bool kCenter>
__device__ void huge_rows(const RowNormArgs& a) {
  const int64_t row = blockIdx.x;
  const Moments m = huge_row<kCenter>(a.x + row * a.cols, a.y + row * a.cols, a.cols, a.epsilon, ByColumn{a});
  if (threadIdx.x == 0) keep(a, row, m);
}

template <int kEach>
__device__ void short_groups(const GroupNormUnits<FastDiv>& g) {
  const int64_t row = half_warp_row(), n = g.a.channels_per_group * g.a.inner;
  short_row<kEach, true>(g.a.x + row * n, g.a.y + row * n, n, g.a.epsilon, row < g.a.rows, ByChannel<FastDiv>(g, row));
}

template <class Div>
__device__ void batch(const BatchNormUnits<Div>& u) {
  const auto number = static_cast<typename Div::Int>(blockIdx.x) * kNormBlock + threadIdx.x;
  if (number >= u.units) return;
  auto row = u.inner.quotient(number);
  const int64_t c = take_last(row, u.channels);
  const float factor = u.a.scale[c] / sqrtf(u.a.var[c] + u.a.epsilon);
  u.a.y[number] = fmaf(u.a.x[number] - u.a.mean[c], factor, u.a.bias[c]);
}

template <class Div>
__device__ void lrn(const LrnUnits<Div>& u) {
  const auto number = static_cast<typename Div::Int>(blockIdx.x) * kNormBlock + threadIdx.x;
  if (number >= u.units) return;
  const LrnArgs& a = u.a;
  auto row = u.inner.quotient(number);
  const int64_t c = take_last(row, u.channels);
  const int64_t low = c < a.before ? -c : -a.before, high = c + a.after < a.channels ? a.after : a.channels - 1 - c;
  const float* x = a.x + number;  // x + d * inner is channel c + d
  float sum = 0;
  for (int64_t d = low; d <= high; ++d) {
    const float v = x[d * a.inner];
    sum = fmaf(v, v, sum);
  }
  const float s = fmaf(a.alpha_over_size, sum, a.bias), root = sqrtf(s);
  a.y[number] = x[0] / (a.quarters == 4 ? s : a.quarters == 2 ? root : root * sqrtf(root));
}

}  // namespace

extern "C" {
__global__ void layer_norm_short_f32(const RowNormArgs a) { short_rows<kNormShort / 16, true>(a); }
__global__ void layer_norm_medium_f32(const RowNormArgs a) { short_rows<kNormMedium / 16, true>(a); }
__global__ void layer_norm_long_f32(const RowNormArgs a) { long_rows<true>(a); }
__global__ void layer_norm_huge_f32(const RowNormArgs a) { huge_rows<true>(a); }
__global__ void rms_norm_short_f32(const RowNormArgs a) { short_rows<kNormShort / 16, false>(a); }
__global__ void rms_norm_medium_f32(const RowNormArgs a) { short_rows<kNormMedium / 16, false>(a); }
__global__ void rms_norm_long_f32(const RowNormArgs a) { long_rows<false>(a); }
__global__ void rms_norm_huge_f32(const RowNormArgs a) { huge_rows<false>(a); }
__global__ void group_norm_short_f32(const GroupNormUnits<FastDiv> g) { short_groups<kNormShort / 16>(g); }
__global__ void group_norm_medium_f32(const GroupNormUnits<FastDiv> g) { short_groups<kNormMedium / 16>(g); }
__global__ void group_norm_long_f32(const GroupNormUnits<FastDiv> g) {
  const int64_t row = blockIdx.x, n = g.a.channels_per_group * g.a.inner;
  long_row<true>(g.a.x + row * n, g.a.y + row * n, n, g.a.epsilon, ByChannel<FastDiv>(g, row));
}
__global__ void group_norm_huge_f32(const GroupNormUnits<WideDiv> g) {
  const int64_t row = blockIdx.x, n = g.a.channels_per_group * g.a.inner;
  huge_row<true>(g.a.x + row * n, g.a.y + row * n, n, g.a.epsilon, ByChannel<WideDiv>(g, row));
}
__global__ void batch_norm_elements_f32(const BatchNormUnits<FastDiv> u) { batch(u); }
__global__ void batch_norm_elements_wide_f32(const BatchNormUnits<WideDiv> u) { batch(u); }
__global__ void lrn_elements_f32(const LrnUnits<FastDiv> u) { lrn(u); }
__global__ void lrn_elements_wide_f32(const LrnUnits<WideDiv> u) { lrn(u); }
}

}  // namespace tern::cuda
