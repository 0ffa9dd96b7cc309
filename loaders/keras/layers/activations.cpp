// Activations: functions by name, as layers take them (activation="relu"), and the layers of the same name. See layer.h. Next: conv.cpp.
#include <algorithm>

#include "loaders/keras/layers/pieces.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

template <OpName op>
ValueId unary(const Call& c, const Config&, ValueId x) {
  return c.emit(op.text, {x});
}

// With config[key] as the operator's attribute.
template <OpName op, OpName key, OpName attribute>
ValueId with_number(const Call& c, const Config& config, ValueId x, double otherwise) {
  return c.emit(op.text, {x}, attributes({{attribute.text, static_cast<float>(config.number(key.text, otherwise))}}));
}

ValueId linear(const Call&, const Config&, ValueId x) { return x; }

ValueId clip(const Call& c, ValueId x, double least, double most) { return c.emit("Clip", {x, number(c, x, least), number(c, x, most)}); }

ValueId greater(const Call& c, ValueId x, double than) { return c.emit("Greater", {x, number(c, x, than)}); }

// ---- rectifiers

// x above the threshold, at most max_value; below it slope * (x - threshold).
ValueId rectified(const Call& c, ValueId x, double slope, double most, bool bounded, double threshold) {
  if (threshold == 0 && slope == 0) return bounded ? clip(c, x, 0, most) : c.emit("Relu", {x});
  if (threshold == 0 && !bounded) return c.emit("LeakyRelu", {x}, attributes({{"alpha", static_cast<float>(slope)}}));
  const ValueId below = slope == 0 ? number(c, x, 0) : c.emit("Mul", {c.emit("Sub", {x, number(c, x, threshold)}), number(c, x, slope)});
  const ValueId above = bounded ? c.emit("Min", {x, number(c, x, most)}) : x;
  return c.emit("Where", {greater(c, x, threshold), above, below});
}

// Keras 2 calls the slope alpha in functions.
double slope_of(const Config& config, double otherwise) { return config.number("negative_slope", config.number("alpha", otherwise)); }

ValueId relu(const Call& c, const Config& config, ValueId x) {
  return rectified(c, x, slope_of(config, 0), config.number("max_value", 0), config.has("max_value"), config.number("threshold", 0));
}
ValueId relu6(const Call& c, const Config&, ValueId x) { return clip(c, x, 0, 6); }
ValueId leaky_function(const Call& c, const Config& config, ValueId x) { return rectified(c, x, slope_of(config, 0.2), 0, false, 0); }
ValueId leaky_layer(const Call& c, const Config& config, ValueId x) { return rectified(c, x, slope_of(config, 0.3), 0, false, 0); }
ValueId thresholded(const Call& c, const Config& config, ValueId x) { return with_number<"ThresholdedRelu", "theta", "alpha">(c, config, x, 1); }
ValueId threshold(const Call& c, const Config& config, ValueId x) {
  return c.emit("Where", {greater(c, x, config.number("threshold", 0)), x, number(c, x, config.number("default_value", 0))});
}
ValueId soft_shrink(const Call& c, const Config& config, ValueId x) {
  const auto by = static_cast<float>(config.number("threshold", 0.5));
  return c.emit("Shrink", {x}, attributes({{"lambd", by}, {"bias", by}}));
}
ValueId hard_shrink(const Call& c, const Config& config, ValueId x) { return with_number<"Shrink", "threshold", "lambd">(c, config, x, 0.5); }

// ---- exponentials

ValueId elu(const Call& c, const Config& config, ValueId x) { return with_number<"Elu", "alpha", "alpha">(c, config, x, 1); }
ValueId celu(const Call& c, const Config& config, ValueId x) { return with_number<"Celu", "alpha", "alpha">(c, config, x, 1); }
ValueId silu(const Call& c, const Config&, ValueId x) { return c.emit("Mul", {x, c.emit("Sigmoid", {x})}); }
ValueId gelu(const Call& c, const Config& config, ValueId x) {
  return c.emit("Gelu", {x}, attributes({{"approximate", std::string(config.boolean("approximate", false) ? "tanh" : "none")}}));
}
ValueId log_sigmoid(const Call& c, const Config&, ValueId x) { return c.emit("Neg", {c.emit("Softplus", {c.emit("Neg", {x})})}); }
ValueId tanh_shrink(const Call& c, const Config&, ValueId x) { return c.emit("Sub", {x, c.emit("Tanh", {x})}); }
ValueId glu(const Call& c, const Config& config, ValueId x) {
  const Attributes attrs = attributes({{"axis", config.integer("axis", -1)}, {"num_outputs", int64_t(2)}});
  const std::vector<ValueId> half = c.b.emit("Split", {x}, attrs, 2);
  return c.emit("Mul", {half[0], c.emit("Sigmoid", {half[1]})});
}

// ---- pieces of straight lines

ValueId hard_sigmoid(const Call& c, const Config&, ValueId x) {
  return c.emit("HardSigmoid", {x}, attributes({{"alpha", c.layer.keras() == 2 ? 0.2f : 1.0f / 6}, {"beta", 0.5f}}));
}
ValueId hard_silu(const Call& c, const Config&, ValueId x) { return c.emit("HardSwish", {x}); }
ValueId hard_tanh(const Call& c, const Config&, ValueId x) { return clip(c, x, -1, 1); }
ValueId sparse_sigmoid(const Call& c, const Config&, ValueId x) { return c.emit("HardSigmoid", {x}, attributes({{"alpha", 0.5f}, {"beta", 0.5f}})); }
ValueId sparse_plus(const Call& c, const Config&, ValueId x) {  // 0, (x + 1)^2 / 4, x
  const ValueId half = c.emit("Mul", {c.emit("Add", {clip(c, x, -1, 1), number(c, x, 1)}), number(c, x, 0.5)});
  return c.emit("Where", {greater(c, x, 1), x, c.emit("Mul", {half, half})});
}
ValueId squareplus(const Call& c, const Config& config, ValueId x) {
  const ValueId root = c.emit("Sqrt", {c.emit("Add", {c.emit("Mul", {x, x}), number(c, x, config.number("b", 4))})});
  return c.emit("Mul", {c.emit("Add", {x, root}), number(c, x, 0.5)});
}

// ---- along an axis

ValueId softmax(const Call& c, const Config& config, ValueId x) { return c.emit("Softmax", {x}, attributes({{"axis", config.integer("axis", -1)}})); }
ValueId log_softmax(const Call& c, const Config& config, ValueId x) {
  return c.emit("LogSoftmax", {x}, attributes({{"axis", config.integer("axis", -1)}}));
}

// max(x - tau, 0), nearly the projection on the simplex (Martins and Astudillo 2016, algorithm 1): where the paper's tau has the sum of the support,
// Keras has the sum of the sums up to each of it.
ValueId sparsemax(const Call& c, const Config& config, ValueId x) {
  const int axis = c.axis(config.integer("axis", -1), c.b.rank(x));
  if (!c.b.ok()) return kNone;
  const Int n = c.b.size(x, axis);
  const ValueId sorted = c.b.emit("TopK", {x, c.b.ints(std::vector<Int>{n})}, attributes({{"axis", int64_t(axis)}}), 2)[0];
  std::vector<Int> along(static_cast<size_t>(c.b.rank(x)), Int(1));
  along[static_cast<size_t>(axis)] = Int(-1);
  const ValueId counts = c.b.cast(c.emit("Range", {c.b.scalar(Int(1)), c.b.scalar(c.b.add(n, 1)), c.b.scalar(Int(1))}), c.b.dtype(x));
  const ValueId sums = c.emit("CumSum", {sorted, c.b.scalar(Int(axis))});
  const ValueId taus = c.emit("Div", {c.emit("Sub", {sums, number(c, x, 1)}), c.b.reshape(counts, along)});  // if the first k were the support
  const ValueId support = c.b.cast(c.emit("Greater", {sorted, taus}), c.b.dtype(x));
  const ValueId sum = reduce(c, "ReduceSum", c.emit("Mul", {sums, support}), {axis}, true);
  const ValueId tau = c.emit("Div", {c.emit("Sub", {sum, number(c, x, 1)}), reduce(c, "ReduceSum", support, {axis}, true)});
  return c.emit("Relu", {c.emit("Sub", {x, tau})});
}

// The functions of keras.activations, and layers that are given as one, with their defaults.
struct Function {
  const char* names;
  ValueId (*apply)(const Call& c, const Config& config, ValueId x);
};
constexpr Function kFunctions[] = {
    {"linear", linear},
    {"relu ReLU", relu},
    {"relu6", relu6},
    {"leaky_relu", leaky_function},
    {"LeakyReLU", leaky_layer},
    {"ThresholdedReLU", thresholded},
    {"threshold", threshold},
    {"soft_shrink", soft_shrink},
    {"hard_shrink", hard_shrink},
    {"elu ELU", elu},
    {"selu", unary<"Selu">},
    {"celu", celu},
    {"silu swish", silu},
    {"gelu", gelu},
    {"glu", glu},
    {"mish", unary<"Mish">},
    {"exponential", unary<"Exp">},
    {"softplus", unary<"Softplus">},
    {"softsign", unary<"Softsign">},
    {"sigmoid", unary<"Sigmoid">},
    {"log_sigmoid", log_sigmoid},
    {"hard_sigmoid", hard_sigmoid},
    {"sparse_sigmoid", sparse_sigmoid},
    {"hard_silu hard_swish", hard_silu},
    {"tanh", unary<"Tanh">},
    {"hard_tanh", hard_tanh},
    {"tanh_shrink", tanh_shrink},
    {"sparse_plus", sparse_plus},
    {"squareplus", squareplus},
    {"softmax softmax_v2 Softmax", softmax},
    {"log_softmax log_softmax_v2", log_softmax},
    {"sparsemax", sparsemax},
};

bool lists(std::string_view names, std::string_view name) {
  for (; !names.empty(); names.remove_prefix(std::min(names.find(' '), names.size() - 1) + 1)) {
    if (names.substr(0, names.find(' ')) == name) return true;
  }
  return false;
}

}  // namespace

ValueId activation(const Call& c, const std::string& name, const Config& config, ValueId x) {
  for (const Function& f : kFunctions) {
    if (lists(f.names, name)) return f.apply(c, config, x);
  }
  if (name == "<lambda>") {
    c.b.fail(unsupported("its activation was a Python lambda, of which the file has nothing but <lambda>; save the model with model.export()"));
  } else {
    c.b.fail(unsupported("activation " + printable(name, 80) + " is not supported"));
  }
  return kNone;
}

namespace {

// Each place has a slope of its own below zero, but along shared axes.
ValueId prelu(const Call& c, const Config& config, const Weights& weights, ValueId x) {
  const int rank = c.b.rank(x);
  std::vector<int64_t> dims(static_cast<size_t>(std::max(rank - 1, 0)), -1);
  for (int64_t a : config.ints("shared_axes")) {
    const int axis = c.axis(a, rank);
    if (axis > 0) dims[static_cast<size_t>(axis - 1)] = 1;
  }
  for (int i = 1; i < rank; ++i) {
    int64_t& n = dims[static_cast<size_t>(i - 1)];
    if (n == -1) n = c.known_size(x, i);
  }
  return c.emit("PRelu", {x, c.weight(weights, "alpha", dims)});
}

}  // namespace

ValueId activation(const Call& c, std::string_view key, ValueId x) {
  if (!c.config.has(key)) return x;
  if (c.config.called(key) == "PReLU") {
    const Config config = c.config.object(key).object("config");
    Weights weights = c.weights.child(key, config.text("name"));
    if (weights.has("alpha")) return prelu(c, config, weights, x);
    c.b.fail(unsupported("its activation is a PReLU, whose slopes the file does not hold: save the model with PReLU as a layer behind this one"));
  }
  return activation(c, c.config.called(key), c.config.object(key).object("config"), x);
}

namespace {

Flows layer(Call& c) { return {{activation(c, c.layer.class_name, c.config, c.x())}}; }

Flows prelu(Call& c) { return {{prelu(c, c.config, c.weights, c.x())}}; }

// The softmax over one axis or several; what a mask leaves out is 0.
Flows softmax_layer(Call& c) {
  ValueId x = c.x();
  const std::vector<int64_t> axes = axes_of(c, "axis", c.b.rank(x), -1);
  const double most = c.b.dtype(x) == DType::f16 ? (c.layer.keras() == 2 ? -65504 : -3e4) : -1e9;
  const ValueId mask = to_bool(c, c.mask());
  if (mask != kNone) x = c.emit("Where", {mask, x, number(c, x, most)});
  ValueId y = kNone;
  if (axes.size() == 1) y = c.emit("Softmax", {x}, attributes({{"axis", axes[0]}}));
  else y = c.emit("Exp", {c.emit("Sub", {x, reduce(c, "ReduceLogSumExp", x, axes, true)})});
  if (mask != kNone && c.layer.keras() != 2) y = c.emit("Where", {mask, y, number(c, y, 0)});
  return {{y}};
}

}  // namespace

std::span<const LayerRow> activation_layers() {
  static constexpr LayerRow kActivationsRows[] = {
      {"ReLU LeakyReLU ThresholdedReLU ELU", layer, Masking::kept},
      {"PReLU", prelu, Masking::kept},
      {"Softmax", softmax_layer, Masking::kept},
  };
  return kActivationsRows;
}

}  // namespace tern::keras
