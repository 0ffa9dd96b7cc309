// What a tree expects of a state_dict, in torch's order: a module's parameters, its buffers, then its children's. See layers.h.
#include <algorithm>

#include "loaders/torch/nn/layers.h"
#include "loaders/torch/nn/net.h"

namespace tern::torch {
namespace {

constexpr size_t kMostNames = size_t(1) << 20;

// Parametrised ones are among the children: parametrizations.weight.original0.
void drop_parametrised(const Module& module, const std::string& path, size_t first, std::vector<Expected>& out) {
  const Module* list = module.child("parametrizations");
  if (list == nullptr) return;
  std::erase_if(out, [&, index = size_t(0)](const Expected& e) mutable {
    return index++ >= first && list->child(std::string_view(e.name).substr(path.empty() ? 0 : path.size() + 1)) != nullptr;
  });
}

Status own_names(const Module& m, const std::string& path, const Forwards* forwards, std::vector<Expected>& out) {
  const Function* forward = forward_of(m, path, forwards);
  const Layer* layer = forward != nullptr && m.extends.empty() ? nullptr : find_layer(m);
  const size_t first = out.size();
  if (layer != nullptr && layer->expected != nullptr) {
    Status s = layer->expected(m, path, out);
    if (!s && forward == nullptr) return path.empty() ? s : s.error().within(path);
    if (!s) out.resize(first);  // what its class shows of the layer does not tell; its forward may not need it
  }
  for (size_t i = first; i < out.size(); ++i) out[i].real = out[i].dtype == DType::none && !out[i].name.ends_with("num_batches_tracked");
  for (const std::string& name : forward != nullptr ? forwards->names_of_self(m, *forward) : std::vector<std::string>()) {
    std::string full = join(path, name);
    const bool known = std::any_of(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), [&](const Expected& e) { return e.name == full; });
    if (!known && m.child(name) == nullptr) out.push_back({std::move(full), std::nullopt, true});
  }
  drop_parametrised(m, path, first, out);
  return {};
}

}  // namespace

Result<std::vector<Expected>> expected_state(const Module& root, const Forwards* forwards) {
  std::vector<Expected> out;
  size_t modules = 0;
  auto visit = [&](auto& self, const Module& m, const std::string& path, int depth) -> Status {
    if (depth > kMaxModuleDepth) return invalid("its modules nest more than " + std::to_string(kMaxModuleDepth) + " deep");
    if (++modules > kMostNames || out.size() > kMostNames)
      return invalid("the architecture has more than " + std::to_string(kMostNames) + " modules or weights");
    if (Status s = own_names(m, path, forwards, out); !s) return s;
    for (const auto& [name, child] : m.children) {
      if (Status s = self(self, *child, join(path, name), depth + 1); !s) return s;
    }
    return {};
  };
  if (Status s = visit(visit, root, "", 1); !s) return s.error();
  return out;
}

}  // namespace tern::torch
