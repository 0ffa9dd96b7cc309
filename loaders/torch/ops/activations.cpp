// Activations, as torch.nn.functional defines them. See operator.h. Next: linear.cpp.
#include <cmath>

#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

template <OpName Op>
IValue simple(Builder& b, const Arguments& a) {
  return tensor_of(b.emit(Op.text, {real(b, a.tensor("input"))}));
}

IValue relu(Builder& b, const Arguments& a) { return tensor_of(b.emit("Relu", {a.tensor("input")})); }

IValue hardsigmoid(Builder& b, const Arguments& a) {  // relu6(x + 3) / 6
  return tensor_of(b.emit("HardSigmoid", {a.tensor("input")}, attributes({{"alpha", 1.0f / 6}, {"beta", 0.5f}})));
}

IValue leaky_relu(Builder& b, const Arguments& a) {
  return tensor_of(b.emit("LeakyRelu", {a.tensor("input")}, attributes({{"alpha", static_cast<float>(a.number("negative_slope"))}})));
}

// scale * (x > 0 ? x : alpha * (exp(x) - 1))
ValueId selu_of(Builder& b, ValueId x, double alpha, double scale) {
  return b.emit("Selu", {x}, attributes({{"alpha", static_cast<float>(alpha)}, {"gamma", static_cast<float>(scale)}}));
}

// scale * (x > 0 ? x : alpha * (exp(input_scale * x) - 1))
IValue elu(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const double scale = a.has("scale") ? a.number("scale") : 1, input_scale = a.has("input_scale") ? a.number("input_scale") : 1;
  const double alpha = a.number("alpha");
  const Attributes given = attributes({{"alpha", static_cast<float>(alpha)}});
  if (scale == 1 && input_scale == 1) return tensor_of(b.emit("Elu", {x}, given));
  if (scale == 1 && std::fabs(alpha * input_scale - 1) < 1e-9) return tensor_of(b.emit("Celu", {x}, given));  // as a decomposed celu has it
  if (input_scale == 1) return tensor_of(selu_of(b, x, alpha, scale));
  if (!b.ok()) return {};
  const ValueId one = b.scalar_like(x, 1), e = b.emit("Exp", {b.emit("Mul", {x, b.scalar_like(x, input_scale)})});
  const ValueId below = b.emit("Mul", {b.emit("Sub", {e, one}), b.scalar_like(x, alpha * scale)}),
                above = b.emit("Mul", {x, b.scalar_like(x, scale)});
  return tensor_of(b.emit("Where", {b.emit("Greater", {x, b.scalar_like(x, 0)}), above, below}));
}

IValue celu(Builder& b, const Arguments& a) {
  return tensor_of(b.emit("Celu", {a.tensor("input")}, attributes({{"alpha", static_cast<float>(a.number("alpha"))}})));
}

IValue selu(Builder& b, const Arguments& a) {
  return tensor_of(selu_of(b, a.tensor("input"), 1.6732632423543772848170429916717, 1.0507009873554804934193349852946));
}

IValue gelu(Builder& b, const Arguments& a) {
  const std::string how = a.string("approximate");
  if (how != "none" && how != "tanh") return tensor_of(b.fail(invalid("gelu: approximate must be 'none' or 'tanh', not '" + how + "'")));
  return tensor_of(b.emit("Gelu", {a.tensor("input")}, attributes({{"approximate", how}})));
}

IValue silu(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Mul", {x, b.emit("Sigmoid", {x})}));
}

// log(1 + exp(beta x)) / beta; x itself where beta x is above the threshold
IValue softplus(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const double beta = a.number("beta"), threshold = a.number("threshold");
  if (!b.ok()) return {};
  const ValueId scaled = beta == 1 ? x : b.emit("Mul", {x, b.scalar_like(x, beta)});
  ValueId y = b.emit("Softplus", {scaled});
  if (beta != 1) y = b.emit("Div", {y, b.scalar_like(x, beta)});
  if (threshold >= 20) return tensor_of(y);  // equal in f32 from there on
  return tensor_of(b.emit("Where", {b.emit("Greater", {scaled, b.scalar_like(x, threshold)}), x, y}));
}

IValue logsigmoid(Builder& b, const Arguments& a) { return tensor_of(b.emit("Neg", {b.emit("Softplus", {b.emit("Neg", {a.tensor("input")})})})); }

IValue log_sigmoid_forward(Builder& b, const Arguments& a) {
  return IValue::tuple({logsigmoid(b, a), IValue::uncomputed("buffer, which serves training alone")});
}

// In eval mode the slope is the mean of the two.
IValue rrelu(Builder& b, const Arguments& a) {
  if (a.boolean("training")) b.fail(unsupported("rrelu in training mode is random; call model.eval() before exporting"));
  return tensor_of(
      b.emit("LeakyRelu", {a.tensor("input")}, attributes({{"alpha", static_cast<float>((a.number("lower") + a.number("upper")) / 2)}})));
}

IValue hardtanh(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Clip", {x, operand(b, a["min_val"], b.dtype(x)), operand(b, a["max_val"], b.dtype(x))}));
}

IValue relu6(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Clip", {x, b.scalar_like(x, 0), b.scalar_like(x, 6)}));
}

IValue threshold(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Where", {b.emit("LessOrEqual", {x, operand(b, a["threshold"], b.dtype(x))}), operand(b, a["value"], b.dtype(x)), x}));
}

IValue hardshrink(Builder& b, const Arguments& a) {
  return tensor_of(b.emit("Shrink", {a.tensor("input")}, attributes({{"bias", 0.0f}, {"lambd", static_cast<float>(a.number("lambd"))}})));
}

IValue softshrink(Builder& b, const Arguments& a) {
  const auto lambd = static_cast<float>(a.number("lambd"));
  return tensor_of(b.emit("Shrink", {a.tensor("input")}, attributes({{"bias", lambd}, {"lambd", lambd}})));
}

IValue tanhshrink(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Sub", {x, b.emit("Tanh", {x})}));
}

// The first half of an axis times the sigmoid of the second.
IValue glu(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  const auto halves = b.emit("Split", {x}, attributes({{"axis", int64_t(axis)}, {"num_outputs", int64_t(2)}}), 2);
  return tensor_of(b.emit("Mul", {halves[0], b.emit("Sigmoid", {halves[1]})}));
}

// One slope, or one for each channel: axis 1, or the last of a vector.
IValue prelu(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  ValueId w = a.tensor("weight");
  const int rank = b.rank(x);
  if (rank > 2 && b.ok()) {
    std::vector<Int> sizes(static_cast<size_t>(rank - 1), Int(1));
    sizes[0] = -1;
    w = b.reshape(w, sizes);
  }
  return tensor_of(b.emit("PRelu", {x, w}));
}

constexpr Operator kActivationsRows[] = {
    {"aten.relu.default F.relu torch.relu Tensor.relu", "input|self, inplace=False", relu},
    {"aten.sigmoid.default aten.special_expit.default F.sigmoid torch.sigmoid torch.special.expit Tensor.sigmoid", "input|self", simple<"Sigmoid">},
    {"aten.tanh.default F.tanh torch.tanh Tensor.tanh", "input|self", simple<"Tanh">},
    {"F.softsign", "input", simple<"Softsign">},
    {"aten.mish.default F.mish", "input|self, inplace=False", simple<"Mish">},
    {"aten.hardswish.default F.hardswish", "input|self, inplace=False", simple<"HardSwish">},
    {"aten.hardsigmoid.default F.hardsigmoid", "input|self, inplace=False", hardsigmoid},
    {"aten.leaky_relu.default F.leaky_relu", "input|self, negative_slope=0.01, inplace=False", leaky_relu},
    {"F.elu", "input, alpha=1, inplace=False", elu},
    {"aten.elu.default", "input|self, alpha=1, scale=1, input_scale=1", elu},
    {"aten.celu.default F.celu torch.celu", "input|self, alpha=1, inplace=False", celu},
    {"aten.selu.default F.selu torch.selu", "input|self, inplace=False", selu},
    {"aten.gelu.default F.gelu", "input|self, approximate='none'", gelu},
    {"aten.silu.default F.silu", "input|self, inplace=False", silu},
    {"aten.softplus.default F.softplus", "input|self, beta=1, threshold=20", softplus},
    {"aten.log_sigmoid.default F.logsigmoid", "input|self", logsigmoid},
    {"aten.log_sigmoid_forward.default", "input|self", log_sigmoid_forward},
    {"aten.rrelu.default F.rrelu torch.rrelu", "input|self, lower=0.125, upper=0.3333333333333333, training=False, inplace|generator=False", rrelu},
    {"aten.hardtanh.default F.hardtanh", "input|self, min_val=-1, max_val=1, inplace=False", hardtanh},
    {"aten.relu6.default F.relu6", "input|self, inplace=False", relu6},
    {"aten.threshold.default F.threshold torch.threshold", "input|self, threshold, value, inplace=False", threshold},
    {"aten.hardshrink.default F.hardshrink torch.hardshrink Tensor.hardshrink", "input|self, lambd=0.5", hardshrink},
    {"aten.softshrink.default F.softshrink", "input|self, lambd=0.5", softshrink},
    {"F.tanhshrink", "input", tanhshrink},
    {"aten.glu.default F.glu", "input|self, dim=-1", glu},
    {"aten.prelu.default aten._prelu_kernel.default F.prelu torch.prelu Tensor.prelu", "input|self, weight", prelu},
};

}  // namespace

std::span<const Operator> activation_operators() { return kActivationsRows; }

}  // namespace tern::torch
