// Which nodes may become the epilogue of a product or a convolution. Next: linear.cpp, conv.cpp.
#pragma once
#include "runtime/fuse/rewriter.h"

namespace tern {

// Node n reads `v`, which nobody else reads, and is an activation that an epilogue can compute.
struct Epilogue {
  ValueId input = kNone;
  std::string activation;  // the operator's name
  float alpha = 0, beta = 0;
};
std::optional<Epilogue> epilogue(const Rewriter& r, const Node& node);

// Sets the attributes `activation`, `alpha` and `beta` of a fused node.
void set_epilogue(Attributes& attrs, const Epilogue& e);

}  // namespace tern
