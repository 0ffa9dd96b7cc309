// What changes shapes, padding, and distances. See layers.h. Next: recurrent.cpp.
#include "loaders/torch/nn/layers.h"

namespace tern::torch {
namespace {

IValue unflatten(const LayerCall& c) {
  if (c.option("dim").get<std::string>() != nullptr) return c.fail(unsupported("Unflatten of a named dimension is not supported"));
  return call(c.builder(), "torch.unflatten", {c.input(), c.option("dim"), c.option("unflattened_size")});
}

template <int Spatial, OpName Mode>
IValue pad(const LayerCall& c) {
  IValues list;
  for (int64_t n : c.ints("padding", 2 * Spatial)) list.push_back(Int(n));
  const IValue x = c.input();
  const bool has_value = std::string_view(Mode.text) == "constant" && c.module.cls.starts_with("Constant");
  std::vector<std::pair<std::string, IValue>> named = {{"mode", std::string(Mode.text)}};
  if (has_value) named.emplace_back("value", c.option("value"));
  return call(c.builder(), "F.pad", {x, IValue::list(std::move(list))}, named);
}

template <int Spatial>
TypeInfo padded_image(const Module&) {
  Shape s{free_size(), free_size()};
  for (int i = 0; i < Spatial; ++i) s.push_back(free_size());
  return {DType::f32, s};
}

IValue cosine_similarity(const LayerCall& c) {
  return call(c.builder(), "F.cosine_similarity", {c.input(), c.argument("x2", 1), c.option("dim"), c.option("eps")});
}

IValue pairwise_distance(const LayerCall& c) {
  return call(c.builder(), "F.pairwise_distance", {c.input(), c.argument("x2", 1), c.option("p"), c.option("eps"), c.option("keepdim")});
}

constexpr Layer kShapeRows[] = {
    {"Flatten", "start_dim=1, end_dim=-1", "input", nullptr, apply<"torch.flatten", "start_dim", "end_dim">, nullptr},
    {"Unflatten", "dim, unflattened_size", "input", nullptr, unflatten, nullptr},
    {"ConstantPad1d", "padding, value", "input", nullptr, pad<1, "constant">, padded_image<1>},
    {"ConstantPad2d", "padding, value", "input", nullptr, pad<2, "constant">, padded_image<2>},
    {"ConstantPad3d", "padding, value", "input", nullptr, pad<3, "constant">, padded_image<3>},
    {"ZeroPad1d", "padding", "input", nullptr, pad<1, "constant">, padded_image<1>},
    {"ZeroPad2d", "padding", "input", nullptr, pad<2, "constant">, padded_image<2>},
    {"ZeroPad3d", "padding", "input", nullptr, pad<3, "constant">, padded_image<3>},
    {"ReflectionPad1d", "padding", "input", nullptr, pad<1, "reflect">, padded_image<1>},
    {"ReflectionPad2d", "padding", "input", nullptr, pad<2, "reflect">, padded_image<2>},
    {"ReflectionPad3d", "padding", "input", nullptr, pad<3, "reflect">, padded_image<3>},
    {"ReplicationPad1d", "padding", "input", nullptr, pad<1, "replicate">, padded_image<1>},
    {"ReplicationPad2d", "padding", "input", nullptr, pad<2, "replicate">, padded_image<2>},
    {"ReplicationPad3d", "padding", "input", nullptr, pad<3, "replicate">, padded_image<3>},
    {"CircularPad1d", "padding", "input", nullptr, pad<1, "circular">, padded_image<1>},
    {"CircularPad2d", "padding", "input", nullptr, pad<2, "circular">, padded_image<2>},
    {"CircularPad3d", "padding", "input", nullptr, pad<3, "circular">, padded_image<3>},
    {"Fold", "output_size, kernel_size, dilation=1, padding=0, stride=1", "input", nullptr,
     apply<"F.fold", "output_size", "kernel_size", "dilation", "padding", "stride">, padded_image<1>},
    {"Unfold", "kernel_size, dilation=1, padding=0, stride=1", "input", nullptr, apply<"F.unfold", "kernel_size", "dilation", "padding", "stride">,
     padded_image<2>},
    {"CosineSimilarity", "dim=1, eps=1e-08", "x1, x2", nullptr, cosine_similarity, nullptr},
    {"PairwiseDistance", "p|norm=2.0, eps=1e-06, keepdim=False", "x1, x2", nullptr, pairwise_distance, nullptr},
};

}  // namespace

std::span<const Layer> shape_layers() { return kShapeRows; }

}  // namespace tern::torch
