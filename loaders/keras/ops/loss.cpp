// Losses that a model may compute itself: cross entropies, the ratio of signal to noise. See ops.h. Next: tensorflow.cpp.
#include <cmath>

#include "kernels/portable_math.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

constexpr double kEpsilon = 1e-7;

ValueId sum(const Call& c, ValueId x, int64_t axis, bool keep) {
  return c.emit("ReduceSum", {x, c.b.ints({axis})}, attributes({{"keepdims", int64_t(keep)}}));
}
ValueId probability(const Call& c, ValueId x) { return c.emit("Clip", {x, c.b.scalar_like(x, kEpsilon), c.b.scalar_like(x, 1 - kEpsilon)}); }

// -sum of target * log p. Outputs that are no logits are made to add up to 1.
Flows categorical(Call& c) {
  const Operands o(c);
  const auto [target, output] = o.pair(0, "target", "output");
  const int64_t axis = c.axis(o.integer("axis", -1), c.b.rank(output));
  const ValueId logs = o.flag("from_logits", false) ? c.emit("LogSoftmax", {output}, attributes({{"axis", axis}}))
                                                    : c.emit("Log", {probability(c, c.emit("Div", {output, sum(c, output, axis, true)}))});
  return {{c.emit("Neg", {sum(c, c.emit("Mul", {target, logs}), axis, false)})}};
}

// -log p of the class that the target names.
Flows sparse(Call& c) {
  const Operands o(c);
  ValueId target = c.b.cast(o.tensor(0, "target"), DType::i64), output = o.real(o.tensor(1, "output"));
  const int last = c.b.rank(output) - 1;
  if (c.b.ok() && c.b.rank(target) == last) target = unsqueeze(c.b, target, {last});
  if (!o.flag("from_logits", false)) output = c.emit("Log", {probability(c, output)});
  const ValueId logs = c.emit("LogSoftmax", {output}, attributes({{"axis", int64_t(-1)}}));
  const ValueId of_target = c.emit("GatherElements", {logs, target}, attributes({{"axis", int64_t(last)}}));
  return {{c.emit("Neg", {squeeze(c.b, of_target, {last})})}};
}

// Of each number alone; of logits max(x, 0) - x t + log(1 + e^-|x|).
Flows binary(Call& c) {
  const Operands o(c);
  const auto [target, output] = o.pair(0, "target", "output");
  if (o.flag("from_logits", false)) {
    const ValueId decay = c.emit("Softplus", {c.emit("Neg", {c.emit("Abs", {output})})});
    return {{c.emit("Add", {c.emit("Sub", {c.emit("Relu", {output}), c.emit("Mul", {output, target})}), decay})}};
  }
  const ValueId p = probability(c, output);
  const auto against = [&](ValueId v) { return c.emit("Sub", {c.b.scalar_like(v, 1), v}); };
  const ValueId yes = c.emit("Mul", {target, c.emit("Log", {p})}), no = c.emit("Mul", {against(target), c.emit("Log", {against(p)})});
  return {{c.emit("Neg", {c.emit("Add", {yes, no})})}};
}

// 10 log10(max^2 / mean square of the difference) of all elements.
Flows psnr(Call& c) {
  const Operands o(c);
  const auto [x, y] = o.pair(0, "x1", "x2");
  const ValueId d = c.emit("Sub", {x, y}), mean = c.emit("ReduceMean", {c.emit("Mul", {d, d})}, attributes({{"keepdims", int64_t(0)}}));
  const double most = o.number("max_val", 1, 2);
  const ValueId noise = with(c, "Mul", c.emit("Log", {mean}), 10 / portable::log(10.0));
  return {{c.emit("Sub", {c.b.scalar_like(mean, 20 * portable::log(most) / portable::log(10)), noise})}};
}

constexpr LayerRow kLossRows[] = {
    {"ops.CategoricalCrossentropy", categorical},
    {"ops.SparseCategoricalCrossentropy", sparse},
    {"ops.BinaryCrossentropy", binary},
    {"ops.PSNR", psnr},
};

}  // namespace

std::span<const LayerRow> loss_operations() { return kLossRows; }

}  // namespace tern::keras
