// Activations, and the losses that a model may compute of its logits. See operator.h. Next: linear.cpp.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

Values relu6(Call& c) {
  const ValueId x = c.tensor(0);
  return {c.b.emit("Clip", {x, c.b.scalar_like(x, 0), c.b.scalar_like(x, 6)})};
}

Values relu(Call& c) {
  const ValueId x = c.tensor(0);
  return {is_unsigned_int(c.b.dtype(x)) ? x : c.b.emit("Relu", {x})};
}

Values elu(Call& c) { return {c.b.emit("Elu", {c.tensor(0)}, attributes({{"alpha", 1.0f}}))}; }

Values selu(Call& c) {
  constexpr double kAlpha = 1.6732632423543772848170429916717, kScale = 1.0507009873554804934193349852946;
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (b.dtype(x) == DType::f64) {  // the catalog's has its numbers in f32
    const ValueId below = with(b, "Mul", with(b, "Sub", b.emit("Exp", {x}), 1), kAlpha * kScale);
    return {select(b, with(b, "Less", x, 0), below, with(b, "Mul", x, kScale))};
  }
  return {b.emit("Selu", {x}, attributes({{"alpha", static_cast<float>(kAlpha)}, {"gamma", static_cast<float>(kScale)}}))};
}

Values leaky_relu(Call& c) { return {c.b.emit("LeakyRelu", {c.tensor(0)}, attributes({{"alpha", static_cast<float>(c.number("alpha", 0.2f))}}))}; }

template <OpName Op>
Values along_last(Call& c) {
  return {c.b.emit(Op.text, {c.tensor(0)}, attributes({{"axis", int64_t(-1)}}))};
}

// -sum of label * log softmax, and its gradient by the logits.
Values cross_entropy(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId logits = c.tensor(0), labels = c.tensor(1);
  if (!has_rank(c, 0, 2)) return {};
  const ValueId logs = b.emit("LogSoftmax", {logits}, attributes({{"axis", int64_t(-1)}}));
  const ValueId loss = b.emit("Neg", {reduced(b, "ReduceSum", b.emit("Mul", {labels, logs}), {1}, false)});
  return {loss, b.emit("Sub", {b.emit("Softmax", {logits}, attributes({{"axis", int64_t(-1)}})), labels})};
}

// The same, of one class a row, by its number.
Values sparse_cross_entropy(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId logits = c.tensor(0), classes = b.cast(c.tensor(1), DType::i64);
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 1)) return {};
  const ValueId logs = b.emit("LogSoftmax", {logits}, attributes({{"axis", int64_t(-1)}})), at = unsqueeze(b, classes, {1});
  const ValueId own = squeeze(b, b.emit("GatherElements", {logs, at}, attributes({{"axis", int64_t(1)}})), {1});
  const ValueId labels = b.cast(b.emit("Equal", {at, counted(b, b.size(logits, 1))}), b.dtype(logits));
  return {b.emit("Neg", {own}), b.emit("Sub", {b.emit("Softmax", {logits}, attributes({{"axis", int64_t(-1)}})), labels})};
}

constexpr Operator kActivationsRows[] = {
    {"Relu", nullptr, relu},
    {"Relu6", nullptr, relu6},
    {"Elu", nullptr, elu},
    {"Selu", nullptr, selu},
    {"LeakyRelu", nullptr, leaky_relu},
    {"Softplus", nullptr, unary<"Softplus">},
    {"Softsign", nullptr, unary<"Softsign">},
    {"Softmax", nullptr, along_last<"Softmax">},
    {"LogSoftmax", nullptr, along_last<"LogSoftmax">},
    {"SoftmaxCrossEntropyWithLogits", "loss backprop", cross_entropy},
    {"SparseSoftmaxCrossEntropyWithLogits", "loss backprop", sparse_cross_entropy},
};

}  // namespace

std::span<const Operator> activation_operators() { return kActivationsRows; }

}  // namespace tern::tensorflow
