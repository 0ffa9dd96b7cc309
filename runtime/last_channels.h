// last_channels: between integer convolutions values lie with their channels last, as these read and write them. A QLinearConv gives such a value
// when some reader takes one; sums, tables, maxima and joins of such values keep them so; whoever else reads one gets a Transpose of it. For a plan
// of the CPU; results keep their bits. Next: kernels/quantize/integer.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

void last_channels(Graph& graph);

}  // namespace tern
