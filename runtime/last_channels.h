// last_channels: between integer convolutions values of bytes lie with their channels last, as these read and write them. A convolution gives such a
// value when some reader takes one; sums, tables, maxima and joins of such values keep them so; whoever else reads one gets a Transpose of it. What an
// operator takes and gives it says itself (OpDef::channels_last, kernels/layouts.h). For a plan of the CPU; results keep their bits.
// Next: kernels/quantize/integer.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

void last_channels(Graph& graph);

}  // namespace tern
