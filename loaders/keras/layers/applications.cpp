// Layers that nets of keras.applications bring with them: ConvNeXt's and InceptionResNetV2's. They are no custom objects: their classes are Keras' own.
// See layer.h. Next: pieces.h.
#include "loaders/keras/layers/pieces.h"

namespace tern::keras {
namespace {

// x times a number for each channel.
Flows layer_scale(Call& c) {
  if (!c.config.has("projection_dim")) return c.unsupported("a LayerScale that is not that of keras.applications");
  const ValueId x = c.x();
  return {{c.emit("Mul", {x, c.weight("gamma", {c.config.integer("projection_dim", 0)})})}};
}

// It drops in training alone.
Flows stochastic_depth(Call& c) {
  if (!c.config.has("drop_path_rate")) return c.unsupported("a StochasticDepth that is not that of keras.applications");
  return {c.in()};
}

Flows scaled_sum(Call& c) {
  if (c.inputs.size() != 2) return c.invalid("it is called with " + std::to_string(c.inputs.size()) + " tensors, not two");
  return {{c.emit("Add", {c.x(0), c.emit("Mul", {c.x(1), number(c, c.x(1), c.config.number("scale", 1))})})}};
}

constexpr LayerRow kApplicationRows[] = {
    {"CustomScaleLayer Custom>CustomScaleLayer", scaled_sum},  // Keras 2 registers it, and calls it so in .h5
    {"LayerScale", layer_scale},
    {"StochasticDepth", stochastic_depth},
};

}  // namespace

std::span<const LayerRow> application_layers() { return kApplicationRows; }

}  // namespace tern::keras
