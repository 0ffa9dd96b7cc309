// Einsum: sums of products over named axes. y[out] = sum over all other letters of x0[its letters] x1[its letters] …
//   Shapes    `equation` gives every operand a letter an axis: "bij,bjk->bik". A letter twice in one operand is the diagonal. "..." stands for
//             any axes, which broadcast from the last; without "->" the output has the dots and then, sorted, the letters that appear once.
//             Axes of one letter have one size, or 1. At most kMostOperands operands, of rank 8.
//   Cost      the product of all letters' sizes times the operands: no pairs are contracted first. Two matrices are better a MatMul.
//   Numerics  one chain a result, letters in the order in which the equation names them; f32, f16 and bf16 in double, rounded once; integers wrap.
//   Edges     a sum over nothing is 0.
//             On a device at most three operands.
//   Source    the ONNX operator, opset 12; NumPy's einsum.
// Next: equation.cpp, then einsum.cpp, einsum.cu.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "kernels/einsum/einsum_device.h"

namespace tern {

struct OpDef;
extern const OpDef kEinsum;

// An equation whose dots became letters of their own: '0', '1', … which count from the last axis that they stand for.
struct EinsumTerms {
  std::vector<std::string> in;
  std::string out;
};
// Nothing when the text is no equation for operands of these ranks.
std::optional<EinsumTerms> parse_einsum(std::string text, const std::vector<int>& ranks);

}  // namespace tern
