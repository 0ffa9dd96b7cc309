// Rows of different lengths while a graph is built, as their splits: row r is [splits[r], splits[r + 1]). Next: ragged.cpp, sparse.cpp.
#pragma once
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {

// [rows + 1] i64 of lengths [rows].
ValueId splits_of(GraphBuilder& b, ValueId lengths);
// [rows]
ValueId row_starts(GraphBuilder& b, ValueId splits);
ValueId row_lengths(GraphBuilder& b, ValueId splits);
// [n]: the row that each of n values is in.
ValueId row_of_each(GraphBuilder& b, ValueId splits, const Int& n);

struct Run {
  ValueId row;    // [n]
  ValueId place;  // [n]: 0, 1 … in each row
  Int n;
};
// What rows of these splits hold, by row and place.
Run places_of(GraphBuilder& b, ValueId splits);

// indices [n, r] of elements of `shape` [r] as one number each, row-major, and back.
ValueId flat_index(GraphBuilder& b, ValueId indices, ValueId shape);
ValueId index_of_flat(GraphBuilder& b, ValueId flat, ValueId shape);
// x by rows [n] of its first axis.
ValueId picked(GraphBuilder& b, ValueId x, ValueId rows);
// The order in which numbers [n] rise; equal ones stay in theirs.
ValueId rising_order(GraphBuilder& b, ValueId x);
// to [n..] plus values[i] at indices[i, :].
ValueId added(GraphBuilder& b, ValueId to, ValueId indices, ValueId values);
// Column k of a matrix [n, r] as [n].
ValueId column(GraphBuilder& b, ValueId x, int64_t k);
// Zeros, or another number, of these sizes.
ValueId full(GraphBuilder& b, DType dtype, double value, const std::vector<Int>& sizes);

}  // namespace tern::tensorflow
