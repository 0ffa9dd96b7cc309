// Containers, and layers that do nothing in eval mode. See layers.h. Next: linear.cpp.
#include "loaders/torch/nn/net.h"

namespace tern::torch {
namespace {

IValue sequential(const LayerCall& c) {
  IValue x = c.input();
  for (const auto& [name, module] : c.module.children) x = c.network.call(*module, join(c.path, name), {x});
  return x;
}

template <OpName Child>
IValue wrapped(const LayerCall& c) {
  return c.child(Child.text, c.positional, c.named);
}

IValue same(const LayerCall& c) { return c.input(); }

template <OpName Why>
IValue refuse(const LayerCall& c) {
  return c.fail(unsupported(c.module.cls + " is not supported: " + Why.text));
}

// ParameterList and ParameterDict: what the file says, or the lines that print(model) has for them.
Status held_parameters(const Module& m, const std::string& path, std::vector<Expected>& out) {
  for (const Module::Own& own : m.tensors) {
    if (own.tensor) out.push_back({join(path, own.name), own.tensor->sizes, false, false, own.tensor->dtype});
  }
  return {};
}

// A list of parametrizations holds what was trained; weight_norm splits it in two.
Status original(const Module& m, const std::string& path, std::vector<Expected>& out) {
  const bool two = m.children.size() == 1 && m.children[0].second->cls == "_WeightNorm";
  out.push_back({join(path, two ? "original0" : "original"), std::nullopt});
  if (two) out.push_back({join(path, "original1"), std::nullopt});
  return {};
}

Status singular_vectors(const Module&, const std::string& path, std::vector<Expected>& out) {
  out.push_back({join(path, "_u"), std::nullopt, true});  // a vector's norm needs none
  out.push_back({join(path, "_v"), std::nullopt, true});
  return {};
}

Status base(const Module&, const std::string& path, std::vector<Expected>& out) {
  out.push_back({join(path, "base"), std::nullopt, true});
  return {};
}

constexpr const char* kDrop = "p=0.5, inplace=False";

constexpr Layer kContainersRows[] = {
    {"Sequential", "*args", "input", nullptr, sequential, nullptr},
    {"ModuleList ModuleDict", "*args", "", nullptr, nullptr, nullptr},
    {"ParameterList ParameterDict", "*args", "", held_parameters, nullptr, nullptr},
    {"Identity", "*args", "input", nullptr, same, nullptr},
    {"Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout", kDrop, "input", nullptr, same, nullptr},
    {"DataParallel DistributedDataParallel", "*args", "*inputs", nullptr, wrapped<"module">, nullptr},
    {"OptimizedModule", "*args", "*inputs", nullptr, wrapped<"_orig_mod">, nullptr},
    // what torch.nn.utils.parametrize puts into a tree; weights.cpp computes with it
    {"ParametrizationList", "*args", "", original, nullptr, nullptr},
    {"_WeightNorm", "*args", "", nullptr, nullptr, nullptr},
    {"_SpectralNorm", "*args", "", singular_vectors, nullptr, nullptr},
    {"_Orthogonal", "*args", "", base, nullptr, nullptr},
    {"FractionalMaxPool2d FractionalMaxPool3d", "*args", "*inputs", nullptr, refuse<"its windows are random">, nullptr},
    {"MaxUnpool1d MaxUnpool2d MaxUnpool3d", "*args", "*inputs", nullptr, refuse<"pools do not give indices here">, nullptr},
    {"CrossMapLRN2d", "*args", "*inputs", nullptr, refuse<"it is not what LocalResponseNorm computes">, nullptr},
    {"LazyLinear LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d LazyBatchNorm1d LazyBatchNorm2d "
     "LazyBatchNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d",
     "*args", "*inputs", nullptr, refuse<"it was saved before its first call, which decides its sizes">, nullptr},
    {"AdaptiveLogSoftmaxWithLoss", "*args", "*inputs", nullptr, refuse<"it is a loss">, nullptr},
};

}  // namespace

std::span<const Layer> container_layers() { return kContainersRows; }

}  // namespace tern::torch
