// conv_ends: a Transpose between channels last and channels first becomes part of how the convolution beside it reads or writes, so that a net whose
// values have their channels last (ConvNeXt) is neither transposed nor reordered for its convolutions. What a convolution is here, and then, its own
// definition says (OpDef::channels_last, kernels/layouts.h): what can have either side so without the other.
//   One that reads without a copy reads so, and any other that is the only reader: it copies what it reads into a padded form at any rate, which for
//   several readers is made once (assign_layouts).
//   A convolution writes so when one such Transpose, and perhaps one other convolution, is all that reads it.
// The first part of assign_layouts, when every shape is a number. Results keep their bits. Next: assign_layouts.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

// Is n a Transpose of [N, spatial, C] to [N, C, spatial]? Back?
bool puts_channels_first(const Node& n);
bool puts_channels_last(const Node& n);

void absorb_transposes(Graph& graph);

}  // namespace tern
