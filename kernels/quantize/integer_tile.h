// The inner loop of the integer products: a tile of rows by 16 columns, two k at a time as the multiply-add of 16-bit pairs has them on every CPU.
//   sum[r][j] = sum_p x[r][2p] w[p][j][0] + x[r][2p+1] w[p][j][1]      modulo 2^32
//   Shapes    x: rows of 2*pairs i16, x_stride apart; w [pairs,16,2]; sum [rows,16]. |x|, |w| <= 255: no product of a pair overflows.
// Next: integer_tile.simd.cpp, integer.cpp.
#pragma once
#include <stdint.h>

#include "kernels/row.h"

namespace tern {

constexpr int kTileColumns = 16, kTileRows = 8;  // 8 rows of sums, w and x: half of AVX-512's registers, most of AVX2's in two passes

struct IntegerTile {
  const int16_t* x;
  int64_t x_stride, rows;  // 1 <= rows <= kTileRows
  const int16_t* w;
  int64_t pairs;
  uint32_t* sum;
};
using IntegerTileFn = void (*)(const IntegerTile&);
// What the rows run: args are IntegerArgs (integer.h).
void integer_product(const void* args, IntegerTileFn tile);
TERN_EACH_ISA(extern const KernelRow integer_product_i8;)

}  // namespace tern
