// The loop nest of a broadcasting operator: rows of the output, and for each operand where its row begins and whether it moves.
// Adjacent axes that all operands cross alike are one axis (collapsed at bind), so that equal shapes are a single row, and
// [N, C, H, W] + [C, 1, 1] is rows of H*W with a standing operand. Plain C. Next: binary.h.
#pragma once
#include <stdint.h>

namespace tern {

constexpr int kMaxOperands = 3;

struct RowNest {
  int64_t begin = 0, end = 0;  // the output elements of this part, in row-major order
  int64_t inner = 1;           // elements of a row
  int outer = 0;               // axes outside of the row, outermost first:
  int64_t extent[7] = {};
  int64_t stride[kMaxOperands][7] = {};  // in elements; 0 where the operand is broadcast
  int64_t step[kMaxOperands] = {};       // along the row: 1, or 0 for a standing element
};

namespace {

// row(at, offset, n): n output elements from `at`; operand i begins at offset[i]. Rows that a part shares are cut.
template <class Row>
inline void for_rows(const RowNest& nest, Row row) {
  if (nest.begin >= nest.end) return;
  int64_t index[7] = {}, offset[kMaxOperands] = {};
  int64_t rest = nest.begin / nest.inner, column = nest.begin % nest.inner;
  for (int axis = nest.outer - 1; axis >= 0; --axis) {
    index[axis] = rest % nest.extent[axis];
    rest /= nest.extent[axis];
    for (int i = 0; i < kMaxOperands; ++i) offset[i] += index[axis] * nest.stride[i][axis];
  }
  for (int64_t at = nest.begin; at < nest.end;) {
    const int64_t n = nest.inner - column < nest.end - at ? nest.inner - column : nest.end - at;
    const int64_t from[kMaxOperands] = {offset[0] + column * nest.step[0], offset[1] + column * nest.step[1], offset[2] + column * nest.step[2]};
    row(at, from, n);
    at += n;
    column = 0;
    for (int axis = nest.outer - 1; axis >= 0; --axis) {
      for (int i = 0; i < kMaxOperands; ++i) offset[i] += nest.stride[i][axis];
      if (++index[axis] < nest.extent[axis]) break;
      for (int i = 0; i < kMaxOperands; ++i) offset[i] -= nest.extent[axis] * nest.stride[i][axis];
      index[axis] = 0;
    }
  }
}

}  // namespace
}  // namespace tern
