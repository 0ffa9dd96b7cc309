// How one axis is sampled again, as TensorFlow's image operators do it: for every place of the output which places of the input count how much.
// Next: resample.cpp.
#pragma once
#include <vector>

#include "loaders/channels_last/channels_last.h"

namespace tern::channels_last {

// Nearest: the place of the input for each of `out` places, in f32 as TensorFlow computes it. in, out: 1 to 2^31.
std::vector<int64_t> nearest_places(int64_t in, int64_t out, Resize::Grid grid);
// The other filters: a matrix [out, in] whose rows sum to 1. in * out: small enough to be allocated.
std::vector<float> sampling_matrix(int64_t in, int64_t out, const Resize& how);

}  // namespace tern::channels_last
