// In-place operations while a graph is built. A value of the graph never changes, so the names that hold it move on to the new one;
// views of it (which PyTorch would change too) are refused when they are read again. See builder.h.
#include "loaders/torch/graph/builder.h"

namespace tern::torch {

std::vector<ValueId> Builder::origins(ValueId v) const {
  std::vector<ValueId> chain{v};
  for (auto view = views_.find(v); view != views_.end(); view = views_.find(chain.back())) chain.push_back(view->second.of);
  return chain;
}

void Builder::overwrite(ValueId before, ValueId now) {
  if (!ok() || before == kNone || before == now) return;
  const ValueId owner = origins(before).back();
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
  const std::vector<ValueId> mine = origins(v);
  for (const auto& [before, now] : overwritten_) {
    const std::vector<ValueId> theirs = origins(before);
    if (theirs.back() != mine.back()) continue;
    // Where the two ways from the owner part: pieces that one call made have nothing in common.
    size_t i = mine.size() - 1, j = theirs.size() - 1;
    while (i > 0 && j > 0 && mine[i - 1] == theirs[j - 1]) --i, --j;
    if (i > 0 && j > 0 && views_.at(mine[i - 1]).call == views_.at(theirs[j - 1]).call) continue;
    fail(unsupported("this value shares its elements with one that an in-place operation changed; write that operation without in-place"));
    break;
  }
  return v;
}

}  // namespace tern::torch
