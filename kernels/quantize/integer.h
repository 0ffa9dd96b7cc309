// Products and convolutions of 8-bit integers, exact in i32 (which wraps); the Q forms scale the sum back to 8 bits.
//   MatMulInteger  y = (a - a_zero)(b - b_zero)                      i32; shapes as MatMul
//   ConvInteger    y = conv(x - x_zero, w - w_zero)                  i32; shapes and attributes as Conv; padding is x_zero
//   QLinearMatMul  y = saturate(round_to_even(sum * (a_scale b_scale / y_scale)) + y_zero)
//   QLinearConv    y = saturate(round_to_even((sum + bias) * (x_scale w_scale / y_scale)) + y_zero)     bias i32 [OC]
//   Shapes    a, b, x, w: u8 or i8, each on its own. Scales and zero points: one for all ([] or [1]), or one for each row of A ([M] or
//             [...,M,1]), column of B ([N] or [...,1,N]), output channel of w ([OC]).
//   How       w is widened to i16 panels of 16 columns, two k side by side, once per model when it is a constant. Eight rows of x at a time are
//             widened, less their zero points. A convolution widens its image once, channels last and with its padding, and copies the runs that
//             a window sees; k runs over taps, then channels. w's zero points come off by the sums of the rows.
//   Cost      2*M*N*K integer operations, 32 of them an instruction on AVX2, 64 on AVX-512 (integer_tile.h).
//   Numerics  the sum is exact modulo 2^32, so every ISA, order and part gives the same. Scaling is in f32, as written above.
//   Edges     K == 0 sums to 0. A NaN scale gives the lowest value.
//   Source    the ONNX operators, opsets 10 and 21 without 8-bit floats.
// On a device tiles of 64 by 64 of plain w, the same exact sums; never run on a GPU.
// Next: integer_tile.h (the inner loop), integer.cpp (what is around it), integer_matmul.cpp and integer_conv.cpp (schemas and binding); integer.cu, integer_launch.cpp (a device's).
#pragma once
#include "kernels/conv/window.h"
#include "kernels/quantize/integer_element.h"
#include "kernels/quantize/integer_tile.h"

namespace tern {

extern const OpDef kConvInteger, kMatMulInteger, kQLinearConv, kQLinearMatMul;

struct IntegerArgs {
  const void *x, *w;
  bool x_signed, w_signed;
  PerIndex x_zero, w_zero;  // of rows, of columns
  const int16_t* packed;    // [matrices, panels, pairs, columns, 2]; null: `work` is filled in every run
  int16_t* work;
  int64_t matrices;                 // of w
  int64_t w_matrix, w_k, w_column;  // strides of w in elements
  int16_t* rows;                    // [kTileRows, 2 * pairs]
  const IntegerBatch* batch;        // [batches]
  int64_t m, n, k;                  // of one matrix
  int64_t begin, end;               // rows of all batches
  int64_t y_row, y_column;          // strides of y in elements
  // The Q forms; y is i32 when y_scale is null.
  PerIndex x_scale, w_scale;
  const void *y_scale, *y_zero;
  DType scale_dtype;
  bool y_signed;
  const int32_t* bias;  // of columns, or null
  void* y;
  // A convolution: a row is an output pixel. In w k runs over channels, then taps; in panels and rows over taps, then channels.
  bool conv;
  Window window;
  int16_t* image;      // one image and group of x, widened: [in + padding, channels]; null: windows are gathered from x
  Extent3 image_dims;  // with the padding that a window reaches

  int64_t pairs() const { return (k + 1) / 2; }
  int64_t columns() const { return n < 4 ? n : (n + kTileColumns - 1) / kTileColumns * kTileColumns; }  // of the panels: few are not filled up
};
namespace cuda {
extern const KernelRow kIntegerRows[1];
}
inline constexpr auto& kIntegerRows = rows_of<TERN_ON_EACH_ISA(integer_product_i8), cuda::kIntegerRows>;

// Sets w, packed or work, rows, the share of the rows, and runs. Precondition: the rest of `a` is set; w is input `w` of the node.
Status bind_integer(BindContext& c, IntegerArgs& a, size_t w, int64_t batches);
// One scale or zero point for all, or `count` of them; the whole of `total` when there is a batch; null when it is absent. Errors name `what`.
Status set_per_index(BindContext& c, PerIndex& to, size_t input, int64_t count, int64_t total, const char* what);
// Inputs x and w are 8-bit, their zero points and those of y of the same dtypes, scales floats of one dtype.
Status check_integer_dtypes(const InferContext& c, size_t x, size_t w);
Status check_zero_dtype(const InferContext& c, size_t zero, size_t of);
Status check_scale_dtypes(const InferContext& c, std::initializer_list<size_t> scales);

}  // namespace tern
