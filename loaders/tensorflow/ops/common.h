// What the families of operators share: calls of one node, axes, numbers that must be known, functions that several operators are made of.
// Next: arithmetic.cpp.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <vector>

#include "loaders/tensorflow/ops/operator.h"
#include "runtime/graph_nodes.h"

namespace tern::tensorflow {

// One node of the catalog with the inputs of the call.
template <OpName Op>
Values unary(Call& c) {
  return {c.b.emit(Op.text, {c.tensor(0)})};
}
template <OpName Op>
Values binary(Call& c) {
  return {c.b.emit(Op.text, {c.tensor(0), c.tensor(1)})};
}
// The first input as it is, of any kind.
inline Values pass(Call& c) { return {c.value(0)}; }

// An axis in [-rank, rank) as [0, rank); fails outside.
int axis_of(Call& c, int64_t axis, int rank);
// The axis that input i holds, of a tensor of that rank. The axes, in order and once each.
int axis_input(Call& c, size_t i, int rank);
std::vector<int64_t> axes_input(Call& c, size_t i, int rank);
// The number that input i holds; fails unless it is known and a scalar.
int64_t known_int(Call& c, size_t i);
// As many dimensions as `rank` says; fails otherwise: "input 0 has 3 dimensions, expected 4".
bool has_rank(Call& c, size_t i, int rank);

ValueId square(GraphBuilder& b, ValueId x);
// Wider for the while: f(x) in f64, or in f32 what has 16 bits.
template <class F>
ValueId in_dtype(GraphBuilder& b, ValueId x, DType dtype, F f) {
  return b.cast(f(b.cast(x, dtype)), b.dtype(x));
}
// x op y in the dtype of x, with a number.
inline ValueId with(GraphBuilder& b, const char* op, ValueId x, double y) { return b.emit(op, {x, b.scalar_like(x, y)}); }
inline ValueId select(GraphBuilder& b, ValueId condition, ValueId yes, ValueId no) { return b.emit("Where", {condition, yes, no}); }
inline ValueId is_zero(GraphBuilder& b, ValueId x) { return with(b, "Equal", x, 0); }
// dims of `like` full of one number.
ValueId filled_like(GraphBuilder& b, ValueId like, DType dtype, double value);
// op (ReduceSum …) over axes of x, of which there is one at least.
ValueId reduced(GraphBuilder& b, const char* op, ValueId x, const std::vector<int64_t>& axes, bool keep_dims);
// The angle of (x, y), in all four quadrants.
ValueId atan2_of(GraphBuilder& b, ValueId y, ValueId x);
// [n] i64: 0, 1 …
ValueId counted(GraphBuilder& b, const Int& n);

}  // namespace tern::tensorflow
