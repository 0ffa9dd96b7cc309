// The rows that the integer products read: an image channels last between its padding, the windows of it, rows of a matrix; and where y
// wants it so, rows put back as planes. See integer.h.
// Next: integer_image.cpp, integer.cpp.
#pragma once
#include "kernels/quantize/integer.h"

namespace tern {

// Image `i` of x, channels last, between cells of the zero point.
void lay_out_image(const IntegerArgs& a, int64_t i, const IntegerKernels& k);
// Where the window of output pixel `row` begins in the image.
int64_t window_begin(const IntegerArgs& a, int64_t row);
// Rows [first, first + count) of batch b into a.rows, u8.
void fill_rows(const IntegerArgs& a, const IntegerBatch& b, int64_t first, int64_t count, const IntegerKernels& k);
// Of an image of which padding is no more than the rest: its dims, and true.
bool set_image(IntegerArgs& a);

// Rows of n columns of a.block to y, where they are columns.
void put_turned(const IntegerArgs& a, int64_t rows, int64_t n, uint8_t* y, const IntegerKernels& k);

}  // namespace tern
