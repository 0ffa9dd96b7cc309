// Sums of products over named axes, written as batched matrix products with a GraphBuilder: what PyTorch's, TensorFlow's and Keras' einsum become, so
// that each of two operands at a time is one MatMul. As in GraphBuilder, nothing happens after an error.
// Next: graph_einsum.cpp, kernels/einsum/einsum.h.
#pragma once
#include <string>
#include <vector>

#include "runtime/graph_builder.h"

namespace tern {

// "bij,bjk->bik" as kernels/einsum/einsum.h has it. Operands are contracted from left to right. Error (invalid): the equation does not fit them.
ValueId einsum(GraphBuilder& b, const std::string& equation, const std::vector<ValueId>& operands);

// A tensor whose axes have letters, each once.
struct Lettered {
  ValueId v = kNone;
  std::string axes;
};
// Two operands as one product. Letters that neither `keep` nor both operands have are summed away, those of both that `keep` has not are
// multiplied out.
// Axes of size 1 broadcast when both have the letter and it is kept.
Lettered contract(GraphBuilder& b, Lettered x, Lettered y, const std::string& keep);

}  // namespace tern
