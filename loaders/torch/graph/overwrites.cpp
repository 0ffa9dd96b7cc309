// In-place operations while a graph is built. A value of the graph never changes, so the names that hold it move on to the new one;
// views of it (which PyTorch would change too) are refused when they are read again. See builder.h.
#include "loaders/torch/graph/builder.h"

namespace tern::torch {
namespace {

// Operators whose output may share its elements with the first input, as PyTorch has it.
bool is_view(std::string_view op) {
  for (std::string_view view : {"Reshape", "Transpose", "Slice", "Squeeze", "Unsqueeze", "Expand", "Split", "Flatten", "Gather"}) {
    if (op == view) return true;
  }
  return false;
}

// From v up to what owns the elements.
std::vector<ValueId> origins(const Builder& b, ValueId v) {
  std::vector<ValueId> chain{v};
  for (const Node* n = b.producer(v); n != nullptr && is_view(n->op->name); n = b.producer(chain.back())) chain.push_back(n->inputs[0]);
  return chain;
}

}  // namespace

void Builder::overwrite(ValueId before, ValueId now) {
  if (!ok() || before == kNone || before == now) return;
  const ValueId owner = origins(*this, before).back();
  const std::string& name = graph.value(owner).name;
  if (graph.is_constant(owner) && !name.substr(name.rfind('.') + 1).starts_with("constant")) {  // a name of its own: a weight
    fail(unsupported("an in-place operation on the weight " + name + " is not supported"));
    return;
  }
  overwritten_[before] = now;
}

ValueId Builder::current(ValueId v) {
  for (auto it = overwritten_.find(v); it != overwritten_.end(); it = overwritten_.find(v)) v = it->second;
  if (!ok() || v == kNone) return v;
  effort.steps += static_cast<int64_t>(overwritten_.size() / 16);
  const std::vector<ValueId> mine = origins(*this, v);
  for (const auto& [before, now] : overwritten_) {
    const std::vector<ValueId> theirs = origins(*this, before);
    if (theirs.back() != mine.back()) continue;
    // Where the two ways from the owner part: pieces that one Split made have nothing in common.
    size_t i = mine.size() - 1, j = theirs.size() - 1;
    while (i > 0 && j > 0 && mine[i - 1] == theirs[j - 1]) --i, --j;
    if (i > 0 && j > 0 && producer(mine[i - 1]) == producer(theirs[j - 1])) continue;
    fail(unsupported("this value shares its elements with one that an in-place operation changed; write that operation without in-place"));
    break;
  }
  return v;
}

}  // namespace tern::torch
