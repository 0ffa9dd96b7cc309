// Rows of a plain map as the windows of one row of y read them: padded, and dealt out to `stride` runs, so that what one tap of neighbouring
// windows reads lies together. With a stride of 2, padding p before and elements 0 1 2 ...:
//   row  p 0 1 2 3 4 5        run 0  p 1 3 5      tap 0 reads run 0 from place 0, tap 1 run 1 from place 0, tap 2 run 0 from place 1
//                             run 1  0 2 4
// That is done for all rows of x that a stripe of y needs before the first of them is read: a load that spans two stores waits until both are in the
// cache. A stripe's rows stay in L1; those at its end are dealt again for the next.
// Next: dealt_rows.cpp (how large), deal_rows.h (kernels), then pool/plain.simd.cpp and depthwise.simd.cpp, which read them.
#pragma once
#include <stdint.h>

namespace tern {

struct Window;
class BindContext;

struct DealtRows {
  int64_t in, begin, stride, kernel;  // along the row
  int64_t runs, run, places;          // of a dealt row: how many, of how many elements each, and how many of them windows read
  int64_t in_rows, out_rows, row_begin, row_stride, row_reach;
  int64_t stripe, lines;   // rows of y that are computed together, and the most rows of x that they read
  const int64_t* offsets;  // [kernel]: where a tap reads in a dealt row
  void* rows;              // [planes of a window][lines][runs][run], workspace like the next
  int64_t* taps;           // [most taps of a window]: where each of them reads, beginning at the first of its rows, for the first window of a row
};

// False where windows reach so far that rows had better be read in place.
bool suits_dealt_rows(const Window& w);
// Asks for the workspaces, for elements of `element_bytes`.
void bind_dealt_rows(BindContext& c, const Window& w, int64_t element_bytes, DealtRows& to);

}  // namespace tern
