// See whole.h.
#include "loaders/torch/nn/whole.h"

#include "loaders/torch/nn/layers.h"

namespace tern::torch {
namespace {

// What a state_dict leaves out and a forward may read: buffers that are not persistent.
void add_passing(const Module& m, const std::string& path, StateDict& out) {  // at most kMaxModuleDepth deep
  for (const Module::Own& own : m.tensors) {
    if (own.tensor && !own.persistent) out.entries.push_back({join(path, own.name), *own.tensor});
  }
  for (const auto& [name, child] : m.children) add_passing(*child, join(path, name), out);
}

}  // namespace

Result<Graph> load_whole(const Module& root, const Forwards* forwards, const LoadOptions& options, const std::string& format) {
  StateDict weights = state_dict(root);
  add_passing(root, "", weights);
  return assemble(root, forwards, weights, options, format);
}

}  // namespace tern::torch
