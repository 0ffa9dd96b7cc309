// The inner loops of the integer products, one set an ISA. x is u8 and w i8: what comes signed, or unsigned, has its highest bit turned over and its
// zero point moved by 128. A panel of w is 16 columns:
//     | sums of its columns, i32 [16] | k 0..3 of column 0, of column 1 … 15 | k 4..7 of column 0 … |        [1 + quads][64 bytes]
//     | sums of its columns, i32 [16] | tap 0 of column 0 … 15, i32 | tap 1 … |                              of a depthwise convolution
// tile    sum[r][j] = sum_k x[r][k] w[k][j]    modulo 2^32. A quad of x is broadcast and multiplied with the quads of 16 columns: one vpdpbusd with
//         AVX-512 VNNI, which saturates nowhere; AVX2 widens both to 16 bits and adds pairs (vpmaddubsw would saturate), or is tile_vnni where the CPU has
//         AVX-VNNI; elsewhere plain loops.
//     | sums of its columns, i32 [16] | for each line of taps, part, output: quads of column 0 … 15 | of one whose taps are quads
// taps    the same of a depthwise convolution: sum[r][j] = sum_t x[r][offset[t] + j] w[t][j], |w| <= 255
// groups, lines    the same where taps are quads and vpdpbusd is there: four pixels of sixteen channels lie turned, pixels innermost, in a
//         group for every second pixel. Taps w0 w1 w2 0 of a group sum a pixel, 0 w0 w1 w2 its neighbour: one turning serves both, and all lines of
//         taps that meet it. 9 taps of 16 channels: 4.5 cycles before, 1.5 now.
// finish  what becomes of sums: + offset + zero * term, to i32, or scaled to 8 bits as requantized() does (integer_element.h), or to f32
// The rest    bytes copied, summed and turned over, and what belongs to the columns (offset, multiplier).
// Next: integer_tile.simd.cpp, integer.cpp.
#pragma once
#include <stdint.h>

#include "kernels/row.h"

namespace tern {

constexpr int kTileColumns = 16, kTilePanels = 4;
constexpr int kTileRows = 14;  // with two panels 28 of AVX-512's registers are sums, 2 are w, 1 is x; a row alone takes four panels
constexpr int kSumStride = kTileColumns * kTilePanels;

struct IntegerTile {
  const uint8_t* x;  // rows, x_stride apart
  int64_t x_stride;
  int64_t lines, quads;    // of a row: its lines, each of so many quads
  const int64_t* line_at;  // [lines], bytes from the row; null: one line
  int rows, panels;        // 1 <= rows <= kTileRows; panels: 1, 2, or 4 of a row alone
  const int8_t* w;         // [panels], `panel` bytes apart, after the sums of their columns
  int64_t panel;
  int32_t* sum;  // [rows, kSumStride]
};
struct IntegerTaps {
  const uint8_t* const* x;  // [rows]: a pixel's sixteen channels
  int rows;
  const int64_t* offset;  // [taps]
  const int8_t* w;        // i32 [taps, 16], |w| <= 255
  int64_t taps;
  int32_t* sum;  // [rows, kSumStride]
};
// A line of sixteen channels as groups: the pixels 2g .. 2g + 3, as [16 channels][4 pixels].
struct IntegerGroups {
  const uint8_t* x;                // its first pixel; null: a line of padding
  int64_t pixel, width, channels;  // bytes from one to the next; how many pixels; how many of the channels there are
  int64_t begin;                   // pixels of padding before the first
  uint8_t flip, zero;              // bits to turn over; what padding is, turned over
  uint8_t* to;                     // [groups][64]
  int64_t groups;
};
struct IntegerLines {
  const uint8_t* ring;  // [lines], `line` bytes apart, of groups
  int64_t line, lines;
  int64_t first, step, taps;   // the line that the first of `taps` lines of taps meets, and lines from it to the next one's
  int64_t quads;               // of a line of taps
  int64_t group, next, count;  // the first output's group, groups to the next one's, and how many there are
  bool pairs;                  // an output is two neighbouring pixels
  int64_t parts;               // of a weight: two where it takes 9 bits
  const int8_t* w;             // [taps, parts, pairs + 1, quads][64]
  int32_t* sum;                // of pixels: [count * (pairs + 1), kSumStride]
};
struct IntegerFinish {
  int32_t* sum;  // [rows, kSumStride]; changed
  int64_t rows, count;
  const int32_t *offset, *zero;  // of columns; what is behind `count` up to a multiple of 16 may be read
  const float* multiplier;       // null: y is i32
  const int32_t* term;           // of rows; null: nothing is added
  int32_t y_zero;
  bool y_signed;
  void* y;
  int64_t y_stride;  // elements
  // f32: sum * multiplier + bias + residual, then no less than `low` and no more than `high`.
  bool y_float;
  float low, high;
  const float *bias, *residual;  // of columns; as y. Null: nothing is added
};
// offset = bias - x_zero * sum, multiplier = x_scale * w_scale / y_scale, of whole panels.
struct IntegerColumns {
  const int8_t* w;  // the sums of the columns of panel i: at w + i * panel
  int64_t panel, count;
  int32_t x_zero;
  const int32_t* bias;  // null: none
  float x_scale, y_scale;
  const float* w_scale;  // of columns, or of all of them; multiplier itself where it holds them
  bool w_scale_varies;
  int32_t* offset;
  float* multiplier;  // null: y is i32
};

// Copies what the windows of pixels see: lines of runs. Up to 15 bytes behind a run are read and written too, those behind a row left as they may be.
struct IntegerWindows {
  const uint8_t* image;
  uint8_t* to;  // [count, row]
  int64_t row, count;
  int64_t at[3], out[3];      // the first pixel, and how many there are
  int64_t step[3];            // bytes from a pixel to the next along each axis
  int64_t kernel[3], tap[3];  // runs along each axis, bytes from one to the next
  int64_t run;                // bytes
};

struct IntegerKernels {
  void (*tile)(const IntegerTile&);
  void (*tile_vnni)(const IntegerTile&);  // of AVX2 alone
  void (*taps)(const IntegerTaps&);
  void (*groups)(const IntegerGroups&);  // null where there is no vpdpbusd, as is `lines`
  void (*lines)(const IntegerLines&);
  void (*finish)(const IntegerFinish&);
  void (*columns)(const IntegerColumns&);
  void (*flip)(const uint8_t* from, uint8_t* to, int64_t n, uint8_t bits);  // to = from ^ bits
  int32_t (*sum)(const uint8_t* x, int64_t n);                              // modulo 2^32
  void (*windows)(const IntegerWindows&);
  void (*turn)(const uint8_t* from, int64_t from_stride, int64_t rows, int64_t n,  // to[j][r] = from[r][j]
               uint8_t* to, int64_t to_stride);
  void (*turn_words)(const float* from, int64_t from_stride, float* to, int64_t to_stride, int64_t rows, int64_t n);  // the same of 32 bits
};
// What the rows run: args are IntegerArgs (integer.h).
void integer_product(const void* args, const IntegerKernels& kernels);
TERN_EACH_ISA(extern const KernelRow integer_product_i8;)

}  // namespace tern
