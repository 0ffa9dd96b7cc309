// Which nodes may become the epilogue of a product or a convolution. Next: linear.cpp, conv.cpp.
#pragma once
#include "runtime/fuse/rewriter.h"

namespace tern {

// The attributes with which a fused node computes this one, too: `activation`, `alpha` and `beta`. Nothing where it is no activation that can be, or
// its input is read by others.
std::optional<Attributes> epilogue(const Rewriter& r, const Node& node);

// Adds them to those of the fused node.
void set_epilogue(Attributes& attrs, const Attributes& epilogue);

}  // namespace tern
