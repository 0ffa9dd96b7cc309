// A depthwise convolution line by line, sixteen channels at a time: the lines of x that the taps meet lie in a ring, as groups of pixels. Of 8-bit values
// in one plane, taps beside each other, and AVX-512. A weight of 9 bits, as unsigned ones less their zero point are, is
// the sum of two of 8. See integer_tile.h. Next: integer_lines.cpp.
#pragma once
#include "kernels/quantize/integer.h"

namespace tern {

// Quads of a line of taps; 0 where the convolution is none of these.
int64_t tap_quads(const IntegerArgs& a);
int64_t ring_lines(const IntegerArgs& a);
std::optional<int64_t> ring_bytes(const IntegerArgs& a);
// Tap `tap` of column j of the panel at `to`, |v| <= 255.
void pack_tap(const IntegerArgs& a, int64_t tap, int32_t v, int8_t* to, int64_t j);
// Pixels [first, end) of batch b, whose columns are set.
void convolve_lines(const IntegerArgs& a, const IntegerBatch& b, int64_t first, int64_t end, const int8_t* packed, const IntegerKernels& k);

}  // namespace tern
