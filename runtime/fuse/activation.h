// Which nodes may become the epilogue of a product or a convolution. Next: linear.cpp, conv.cpp.
#pragma once
#include "runtime/fuse/rewriter.h"

namespace tern {

// An activation that an epilogue can compute.
struct Epilogue {
  ValueId input = kNone;
  std::string activation;  // the operator's name
  float alpha = 0, beta = 0;
};
std::optional<Epilogue> activation_of(const Graph& graph, const Node& node);
// Of a value that nobody else reads.
std::optional<Epilogue> epilogue(const Rewriter& r, const Node& node);

// Sets the attributes `activation`, `alpha` and `beta` of a fused node.
void set_epilogue(Attributes& attrs, const Epilogue& e);

}  // namespace tern
