// read_in_place: operators that take strides read what they need where it lies, instead of a copy that a Transpose, a Slice or a Split has made of it,
// and write where a Transpose behind them would. FusedAttention does: heads are split and merged by strides, and q, k and v are columns of one
// product; keys and values that several heads share, repeated by an Expand or a Tile and a Reshape, are there once, and those that a
// constant mask hides from all rows before are left out. Runs once a session, when every shape is a number; results keep their bits.
// Next: strided_view.h, kernels/attention/attention.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

void read_in_place(Graph& graph);

}  // namespace tern
