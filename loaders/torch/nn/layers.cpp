// Finding layers by class, and what a layer sees of its call. See layers.h.
#include "loaders/torch/nn/layers.h"

#include <algorithm>
#include <unordered_set>

#include "loaders/torch/nn/net.h"
#include "loaders/torch/ops/signature.h"

namespace tern::torch {

std::span<const std::span<const Layer>> all_layers() {
  static const std::span<const Layer> kTables[] = {
      container_layers(), linear_layers(), conv_layers(),      norm_layers(),      activation_layers(),
      pool_layers(),      shape_layers(),  recurrent_layers(), attention_layers(), transformer_layers(),
  };
  return kTables;
}

namespace {

struct Class {
  std::string_view name;
  const Layer* layer;
};

std::vector<Class> sorted_classes() {
  std::vector<Class> all;
  for (std::span<const Layer> table : all_layers()) {
    for (const Layer& layer : table) {
      for (std::string_view rest = layer.cls; !rest.empty();) {
        const size_t blank = std::min(rest.find(' '), rest.size());
        all.push_back({rest.substr(0, blank), &layer});
        rest.remove_prefix(std::min(blank + 1, rest.size()));
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const Class& a, const Class& b) { return a.name < b.name; });
  return all;
}

// Where torch has its float layers: not torch.ao.nn, torch.nn.quantized, torch.nn.qat, torch.nn.intrinsic.
bool is_torch_path(std::string_view qualified) {
  for (std::string_view prefix : {"torch.nn.modules.", "torch.nn.parallel.", "torch.nn.utils.", "torch._dynamo."}) {
    if (qualified.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

const Layer* find_layer(const Module& module) {
  static const std::vector<Class> kClasses = sorted_classes();
  if (module.extends.empty() && !module.qualified.empty() && !is_torch_path(module.qualified)) return nullptr;
  std::string_view name = module.extends.empty() ? module.cls : module.extends;
  if (name.starts_with("Parametrized") && module.child("parametrizations") != nullptr) name.remove_prefix(std::string_view("Parametrized").size());
  auto it = std::lower_bound(kClasses.begin(), kClasses.end(), name, [](const Class& c, std::string_view t) { return c.name < t; });
  return it != kClasses.end() && it->name == name ? it->layer : nullptr;
}

// ---- one call ----

Builder& LayerCall::builder() const { return network.builder; }

IValue LayerCall::fail(const Error& error) const {
  if (builder().ok()) builder().fail(error);
  return {};
}

namespace {

// Reads an option; its error becomes the builder's.
template <class F>
auto read(const LayerCall& c, F f) {
  Options options(c.module);
  auto value = f(options);
  if (!options.status()) c.fail(options.status().error());
  return value;
}

}  // namespace

IValue LayerCall::option(std::string_view name) const {
  return read(*this, [&](Options& o) { return o[name]; });
}
bool LayerCall::boolean(std::string_view name) const {
  return read(*this, [&](Options& o) { return o.boolean(name); });
}
int64_t LayerCall::integer(std::string_view name) const {
  return read(*this, [&](Options& o) { return o.integer(name); });
}
double LayerCall::number(std::string_view name) const {
  return read(*this, [&](Options& o) { return o.number(name); });
}
std::string LayerCall::string(std::string_view name) const {
  return read(*this, [&](Options& o) { return o.string(name); });
}
std::vector<int64_t> LayerCall::ints(std::string_view name, size_t count) const {
  return read(*this, [&](Options& o) { return o.ints(name, count); });
}

namespace {

// The axis that spectral_norm takes for rows, as its hook says, else as torch chooses it.
int split_axis(const Module& module, std::string_view name) {
  for (const auto& [key, literal] : module.args) {
    const auto* hook = key == "hook" ? std::get_if<Literals>(&literal.value) : nullptr;
    if (hook == nullptr || hook->size() < 3) continue;
    const auto* of = std::get_if<std::string>(&(*hook)[1].value);
    const auto* dim = std::get_if<int64_t>(&(*hook)[2].value);
    if (of != nullptr && dim != nullptr && *of == name && *dim >= 0 && *dim < kMaxRank) return static_cast<int>(*dim);
  }
  return module.cls.find("ConvTranspose") != std::string::npos ? 1 : 0;
}

}  // namespace

ValueId LayerCall::weight(std::string_view name) const {
  const Layer* layer = find_layer(module);
  std::vector<Expected> own;
  if (!builder().ok() || layer->expected == nullptr) return kNone;
  if (Status s = layer->expected(module, path, own); !s) return builder().fail(s.error());
  const std::string full = join(path, name);
  const bool has = std::any_of(own.begin(), own.end(), [&](const Expected& e) { return e.name == full; });
  if (!has) return kNone;
  if (const Module* list = module.child("parametrizations"); list != nullptr && list->child(name) != nullptr) {
    const auto& steps = list->child(name)->children;
    constexpr std::string_view kKnown[] = {"_WeightNorm", "_SpectralNorm", "_Orthogonal"};
    if (steps.size() != 1 || std::find(std::begin(kKnown), std::end(kKnown), steps[0].second->cls) == std::end(kKnown)) {
      return builder().fail(unsupported("its " + std::string(name) + " has a parametrization that is not known"));
    }
  }
  return network.weights.get(builder(), full, split_axis(module, name), builder().dtype(input().id()));
}

IValue LayerCall::argument(std::string_view name, size_t index) const {
  for (const auto& [key, value] : named) {
    if (key == name) return value;
  }
  return index < positional.size() ? positional[index] : IValue();
}

ValueId LayerCall::tensor_argument(std::string_view name, size_t index) const {
  const IValue value = argument(name, index);
  if (!value.is_tensor()) fail(invalid(module.cls + ": argument " + std::string(name) + " must be a tensor, not " + value.kind()));
  return value.id();
}

IValue LayerCall::input() const {
  const std::vector<SignatureParameter> parameters = parse_signature(find_layer(module)->forward_signature);
  return argument(parameters[0].name, 0);
}

IValue LayerCall::child(std::string_view name, const IValues& arguments, const std::vector<std::pair<std::string, IValue>>& named_arguments) const {
  const Module* m = module.child(name);
  if (m == nullptr) return fail(invalid(module.cls + ": its " + std::string(name) + " is missing"));
  return network.call(*m, join(path, name), arguments, named_arguments);
}

// ---- trees as they were written ----

Status complete(Module& root) {
  constexpr size_t kMostModules = 1000000;  // a short text can ask for many layers
  size_t modules = 0;
  std::unordered_set<const Module*> seen;  // repeated blocks are one module
  auto visit = [&](auto& self, Module& m, const std::string& path, int depth) -> Status {
    if (depth > kMaxModuleDepth) return invalid("its modules nest more than " + std::to_string(kMaxModuleDepth) + " deep");
    if (!seen.insert(&m).second) return {};
    if (const Layer* layer = find_layer(m)) {
      const bool own = m.extends.empty();  // a class that extends it may have arguments of its own
      Status s = own ? check_arguments(*layer, m) : Status();
      if (s && layer->complete != nullptr) s = layer->complete(m, path);
      if (!s && own) return path.empty() ? s : s.error().within(path);
    }
    if ((modules += m.children.size()) > kMostModules) return invalid("the architecture has more than " + std::to_string(kMostModules) + " modules");
    for (auto& [name, child] : m.children) {
      if (Status s = self(self, *child, join(path, name), depth + 1); !s) return s;
    }
    return {};
  };
  return visit(visit, root, "", 1);
}

}  // namespace tern::torch
