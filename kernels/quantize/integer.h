// Products and convolutions of 8-bit integers, exact in i32 (which wraps); the Q forms scale the sum back to 8 bits.
//   MatMulInteger  y = (a - a_zero)(b - b_zero)                      i32; shapes as MatMul
//   ConvInteger    y = conv(x - x_zero, w - w_zero)                  i32; shapes and attributes as Conv; padding is x_zero
//   QLinearMatMul  y = saturate(round_to_even(sum * (a_scale b_scale / y_scale)) + y_zero)
//   FusedQLinearMatMul    the same of sum + bias, b [N,K] with transB       bias i32 [N]
//   QLinearConv    y = saturate(round_to_even((sum + bias) * (x_scale w_scale / y_scale)) + y_zero)     bias i32 [OC]
//   FusedQLinearConv      the same, x or y or both with their channels last
//   MatMulIntegerToFloat  y = relu(sum * (a_scale b_scale) + bias + residual)   f32; bias f32 [N], residual as y, relu where the activation is Relu
//   ConvIntegerToFloat    y = clip(sum * (x_scale w_scale) + bias)              f32; bias f32 [OC], clip where the activation is Relu or Clip
//   Shapes    a, b, x, w: u8 or i8, each on its own. Scales and zero points: one for all ([] or [1]), or one for each row of A ([M] or
//             [...,M,1]), column of B ([N] or [...,1,N]), output channel of w ([OC]).
//   How       w is packed into panels of 16 columns, four k side by side, with the sums of its columns, once per model when it is a constant
//             (integer_tile.h). Zero points come off behind the sums:  sum(x w) - x_zero sum(w) - w_zero sum(x) + K x_zero w_zero.
//             sum(x) is a column of ones where the last panel has room for it.
//             A convolution lays its image out once, channels last between cells of x_zero; k runs over taps, then channels. Its tiles are pixels of a
//             line and read the lines of their windows where they are; where such tiles were short, windows are copied.
//             A depthwise one reads that image, too. Products, and convolutions without padding of x with channels last, read x in place.
//   Cost      2*M*N*K integer operations, 32 of them an instruction on AVX2, 64 with AVX-VNNI, 128 with AVX-512 VNNI; an AVX-512 without it runs AVX2's code.
//   Numerics  the sum is exact modulo 2^32, so every ISA, order and part gives the same. Scaling is in f32, as written above, rounded after each step.
//   Edges     K == 0 sums to 0. A NaN scale gives the lowest value.
//   Source    the ONNX operators, opsets 10 and 21 without 8-bit floats; the fused ones are tern's.
// On a device tiles of 64 by 64 of plain w, the same exact sums; never run on a GPU.
// Next: integer_tile.h (the inner loops), integer.cpp, integer_image.cpp and integer_lines.cpp (what is around them), integer_bind.cpp, integer_matmul.cpp and
// integer_conv.cpp (schemas and binding); integer.cu, integer_launch.cpp (a device's).
#pragma once
#include "kernels/conv/window.h"
#include "kernels/quantize/integer_element.h"
#include "kernels/quantize/integer_tile.h"

namespace tern {

extern const OpDef kConvInteger, kConvIntegerToFloat, kFusedQLinearConv, kFusedQLinearMatMul, kMatMulInteger, kMatMulIntegerToFloat, kQLinearConv,
    kQLinearMatMul;

struct IntegerArgs {
  const void *x, *w;
  bool x_signed, w_signed;
  PerIndex x_zero, w_zero;          // of rows, of columns
  int64_t matrices;                 // of w
  int64_t w_matrix, w_k, w_column;  // strides of w in elements
  const IntegerBatch* batch;        // [batches]
  int64_t m, n, k;                  // of one matrix
  int64_t begin, end;               // rows of all batches
  int64_t y_row, y_column;          // strides of y in elements
  DType y_dtype;
  // Where y is not i32.
  PerIndex x_scale, w_scale;
  DType scale_dtype;
  // Where y is u8 or i8.
  const void *y_scale, *y_zero;
  const int32_t* bias;  // of columns, or null
  // Where y is f32, on a CPU.
  const float *float_bias, *residual;  // of columns; as y. Null: nothing is added
  float low, high;                     // what y is bounded by
  void* y;
  // A convolution: a row is an output pixel. In w k runs over channels, then taps; in panels and rows over taps, then channels.
  bool conv;
  Window window;
  // From here on of a CPU.
  bool vnni;             // AVX2's tiles take vpdpbusd
  bool channels_last;    // x and y
  bool depthwise;        // one matrix, whose columns are the channels
  int64_t channels;      // of a pixel of x
  int64_t run;           // bytes of x beside each other that a row is made of: all k, or those of a line of a window
  bool direct;           // rows are read where windows lie, in the image or in x
  const int8_t* packed;  // [matrices, panels]; null: `work` is filled in every run
  int8_t* work;
  int32_t w_uniform;       // depthwise: the zero point of w, which the packed taps are without
  bool row_sums;           // w may have zero points
  bool ones;               // behind the last column of w, where its panel has room, stands one of ones, whose sums are those of x
  uint8_t* image;          // one image of x: [in + padding, channels]; null: windows are gathered from x
  Extent3 image_dims;      // with the padding that a window reaches
  const int64_t* offsets;  // of the image: [taps], depthwise; [lines] of a window
  int64_t tap_quads;       // depthwise: of a line of taps; 0: taps are no quads
  uint8_t* ring;           // where they are: lines of groups (integer_lines.h)
  uint8_t* rows;           // [kBlockRows, 4 * quads]; null: rows of x are read where they are
  int32_t *offset, *zero;  // of the columns: what is added to a sum, what a row's term is multiplied with
  float* multiplier;
  uint8_t* block;  // [kBlockRows, n] of y before they are turned; null: a row of y lies in one piece

  bool y_signed() const { return y_dtype == DType::i8; }
  int64_t lines() const { return run == 0 ? 0 : k / run; }
  int64_t quads() const { return lines() * ((run + 3) / 4); }
  // Of a panel: few columns of few rows are not filled up.
  int64_t width() const { return n < 4 && m < kTileRows && !depthwise ? n : kTileColumns; }
  int64_t panels() const { return (n + width() - 1) / width(); }
  int64_t pixels() const { return window.stride[2] == 1 ? 2 : 1; }                 // of a group of pixels, neighbours
  int64_t tap_parts() const { return w_uniform == (w_signed ? 0 : 128) ? 1 : 2; }  // of a weight less its zero point
  int64_t panel() const {                                                          // bytes
    if (tap_quads != 0) return 64 * (1 + window.kernel[1] * tap_parts() * pixels() * tap_quads);
    return width() * (4 + 4 * (depthwise ? k : quads()));
  }
};
constexpr int kBlockRows = 4 * kTileRows;  // for which the panels of w are read once
namespace cuda {
extern const KernelRow kIntegerRows[1];
}
inline constexpr auto& kIntegerRows = rows_of<TERN_ON_EACH_ISA(integer_product_i8), cuda::kIntegerRows>;
inline constexpr auto& kCpuIntegerRows = rows_of<TERN_ON_EACH_ISA(integer_product_i8)>;
// What of the best rows an `isa` may have: the ones of avx512 need VNNI.
Isa integer_isa(Isa isa, bool vnni);

// Sets what of `a` belongs to a CPU, the share of the rows, and runs. Precondition: the rest of `a` is set; w is input `w` of the node, w_zero input
// `w_zero`.
Status bind_integer(BindContext& c, IntegerArgs& a, size_t w, size_t w_zero, int64_t batches);
// The zero point of all of w, when it is one and known.
std::optional<int32_t> uniform_zero(const BindContext& c, size_t zero);
// x and w as the kernels have them: the zero point of x, and what is turned over of it; an element of w.
inline int32_t packed_x_zero(const IntegerArgs& a, int64_t row) { return zero_at(a.x_zero, a.x_signed, row) + (a.x_signed ? 128 : 0); }
inline uint8_t highest_bit(const IntegerArgs& a) { return a.x_signed ? 0x80 : 0; }
// Packs a.w.
void pack_integers(const IntegerArgs& a, int8_t* zeroed);
// One scale or zero point for all, or `count` of them; the whole of `total` when there is a batch; null when it is absent. Errors name `what`.
Status set_per_index(BindContext& c, PerIndex& to, size_t input, int64_t count, int64_t total, const char* what);
constexpr size_t kNoInput = SIZE_MAX;  // of an operator that has no such input
constexpr bool is_byte(DType t) { return t == DType::u8 || t == DType::i8; }
// Inputs x and w are 8-bit, their zero points and those of y of the same dtypes, scales floats of one dtype.
Status check_integer_dtypes(const InferContext& c, size_t x, size_t w);
Status check_zero_dtype(const InferContext& c, size_t zero, size_t of);
Status check_scale_dtypes(const InferContext& c, std::initializer_list<size_t> scales);

}  // namespace tern
