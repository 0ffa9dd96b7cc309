// Einsum of two operands as one matrix product, with transpositions where they are needed. See normalize.h.
#include "kernels/einsum/einsum.h"

#include "loaders/onnx/normalize/normalize.h"
#include "runtime/graph_einsum.h"

namespace tern::onnx {
namespace {

// Every letter once an operand and in the result, and of one size: nothing broadcasts and there is no diagonal.
bool plain_letters(const EinsumTerms& terms, const Shape& x, const Shape& y) {
  for (const std::string& letters : {terms.in[0], terms.in[1], terms.out}) {
    for (size_t i = 0; i < letters.size(); ++i) {
      if (letters.find(letters[i]) != i) return false;
    }
  }
  for (size_t i = 0; i < terms.in[0].size(); ++i) {
    const size_t j = terms.in[1].find(terms.in[0][i]);
    if (j != std::string::npos && !(x[static_cast<int>(i)] == y[static_cast<int>(j)])) return false;
  }
  return true;
}

}  // namespace

Status einsum_product(OnnxNode& node, Emitter& to) {
  if (node.inputs.size() != 2 || node.inputs[0] == kNone || node.inputs[1] == kNone) return {};
  const TypeInfo x = to.type(node.inputs[0]), y = to.type(node.inputs[1]);
  if (!x.shape.ranked() || !y.shape.ranked() || !is_float(x.dtype) || x.dtype != y.dtype) return {};
  const std::string equation = node.old<std::string>("equation");
  const auto terms = parse_einsum(equation, std::vector<int>{x.shape.rank(), y.shape.rank()});
  if (!terms || terms->in.size() != 2 || terms->out.size() > static_cast<size_t>(kMaxRank) || !plain_letters(*terms, x.shape, y.shape)) return {};
  const ValueId product = einsum(to, equation, node.inputs);
  node.op = "Identity";
  node.inputs = {product};
  node.attrs = {};
  return {};
}

}  // namespace tern::onnx
