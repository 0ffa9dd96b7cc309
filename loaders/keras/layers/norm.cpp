// Normalizations. Sums are made in f32 where the layer computes in 16 bits, as Keras does. See layer.h. Next: embedding.cpp.
#include "loaders/keras/layers/pieces.h"

namespace tern::keras {
namespace {

Flows cast_back(const Call& c, ValueId y) { return {{c.b.cast(y, c.layer.compute)}}; }

// Keras 2: statistics of their own for the places of several axes, with ones for the others.
Flows batch_norm_of_several(Call& c, ValueId x, const std::vector<int64_t>& axes) {
  std::vector<int64_t> dims(static_cast<size_t>(c.b.rank(x)), 1);
  for (int64_t a : axes) dims[static_cast<size_t>(a)] = c.known_size(x, static_cast<int>(a));
  const ValueId gamma = c.config.boolean("scale", true) ? weight_like(c, x, "gamma", dims) : kNone;
  const ValueId beta = c.config.boolean("center", true) ? weight_like(c, x, "beta", dims) : kNone;
  const ValueId mean = weight_like(c, x, "moving_mean", dims, false), variance = weight_like(c, x, "moving_variance", dims, false);
  const ValueId deviation = c.emit("Sqrt", {c.emit("Add", {variance, number(c, x, c.config.number("epsilon", 1e-3))})});
  ValueId y = c.emit("Div", {c.emit("Sub", {x, mean}), deviation});
  if (gamma != kNone) y = c.emit("Mul", {y, gamma});
  return cast_back(c, beta == kNone ? y : c.emit("Add", {y, beta}));
}

Flows batch_norm(Call& c) {
  const ValueId x = widened(c, c.x());
  const std::vector<int64_t> axes = axes_of(c, "axis", c.b.rank(x), -1);
  if (!c.b.ok()) return {};
  if (axes.size() != 1) return batch_norm_of_several(c, x, axes);
  const int64_t n = c.known_size(x, static_cast<int>(axes[0]));
  channels_last::BatchNorm norm;
  norm.epsilon = c.config.number("epsilon", 1e-3);
  if (c.config.boolean("scale", true)) norm.gamma = weight_like(c, x, "gamma", {n});
  if (c.config.boolean("center", true)) norm.beta = weight_like(c, x, "beta", {n});
  norm.mean = weight_like(c, x, "moving_mean", {n}, false);
  norm.variance = weight_like(c, x, "moving_variance", {n}, false);
  return cast_back(c, channels_last::batch_norm(c.b, x, static_cast<int>(axes[0]), norm));
}

// Of the axes that a norm is taken over: their sizes, as gamma and beta have them, and with ones elsewhere.
struct Normed {
  std::vector<int64_t> axes, sizes;
  std::vector<Int> broadcast;
  bool last = true;  // they are the last ones of x
};
Normed normed(const Call& c, ValueId x) {
  const int rank = c.b.rank(x);
  Normed n{axes_of(c, "axis", rank, -1), {}, std::vector<Int>(static_cast<size_t>(rank), Int(1))};
  for (size_t i = 0; i < n.axes.size() && c.b.ok(); ++i) {
    n.last = n.last && n.axes[i] == rank - static_cast<int64_t>(n.axes.size() - i);
    n.sizes.push_back(c.known_size(x, static_cast<int>(n.axes[i])));
    n.broadcast[static_cast<size_t>(n.axes[i])] = n.sizes.back();
  }
  return n;
}

ValueId filled(const Call& c, ValueId like, double value, const std::vector<int64_t>& sizes) {
  return c.emit("Expand", {number(c, like, value), c.b.ints(sizes)});
}

// x * gamma + beta, each along the axes of the norm; either may be kNone.
ValueId scaled(const Call& c, ValueId x, ValueId gamma, ValueId beta, const Normed& n) {
  if (gamma != kNone) x = c.emit("Mul", {x, c.b.reshape(gamma, n.broadcast)});
  return beta == kNone ? x : c.emit("Add", {x, c.b.reshape(beta, n.broadcast)});
}

// x / sqrt(mean(of^2) + epsilon).
ValueId by_deviation(const Call& c, ValueId x, ValueId of, const Normed& n, double epsilon) {
  const ValueId square = reduce(c, "ReduceMean", c.emit("Mul", {of, of}), n.axes, true);
  return c.emit("Div", {x, c.emit("Sqrt", {c.emit("Add", {square, number(c, x, epsilon)})})});
}

Flows layer_norm(Call& c) {
  const ValueId x = widened(c, c.x());
  const Normed n = normed(c, x);
  if (!c.b.ok()) return {};
  const bool rms = c.config.boolean("rms_scaling", false);  // divides by the deviation without taking the mean off
  const double epsilon = c.config.number("epsilon", 1e-3);
  const ValueId gamma = rms || c.config.boolean("scale", true) ? weight_like(c, x, "gamma", n.sizes) : kNone;
  const ValueId beta = !rms && c.config.boolean("center", true) ? weight_like(c, x, "beta", n.sizes) : kNone;
  if (n.last && !rms) {
    const Attributes attrs = attributes({{"axis", n.axes[0]}, {"epsilon", static_cast<float>(epsilon)}});
    return cast_back(c, c.emit("LayerNormalization", {x, gamma == kNone ? filled(c, x, 1, n.sizes) : gamma, beta}, attrs));
  }
  const ValueId centered = c.emit("Sub", {x, reduce(c, "ReduceMean", x, n.axes, true)});
  return cast_back(c, scaled(c, by_deviation(c, rms ? x : centered, centered, n, epsilon), gamma, beta, n));
}

Flows rms_norm(Call& c) {
  const ValueId x = widened(c, c.x());
  const Normed n = normed(c, x);
  if (!c.b.ok()) return {};
  const double epsilon = c.config.number("epsilon", 1e-6);
  const ValueId scale = weight_like(c, x, "scale", n.sizes);
  if (n.last)
    return cast_back(c, c.emit("RMSNormalization", {x, scale}, attributes({{"axis", n.axes[0]}, {"epsilon", static_cast<float>(epsilon)}})));
  return cast_back(c, scaled(c, by_deviation(c, x, x, n, epsilon), scale, kNone, n));
}

// Over a group of channels and all that is not the batch. One group a channel where the file says -1.
Flows group_norm(Call& c) {
  if (c.layer.keras() == 2 && c.mask() != kNone) return c.unsupported("group normalization with a mask");
  ValueId x = widened(c, c.x());
  const int rank = c.b.rank(x), axis = c.axis(c.config.integer("axis", -1), rank);
  if (!c.b.ok()) return {};
  if (axis == 0) return c.invalid("axis 0 is the batch");
  const int64_t channels = c.known_size(x, axis), given = c.config.integer("groups", 32), groups = given == -1 ? channels : given;
  if (groups < 1 || channels % groups != 0) return c.invalid(std::to_string(channels) + " channels in " + std::to_string(groups) + " groups");
  const ValueId gamma = c.config.boolean("scale", true) ? weight_like(c, x, "gamma", {channels}) : filled(c, x, 1, {channels});
  const ValueId beta = c.config.boolean("center", true) ? weight_like(c, x, "beta", {channels}) : filled(c, x, 0, {channels});
  const Attributes attrs = attributes({{"num_groups", groups}, {"epsilon", static_cast<float>(c.config.number("epsilon", 1e-3))}});
  auto norm = [&](ValueId v) { return c.emit("GroupNormalization", {v, gamma, beta}, attrs); };
  if (rank == 2) return cast_back(c, squeeze(c.b, norm(unsqueeze(c.b, x, {2})), {2}));
  if (axis == rank - 1) return cast_back(c, channels_last::to_last(c.b, norm(channels_last::to_first(c.b, x))));
  return cast_back(c, transpose(c.b, norm(transpose(c.b, x, 1, axis)), 1, axis));
}

Flows unit_norm(Call& c) {
  const ValueId x = c.x();
  return {{unit(c, x, axes_of(c, "axis", c.b.rank(x), -1), c.layer.keras() == 2 ? 1e-12 : 1e-24)}};
}

// The kernel was divided by its norm when the model was trained.
Flows spectral_norm(Call& c) {
  Layer inner = c.inner("layer", c.config.object("layer").id());
  Flows out = c.call(inner, c.args);
  if (c.layer.keras() == 2) return out;
  for (Flow& f : out) f.value = c.b.cast(f.value, c.b.dtype(c.x()));  // also to that of indices
  return out;
}

constexpr LayerRow kNormRows[] = {
    {"BatchNormalization BatchNormalizationV1 BatchNormalizationV2 SyncBatchNormalization", batch_norm, Masking::kept},
    {"LayerNormalization", layer_norm, Masking::kept},
    {"GroupNormalization", group_norm, Masking::kept},
    {"UnitNormalization", unit_norm, Masking::kept},
    {"RMSNormalization", rms_norm},
    {"SpectralNormalization", spectral_norm},
};

}  // namespace

std::span<const LayerRow> norm_layers() { return kNormRows; }

}  // namespace tern::keras
