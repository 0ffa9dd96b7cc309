// Calls of modules. See net.h.
#include "loaders/torch/nn/net.h"

#include <algorithm>

#include "loaders/torch/ops/signature.h"

namespace tern::torch {
namespace {

constexpr int64_t kMostCalls = int64_t(1) << 20;

// As Python would: too many arguments, unknown ones, missing ones.
Status check_call(const Layer& layer, const IValues& positional, const std::vector<std::pair<std::string, IValue>>& named) {
  const std::vector<SignatureParameter> parameters = parse_signature(layer.forward_signature);
  if (!parameters.empty() && parameters[0].rest) return {};
  if (positional.size() > parameters.size()) {
    return invalid("its forward takes at most " + std::to_string(parameters.size()) + " arguments, not " + std::to_string(positional.size()));
  }
  for (const auto& [name, value] : named) {
    const auto p = std::find_if(parameters.begin(), parameters.end(), [&name = name](const SignatureParameter& q) { return q.name == name; });
    if (p == parameters.end()) return invalid("its forward has no argument " + name);
    if (p - parameters.begin() < static_cast<std::ptrdiff_t>(positional.size())) return invalid("argument " + name + " is given twice");
  }
  for (size_t i = positional.size(); i < parameters.size(); ++i) {
    const SignatureParameter& p = parameters[i];
    const bool given = std::any_of(named.begin(), named.end(), [&](const auto& n) { return n.first == p.name; });
    if (!given && !p.fallback) return invalid("argument " + std::string(p.name) + " of its forward is missing");
  }
  return {};
}

}  // namespace

void Network::tell_type(const IValue& value, TypeInfo type) {
  if (!builder.ok() || !builder.untyped(value.id()) || (!type.shape.ranked() && type.dtype == DType::none)) return;
  const std::string& name = builder.name(value.id());
  for (int axis = 0; axis < type.shape.rank(); ++axis) {
    if (type.shape[axis] == free_size()) type.shape[axis] = Dim::symbol(axis == 0 ? "batch" : name + "_" + std::to_string(axis));
  }
  builder.tell_type(value.id(), std::move(type));
}

IValue Network::run(const Module& module, const std::string& path, const IValues& positional,
                    const std::vector<std::pair<std::string, IValue>>& named) {
  if (const Function* forward = forward_of(module, path, forwards)) {
    const Layer* layer = module.extends.empty() ? nullptr : find_layer(module);
    const IValue& first = !positional.empty() ? positional[0] : !named.empty() ? named[0].second : IValue();
    if (layer != nullptr && layer->input != nullptr && !asked && builder.untyped(first.id()))
      asked = {builder.name(first.id()), layer->input(module)};
    return forwards->run(*forward, *this, module, path, positional, named);
  }
  return run_layer(module, path, positional, named);
}

IValue Network::run_layer(const Module& module, const std::string& path, const IValues& positional,
                          const std::vector<std::pair<std::string, IValue>>& named) {
  const Layer* layer = find_layer(module);
  if (layer == nullptr || layer->forward == nullptr) {
    builder.fail(
        unsupported(layer == nullptr ? "the forward of " + module.cls + " is not known" : module.cls + " has no forward: call what it holds"));
    return {};
  }
  if (Status s = check_call(*layer, positional, named); !s) {
    builder.fail(s.error().within(module.cls));
    return {};
  }
  const LayerCall call(*this, module, path, positional, named);
  if (const IValue x = call.input(); guessed && layer->input != nullptr && x.is_tensor() && !builder.untyped(x.id())) {
    const Shape layers = layer->input(module).shape, &own = builder.shape(x.id());
    for (int i = 0; layers.ranked() && layers.rank() == own.rank() && i < own.rank(); ++i) {
      if (layers[i].known() && !own[i].known()) builder.fail(invalid(module.cls + ": the size of an axis is not known"));
    }
  }
  if (const IValue x = call.input(); layer->input != nullptr && builder.untyped(x.id())) {
    TypeInfo type = layer->input(module);
    const StoredTensor* weight = weights.stored(join(path, "weight"));
    if (weight != nullptr && type.dtype == DType::f32 && is_float(weight->used_as())) type.dtype = weight->used_as();  // model.double()
    tell_type(x, std::move(type));
  }
  const IValue result = layer->forward(call);
  if (std::string_view(layer->signature).find("inplace") != std::string_view::npos && call.boolean("inplace"))
    builder.overwrite(call.input().id(), result.id());
  return result;
}

IValue Network::call(const Module& module, const std::string& path, const IValues& positional,
                     const std::vector<std::pair<std::string, IValue>>& named) {
  if (!builder.ok()) return {};
  // Where the caller is, the path says again.
  const std::string& scope = builder.scope();
  const bool inside = !scope.empty() && path.size() > scope.size() && path.starts_with(scope) && path[scope.size()] == '.';
  builder.enter(inside ? path.substr(scope.size() + 1) : scope == path ? "" : path);
  IValue result;
  if (depth_ >= kMaxModuleDepth) builder.fail(invalid("modules call each other more than " + std::to_string(kMaxModuleDepth) + " deep"));
  else if (++calls_ > kMostCalls) builder.fail(unsupported("more than " + std::to_string(kMostCalls) + " calls of modules"));
  else if (!module.refusal.empty()) builder.fail(unsupported(module.cls + " cannot be used: " + module.refusal));
  ++depth_;
  if (builder.ok()) result = run(module, path, positional, named);
  --depth_;
  builder.leave();
  return builder.ok() ? result : IValue();
}

}  // namespace tern::torch
