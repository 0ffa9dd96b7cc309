// What a ConcatBlocks joins is computed where the result has it, and not copied, wherever that begins at a whole block of 16 channels. Its last block
// may be shared with what follows, which then is copied behind it: whoever computes a part writes lanes past its channels before that (base/tensor.h).
// A part may be read later, too: from now on nobody writes there. See lowering.h. Next: select_kernels.cpp.
#include <algorithm>

#include "kernels/conv/conv.h"
#include "runtime/plan/lowering.h"

namespace tern {

std::vector<bool> Lowering::parts_in_place(size_t scope, const Node& node) {
  constexpr size_t kMost = 32;  // inputs, of which bind is told whether they lie there (BindRequest::in_place)
  std::vector<bool> there(node.inputs.size(), false);
  if (scope != 0 || repeats_ != 1 || p_.on_device != nullptr || node.inputs.size() < 2) return there;
  const Graph& g = graph(scope);
  const Value& y = g.value(node.outputs[0]);
  int64_t channel = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId v = node.inputs[i];
    const Value& x = g.value(v);
    const Dims dims = x.type.shape.concrete();
    const int32_t buffer = place(scope, v).buffer;
    const bool once = std::count(node.inputs.begin(), node.inputs.end(), v) == 1;
    there[i] = buffer != kNone && x.layout == y.layout && channel % kBlock == 0 && once;
    there[i] = there[i] && !pinned_[static_cast<size_t>(buffer)] && !inside_[static_cast<size_t>(buffer)];
    channel += dims[1];
  }
  const bool all = std::find(there.begin(), there.end(), false) == there.end();
  if (!all && there.size() > kMost) there.assign(there.size(), false);
  return there;
}

Result<bool> Lowering::join_in_place(size_t scope, const Node& node, int32_t position) {
  const std::vector<bool> there = parts_in_place(scope, node);
  if (std::find(there.begin(), there.end(), true) == there.end()) return false;
  const Graph& g = graph(scope);
  auto whole = new_buffer(g, node.outputs[0]);
  if (!whole) return whole.error();
  const Dims y = g.value(node.outputs[0]).type.shape.concrete();
  const int64_t block = p_.buffer(*whole).bytes / ((y[1] + kBlock - 1) / kBlock);
  int64_t channel = 0;
  for (size_t i = 0; i < there.size(); ++i) {
    if (there[i]) {
      const int32_t buffer = place(scope, node.inputs[i]).buffer;
      const auto part = static_cast<size_t>(buffer);
      p_.insides.push_back({buffer, *whole, channel / kBlock * block});
      if (readers_[part] != 0 || shared_[part]) shared_[static_cast<size_t>(*whole)] = true;
      inside_[part] = true;
    }
    channel += g.value(node.inputs[i]).type.shape.concrete()[1];
  }
  place(scope, node.outputs[0]).buffer = *whole;
  p_.touch(*whole, position);
  if (std::find(there.begin(), there.end(), false) != there.end()) return false;
  add_readers(scope, node.outputs[0]);
  return true;
}

}  // namespace tern
