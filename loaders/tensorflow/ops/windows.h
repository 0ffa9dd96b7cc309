// Windows as TensorFlow's attributes tell them: ksize, strides, dilations of all axes, padding by name or explicit. Next: windows.cpp.
#pragma once
#include "loaders/tensorflow/ops/fused.h"

namespace tern::tensorflow {

// Of `spatial` axes; `kernel` is empty unless the attribute ksize is there.
channels_last::Window window_of(Call& c, int spatial);
// The numbers of the spatial axes out of those of all axes; the others must be 1. Empty: ones.
std::vector<int64_t> spatial_part(Call& c, const std::vector<int64_t>& all, int spatial, channels_last::Channels channels, const char* what);

}  // namespace tern::tensorflow
