// A norm of constants as what it does to each channel. Next: conv.cpp, epilogue.cpp.
#pragma once
#include "runtime/fuse/rewriter.h"

namespace tern {

// y = x * scale + shift, one pair a channel.
struct ChannelAffine {
  std::vector<float> scale, shift;  // no shift: 0
};

// Of a BatchNormalization; nothing of another node, or where a parameter is no constant.
std::optional<ChannelAffine> batch_norm(const Rewriter& r, const Node& node);
Tensor vector_of(const std::vector<float>& values);

}  // namespace tern
