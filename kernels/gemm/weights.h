// Products whose constant weights are kept in fewer bits, for sessions that ask for it by name (SessionOptions::weights). A row alone waits for its
// weights: half or a quarter of the bytes is that much less to wait for.   y[m,n] = act(sum_k x[m,k] w[k,n] + bias[n] + residual[m,n])
//   Shapes    as panel.h; weights constant, of at least kLeastWeights elements and not of the dot form, or of a recurrent layer
//             of at least kLeastRecurrentWeights. All others stay f32.
//   bf16      w is rounded to bf16 (8 bits, to nearest, ties to even), widened in registers, and multiplied as panel.h says: the bits of the f32 product
//             with such weights. |error| <= 2^-8 sum |x w|, and what f32 rounds.
//   int8      w[k,n] becomes q[k,n] s[n], q in [-127, 127], s[n] = max_k |w[k,n]| / 127, and a row of x integers of 16 bits times a power of two t:
//             y = act(fma(sum_k q x, s, bias)) … in full: fma(f32(sum) * s[n], t, bias), + residual, act. The sums are exact in i32, so that their order is
//             each ISA's own. |error| <= sum_k |x| s/2 + K 2^-b max |x| max |w|, b = int8_bits(K) in 10 to 15, and what f32 rounds: of x's part hundreds of
//             times less than of w's.
//   Recurrent layers (rnn/rnn.h) round what they multiply with such weights to fewer bits too. bf16: x and h are rounded to bf16 like the weights, two terms
//             an instruction on AVX-512; |error| <= 2^-7 sum |x w|, and what f32 rounds. int8: x and h become
//             bytes, b = kQuadBits, four terms an instruction.
//   Packing   pairs of k beside each other: a 32-bit word holds (k, k+1) of a column, bf16, the lower k in the upper half, the last padded with -0, which
//             changes no sum; panels and groups as in panel.h, [K/2][G*16] words. int8: N scales (f32, to a multiple of 16), then the same with words
//             of 16 bits, the lower k in the lower half, the last padded with 0.
//   Numerics  the same bits for every ISA, batch and thread count: a row of x is scaled by its own largest element.
//   Edges     K <= kMostInt8Terms for int8, or f32 stays. A row of x with a NaN or an infinity gives NaN throughout in int8 (as f32 says in bf16); one below
//             2^-100 counts as zeros; a column of weights that holds one gives NaN.
//   Cost      bytes of weights; on Zen 4 0.6 (bf16) and 0.5 (int8) instructions of multiplying and widening a term of f32's.
//   Source    Dettmers et al. 2022 (a scale a row, a scale a column); fast-small nets measured pairs of bf16.
// Next: weights.cpp (packing, binding), weights_bf16.simd.cpp, weights_int8.simd.cpp, bf16_pairs.simd.cpp, int8_quads.simd.cpp.
#pragma once
#include "kernels/gemm/gemm.h"
#include "kernels/products.h"
#include "tern/element.h"

namespace tern {

constexpr int64_t kLeastWeights = 4096;            // fewer lie in L1 as f32
constexpr int64_t kLeastRecurrentWeights = 16384;  // of W and R: fewer are faster in the f32 form of a row alone (rnn/interleaved.h)
constexpr int64_t kMostInt8Terms = 1 << 14;        // of a sum in i32, of elements that keep at least 10 bits

// The bits, without sign, that elements of x keep: K products with 127 stay below 2^31.
constexpr int int8_bits(int64_t k) {
  int bits = 15;
  while (bits > 1 && (k * 127) >> (31 - bits) != 0) --bits;
  return bits;
}
constexpr int64_t pairs_of(int64_t k) { return (k + 1) / 2; }
// int16 elements of a row of x as it is multiplied, zeros behind them.
constexpr int64_t int8_row(int64_t k) { return (k + 15) / 16 * 16; }
constexpr int64_t kInt8Rows = 4;  // rows of x that are scaled and multiplied together
// Words of a row of x in bf16, zeros behind them.
constexpr int64_t pairs_row(int64_t k) { return (k + 15) / 16 * 8; }
constexpr int64_t kTermRows = 8;  // rows of x that are rounded, to pairs or bytes, and multiplied together, at most
constexpr bf16 kNoTerm{0x8000};   // -0: the second term of the last pair, where there is none

constexpr int64_t padded_columns(int64_t n) { return (n + kPanel - 1) / kPanel * kPanel; }
// Bytes of packed weights.
constexpr int64_t weight_bytes(WeightForm form, int64_t n, int64_t k) {
  const int64_t words = padded_columns(n) * pairs_of(k);
  return form == WeightForm::bf16 ? words * 4 : padded_columns(n) * 4 + words * 2;
}
// Of weights for bytes of x: N scales, then what their sums begin with where bytes have a bias (i32, both to a multiple of 16), then quads of k, laid out
// as pairs are.
constexpr int kQuadBits = 7;
constexpr int32_t kByteBias = 128;  // of avx512, whose vpdpbusd takes bytes of x without a sign: their sums begin with -kByteBias sum_k w
constexpr int64_t quads_of(int64_t k) { return (k + 3) / 4; }
constexpr int64_t quads_row(int64_t k) { return (k + 15) / 16 * 16; }  // bytes of a row of x, zeros behind it
constexpr int64_t quad_bytes(int64_t n, int64_t k) { return padded_columns(n) * (8 + 4 * quads_of(k)); }
// given: scales [n] of which the weights are multiples, by [-127, 127]; null: the columns' own.
void pack_quads(const float* w, int64_t k_stride, int64_t n_stride, int64_t n, int64_t k, const float* given, void* packed);  // zeroed
// Packs alpha * w, w[k,n] at w[k*k_stride + n*n_stride], into zeroed bytes.
void pack_weights(WeightForm form, const float* w, int64_t k_stride, int64_t n_stride, int64_t n, int64_t k, float alpha, void* packed);
// The scale of a column, w[k] at w[k*k_stride], times alpha: 0 of zeros, NaN of what is not finite. Then an element of it.
float int8_scale(const float* w, int64_t k_stride, int64_t k, float alpha);
int8_t to_int8(float w, float scale);
// May this product of constant weights keep them so?
bool keeps_weights(WeightForm form, int64_t n, int64_t k);

struct WeightsArgs {
  PanelArgs panel;           // its w is not read; chains: bf16
  const void* weights;       // packed
  int16_t* rows;             // int8: [kInt8Rows, int8_row(K)] scratch
  const BatchOffset* batch;  // [batches], its w in bytes; null: one product
  int64_t batches;
};

// One product of x that is rounded too, to bf16 or to bytes, in one chain: its weights packed, and a scratch of kTermRows rows.
TERN_EACH_ISA(void bf16_pairs_gemm(const PanelArgs&, const void* weights, int32_t* pairs);
              void int8_quads_gemm(const PanelArgs&, const void* weights, int8_t* bytes);
              extern const KernelRow gemm_weights_bf16, gemm_weights_int8;)

}  // namespace tern
