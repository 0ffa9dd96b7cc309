// Einsum as sums, matrix products of two operands at a time, from the left, and transpositions. See normalize.h.
#include "kernels/einsum/einsum.h"

#include <algorithm>
#include <map>

#include "loaders/onnx/normalize/normalize.h"
#include "runtime/graph_einsum.h"

namespace tern::onnx {
namespace {

// Every letter once an operand and in the result, and of one size: nothing broadcasts and there is no diagonal.
bool plain_letters(const EinsumTerms& terms, const std::vector<Shape>& shapes) {
  std::map<char, Dim> sizes;
  for (size_t k = 0; k < terms.in.size(); ++k) {
    for (size_t i = 0; i < terms.in[k].size(); ++i) {
      const char letter = terms.in[k][i];
      const Dim& size = shapes[k][static_cast<int>(i)];
      if (terms.in[k].find(letter) != i || !(sizes.emplace(letter, size).first->second == size)) return false;
    }
  }
  return true;
}

// What two operands leave for those after them has no more axes than an operand or the result: "ij,kl,jk->il" would begin with all products.
bool small_between(const EinsumTerms& terms) {
  size_t most = terms.out.size();
  for (const std::string& letters : terms.in) most = std::max(most, letters.size());
  std::string product = terms.in[0];
  for (size_t k = 1; k + 1 < terms.in.size(); ++k) {
    std::string later = terms.out;
    for (size_t i = k + 1; i < terms.in.size(); ++i) later += terms.in[i];
    for (char letter : terms.in[k]) product += product.find(letter) == product.npos ? std::string(1, letter) : "";
    std::erase_if(product, [&](char letter) { return later.find(letter) == later.npos; });
    if (product.size() > most) return false;
  }
  return true;
}

}  // namespace

Status einsum_product(OnnxNode& node, Emitter& to) {
  std::vector<Shape> shapes;
  std::vector<int> ranks;
  for (ValueId v : node.inputs) {
    if (v == kNone) return {};
    const TypeInfo x = to.type(v);
    if (!x.shape.ranked() || x.dtype != to.type(node.inputs[0]).dtype || (node.inputs.size() > 1 && !is_float(x.dtype))) return {};
    shapes.push_back(x.shape);
    ranks.push_back(x.shape.rank());
  }
  const std::string equation = node.old<std::string>("equation");
  const auto terms = parse_einsum(equation, ranks);
  if (!terms || terms->in.empty() || terms->out.size() > static_cast<size_t>(kMaxRank)) return {};
  if (!plain_letters(*terms, shapes) || !small_between(*terms)) return {};
  const ValueId product = einsum(to, equation, node.inputs);
  node.op = "Identity";
  node.inputs = {product};
  node.attrs = {};
  return {};
}

}  // namespace tern::onnx
