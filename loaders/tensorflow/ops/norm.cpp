// Batch normalisation and local response normalisation. See operator.h. Next: reduce.cpp.
#include "loaders/tensorflow/ops/fused.h"

namespace tern::tensorflow {
namespace {

using channels_last::BatchNorm;
using channels_last::Channels;

struct Moments {
  ValueId mean = kNone, variance = kNone;  // [C]
};

// Of each channel over all else.
Moments moments(GraphBuilder& b, ValueId x, int axis) {
  std::vector<int64_t> axes, spread;
  for (int i = 0; i < b.rank(x); ++i) {
    if (i != axis) axes.push_back(i);
  }
  const ValueId mean = reduced(b, "ReduceMean", x, axes, true);
  const ValueId variance = reduced(b, "ReduceMean", square(b, b.emit("Sub", {x, mean})), axes, false);
  return {squeeze(b, mean, axes), variance};
}

// y, then the statistics as the operator gives them on: in inference those that came in.
struct Normed {
  ValueId y = kNone, mean = kNone, variance = kNone;
};
Normed normed(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int rank = b.rank(x);
  if (b.ok() && rank != 4 && rank != 5) c.fail(invalid("the input has " + std::to_string(rank) + " dimensions, expected 4 or 5"));
  if (!b.ok()) return {};
  const int axis = channels_last::channel_axis(rank, channels_of(c));
  BatchNorm norm{c.tensor(1), c.tensor(2), c.tensor(3), c.tensor(4), c.number("epsilon", 1e-4f)};
  const DType wide = b.dtype(norm.gamma);
  if (!c.boolean("is_training", true)) return {b.cast(channels_last::batch_norm(b, x, axis, norm), b.dtype(x)), norm.mean, norm.variance};
  // The batch's own statistics; what goes out is mixed with what came in, and the variance is that of a sample.
  const Moments own = moments(b, b.cast(x, wide), axis);
  norm.mean = own.mean;
  norm.variance = own.variance;
  const ValueId y = b.cast(channels_last::batch_norm(b, b.cast(x, wide), axis, norm), b.dtype(x));
  Int n = 1;
  for (int i = 0; i < rank; ++i) {
    if (i != axis) n = b.mul(n, b.size(x, i));
  }
  const ValueId count = b.cast(b.scalar(n), wide), others = with(b, "Max", with(b, "Sub", count, 1), 1);
  const ValueId sampled = b.emit("Mul", {own.variance, b.emit("Div", {count, others})});
  const double factor = c.number("exponential_avg_factor", 1);
  if (factor == 1) return {y, own.mean, sampled};
  auto mixed = [&](ValueId before, ValueId now) { return b.emit("Add", {with(b, "Mul", before, 1 - factor), with(b, "Mul", now, factor)}); };
  return {y, mixed(c.tensor(3), own.mean), mixed(c.tensor(4), sampled)};
}

Value reserve() { return Value::uncomputed("what the gradient of a normalisation needs"); }

template <int Reserves>
Values fused_batch_norm(Call& c) {
  const Normed n = normed(c);
  Values out = {n.y, n.mean, n.variance};
  for (int i = 0; i < Reserves; ++i) out.push_back(reserve());
  return out;
}

Values fused_batch_norm_ex(Call& c) {
  Normed n = normed(c);
  if (c.integer("num_side_inputs", 0) > 0) n.y = c.b.emit("Add", {n.y, c.tensor(5)});
  return {activated(c, c.string("activation_mode", "Identity"), n.y), n.mean, n.variance, reserve(), reserve(), reserve()};
}

// TensorFlow 0's: mean, variance, beta, gamma.
Values old_batch_norm(Call& c) {
  const ValueId x = c.tensor(0);
  const ValueId gamma = c.boolean("scale_after_normalization", true) ? c.tensor(4) : kNone;
  const BatchNorm norm{gamma, c.tensor(3), c.tensor(1), c.tensor(2), c.number("variance_epsilon", 1e-3)};
  return {channels_last::batch_norm(c.b, x, c.b.rank(x) - 1, norm)};
}

// x / (bias + alpha * sum over channels [c - r, c + r] of x^2)^beta
Values local_response(Call& c) {
  if (!has_rank(c, 0, 4)) return {};
  const int64_t radius = c.integer("depth_radius", 5);
  if (radius < 0 || radius > 1 << 20) return c.fail(invalid("depth_radius is " + std::to_string(radius)));
  const int64_t size = 2 * radius + 1;
  const Attributes attrs = attributes({{"size", size},
                                       {"alpha", static_cast<float>(c.number("alpha", 1) * static_cast<double>(size))},
                                       {"beta", static_cast<float>(c.number("beta", 0.5))},
                                       {"bias", static_cast<float>(c.number("bias", 1))}});
  return {channels_last::channels_first(c.b, c.tensor(0), Channels::last, [&](ValueId x) { return c.b.emit("LRN", {x}, attrs); })};
}

constexpr Operator kNormRows[] = {
    {"FusedBatchNorm FusedBatchNormV2", "y batch_mean batch_variance reserve_space_1 reserve_space_2", fused_batch_norm<2>},
    {"FusedBatchNormV3", "y batch_mean batch_variance reserve_space_1 reserve_space_2 reserve_space_3", fused_batch_norm<3>},
    {"_FusedBatchNormEx", "y batch_mean batch_variance reserve_space_1 reserve_space_2 reserve_space_3", fused_batch_norm_ex},
    {"BatchNormWithGlobalNormalization", nullptr, old_batch_norm},
    {"LRN", nullptr, local_response},
};

}  // namespace

std::span<const Operator> norm_operators() { return kNormRows; }

}  // namespace tern::tensorflow
