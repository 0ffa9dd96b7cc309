// The layers that every model has: Dense, Activation, Flatten, and those that do nothing when a model is run. See layer.h.
#include <map>

#include "loaders/keras/layers/quantized.h"
#include "loaders/keras/model/spec.h"
#include "loaders/keras/net.h"

namespace tern::keras {
namespace {

// y[..., u] = sum_i x[..., i] kernel[i, u] + bias[u]
Flows dense(Call& c) {
  const int64_t units = c.config.integer("units");
  ValueId x = c.x();
  if (c.b.rank(x) < 1) return c.invalid("its input has no axes");
  if (!is_float(c.b.dtype(x))) x = c.b.cast(x, c.layer.compute);  // numbers of categories
  if (is_quantized(c, c.weights)) {
    QuantizedProduct product = {"...a,ab->...b", {c.features(x), units}, {}};
    if (c.config.boolean("use_bias", true)) product.bias = {units};
    return {{activation(c, "activation", quantized_product(c, c.weights, x, product))}};
  }
  const ValueId kernel = c.weight("kernel", {c.features(x), units});
  const ValueId bias = c.config.boolean("use_bias", true) ? c.weight("bias", {units}) : kNone;
  ValueId y = kNone;
  if (c.b.dtype(x) == DType::f32) {
    y = c.emit("Linear", {x, kernel, bias});
  } else {
    y = c.emit("MatMul", {x, kernel});
    if (bias != kNone) y = c.emit("Add", {y, bias});
  }
  return {{activation(c, "activation", y)}};
}

Flows activate(Call& c) { return {{activation(c, "activation", c.x())}}; }

// [batch, …] to [batch, n], row-major over channels-last order.
Flows flatten(Call& c) {
  ValueId x = c.x();
  const int rank = c.b.rank(x);
  if (rank > 2 && c.config.text("data_format") == "channels_first") {
    std::vector<int64_t> order = {0};
    for (int i = 2; i < rank; ++i) order.push_back(i);
    order.push_back(1);
    x = c.emit("Transpose", {x}, attributes({{"perm", order}}));
  }
  Int n = 1;
  for (int i = 1; i < rank; ++i) n = c.b.mul(n, c.b.size(x, i));
  return {{c.b.reshape(x, {c.b.size(x, 0), n})}};
}

// Its Python code is in the file, and never looked at.
Flows lambda(Call& c) {
  c.b.fail(unsupported("a Lambda layer is Python code, which is never run: write it with keras.ops, or save the model with model.export()"));
  return {};
}

Flows identity(Call& c) { return c.inputs; }

// cos(x kernel / scale + bias): features whose products are those of a kernel machine.
Flows fourier_features(Call& c) {
  const int64_t in = c.features(c.x()), out = c.config.integer("output_dim");
  const ValueId scale = c.weight("kernel_scale", {1});
  const ValueId kernel = c.weight("unscaled_kernel", {in, out}, false), bias = c.weight("bias", {out}, false);
  return {{c.emit("Cos", {c.emit("Add", {c.emit("MatMul", {c.x(), c.emit("Div", {kernel, scale})}), bias})})}};
}

// Layers one behind the other, with their masks, and no model.
Flows pipeline(Call& c) {
  Arguments with = c.args;
  Flows out = c.inputs;
  const Json& json = c.config.json();
  const Json::Id layers = c.config.at("layers");
  std::map<std::string, int> seen;
  for (size_t i = 0; i < json.size(layers) && c.b.ok(); ++i) {
    const Config one = c.config.item(json.item(layers, i));
    std::string place = snake_case(one.text("class_name"));
    if (const int before = seen[place]++; before > 0) place += "_" + std::to_string(before);
    Layer inner = c.net.layer(one.id(), c.weights.child("layers", "").child(place, one.object("config").text("name")).place());
    out = c.call(inner, with);
    with = {};
    if (out.size() == 1) with.positional.emplace_back(out[0]);
    else if (i + 1 < json.size(layers)) return c.unsupported("a layer with several outputs in a pipeline");
  }
  return out;
}

constexpr LayerRow kCoreRows[] = {
    {"RandomFourierFeatures", fourier_features},
    {"Pipeline", pipeline, Masking::own, false},
    {"Dense", dense, Masking::kept},
    {"Activation", activate, Masking::kept},
    {"Flatten", flatten},
    {"Lambda", lambda},
    {"Identity TFDIdentity", identity, Masking::kept_by_3},
    {"ActivityRegularization Dropout GaussianNoise GaussianDropout AlphaDropout SpatialDropout1D SpatialDropout2D SpatialDropout3D", identity,
     Masking::kept},
};

}  // namespace

std::span<const LayerRow> core_layers() { return kCoreRows; }

}  // namespace tern::keras
