// Normalisations and softmax. See operator.h. Next: pool.cpp.
#include <cmath>

#include "loaders/torch/ops/reduce.h"

namespace tern::torch {
namespace {

// A constant for each channel.
ValueId filled(Builder& b, const Dim& channels, DType dtype, float value) {
  if (!channels.known()) return b.fail(unsupported("the number of channels is not known"));
  auto t = tern::Tensor::allocate(DType::f32, {channels.value()});
  if (!t) return b.fail(t.error());
  std::fill_n(t->mutable_data<float>(), t->count(), value);
  return b.cast(b.constant(std::move(*t)), dtype);
}

ValueId batch_norm_of(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const ValueId mean = a.tensor("running_mean"), var = a.tensor("running_var");
  if (!b.ok()) return kNone;
  if (b.rank(mean) != 1) return b.fail(invalid("running_mean is no vector"));
  const Dim channels = b.shape(mean)[0];
  const ValueId scale = a.has("weight") ? a.tensor("weight") : filled(b, channels, b.dtype(mean), 1);
  const ValueId bias = a.has("bias") ? a.tensor("bias") : filled(b, channels, b.dtype(mean), 0);
  return b.emit("BatchNormalization", {x, scale, bias, mean, var}, attributes({{"epsilon", static_cast<float>(a.number("eps"))}}));
}

struct Statistics {
  ValueId mean = kNone, d = kNone, deviation = kNone;  // d: x - mean; deviation: sqrt(var + eps)
};

Statistics statistics_of(Builder& b, ValueId x, const std::vector<int64_t>& axes, double eps) {
  Statistics s;
  s.mean = reduced(b, "ReduceMean", x, axes, true);
  s.d = b.emit("Sub", {x, s.mean});
  const ValueId var = reduced(b, "ReduceMean", b.emit("Mul", {s.d, s.d}), axes, true);
  s.deviation = b.emit("Sqrt", {b.emit("Add", {var, b.scalar_like(x, eps)})});
  return s;
}

// What ATen's kernels give besides y: the mean and 1 / sqrt(var + eps) along these axes, which become 1 or (keep false) go. Nodes that
// nobody reads are left out of the graph.
IValue with_statistics(Builder& b, ValueId y, ValueId x, const std::vector<int64_t>& axes, double eps, bool keep = true) {
  if (!b.ok()) return {};
  const Statistics s = statistics_of(b, x, axes, eps);
  ValueId mean = s.mean, rstd = b.emit("Reciprocal", {s.deviation});
  if (!keep) {
    mean = squeeze(b, mean, axes);
    rstd = squeeze(b, rstd, axes);
  }
  return IValue::tuple({tensor_of(y), tensor_of(mean), tensor_of(rstd)});
}

std::vector<int64_t> last_axes(Builder& b, ValueId x, size_t count) {
  std::vector<int64_t> axes;
  for (int64_t i = b.rank(x) - static_cast<int64_t>(count); i < b.rank(x); ++i) axes.push_back(i);
  return axes;
}

// With the statistics of the batch itself, as a layer without running ones has even in eval mode.
ValueId own_statistics(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int rank = b.rank(x);
  if (!b.ok() || rank < 2) return b.ok() ? b.fail(invalid("batch_norm needs at least two dimensions")) : kNone;
  std::vector<int64_t> axes = {0}, more;
  for (int i = 2; i < rank; ++i) {
    axes.push_back(i);
    more.push_back(i - 1);
  }
  const Statistics s = statistics_of(b, x, axes, a.number("eps"));
  ValueId y = b.emit("Div", {s.d, s.deviation});
  auto of_channels = [&](const char* name) { return more.empty() ? a.tensor(name) : unsqueeze(b, a.tensor(name), more); };
  if (a.has("weight")) y = b.emit("Mul", {y, of_channels("weight")});
  return a.has("bias") ? b.emit("Add", {y, of_channels("bias")}) : y;
}

ValueId batch_norm_either(Builder& b, const Arguments& a) {
  if (!a.boolean("training")) return batch_norm_of(b, a);
  if (!a.has("running_mean") && !a.has("running_var")) return own_statistics(b, a);
  return b.ok() ? b.fail(unsupported("batch_norm in training mode is not supported; call model.eval() before saving or exporting")) : kNone;
}

IValue batch_norm(Builder& b, const Arguments& a) { return tensor_of(batch_norm_either(b, a)); }
// With running statistics the saved ones are empty.
IValue and_nothing_saved(Builder& b, ValueId y) {
  auto empty = [&] { return tensor_of(b.constant(tern::Tensor::of<float>({0}, {}))); };
  return b.ok() ? IValue::tuple({tensor_of(y), empty(), empty()}) : IValue();
}
IValue native_batch_norm(Builder& b, const Arguments& a) {
  const ValueId y = batch_norm_either(b, a), x = a.tensor("input");
  if (!b.ok() || !a.boolean("training")) return and_nothing_saved(b, y);
  std::vector<int64_t> axes = {0};
  for (int i = 2; i < b.rank(x); ++i) axes.push_back(i);
  return with_statistics(b, y, x, axes, a.number("eps"), false);
}
IValue batch_norm_no_training(Builder& b, const Arguments& a) { return and_nothing_saved(b, batch_norm_of(b, a)); }

IValue instance_norm(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (!b.ok() || b.rank(x) < 2) return tensor_of(b.ok() ? b.fail(invalid("instance_norm needs at least two dimensions")) : kNone);
  if (a.has("running_mean") && !a.boolean("use_input_stats")) return tensor_of(batch_norm_of(b, a));
  const Dim channels = b.shape(x)[1];
  const ValueId scale = a.has("weight") ? a.tensor("weight") : filled(b, channels, b.dtype(x), 1);
  const ValueId bias = a.has("bias") ? a.tensor("bias") : filled(b, channels, b.dtype(x), 0);
  return tensor_of(b.emit("InstanceNormalization", {x, scale, bias}, attributes({{"epsilon", static_cast<float>(a.number("eps"))}})));
}

ValueId layer_norm_of(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const std::vector<int64_t> shape = a.ints("normalized_shape");
  const int rank = b.rank(x);
  if (!b.ok()) return kNone;
  if (shape.empty() || static_cast<int>(shape.size()) > rank) return b.fail(invalid("normalized_shape has more dimensions than the input"));
  for (size_t i = 0; i < shape.size(); ++i) {
    const Dim& d = b.shape(x)[rank - static_cast<int>(shape.size()) + static_cast<int>(i)];
    if (d.known() && d.value() != shape[i]) return b.fail(invalid("normalized_shape does not fit the input of shape " + b.shape(x).text()));
  }
  ValueId scale = a.tensor_or_none("weight");
  if (scale == kNone) {
    auto ones = tern::Tensor::allocate(DType::f32, Dims(std::span<const int64_t>(shape)));
    if (!ones) return b.fail(ones.error());
    std::fill_n(ones->mutable_data<float>(), ones->count(), 1.0f);
    scale = b.cast(b.constant(std::move(*ones)), b.dtype(x));
  }
  return b.emit("LayerNormalization", {x, scale, a.tensor_or_none("bias")},
                attributes({{"axis", -static_cast<int64_t>(shape.size())}, {"epsilon", static_cast<float>(a.number("eps"))}}));
}

IValue layer_norm(Builder& b, const Arguments& a) { return tensor_of(layer_norm_of(b, a)); }
IValue native_layer_norm(Builder& b, const Arguments& a) {
  const ValueId y = layer_norm_of(b, a), x = a.tensor("input");
  return b.ok() ? with_statistics(b, y, x, last_axes(b, x, a.ints("normalized_shape").size()), a.number("eps")) : IValue();
}

ValueId group_norm_of(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (!b.ok() || b.rank(x) < 2) return b.ok() ? b.fail(invalid("group_norm needs at least two dimensions")) : kNone;
  const Dim channels = b.shape(x)[1];
  const ValueId scale = a.has("weight") ? a.tensor("weight") : filled(b, channels, b.dtype(x), 1);
  const ValueId bias = a.has("bias") ? a.tensor("bias") : filled(b, channels, b.dtype(x), 0);
  return b.emit("GroupNormalization", {x, scale, bias},
                attributes({{"epsilon", static_cast<float>(a.number("eps"))}, {"num_groups", a.integer("num_groups")}}));
}

IValue group_norm(Builder& b, const Arguments& a) { return tensor_of(group_norm_of(b, a)); }
IValue native_group_norm(Builder& b, const Arguments& a) {
  const ValueId y = group_norm_of(b, a), x = a.tensor("input");
  if (!b.ok()) return {};
  return with_statistics(b, y, b.reshape(x, {b.size(x, 0), Int(a.integer("num_groups")), Int(-1)}), {2}, a.number("eps"), false);
}

// x / sqrt(mean(x^2) + eps) * weight, and what x is multiplied by.
IValue fused_rms_norm(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const auto axes_count = static_cast<int64_t>(a.ints("normalized_shape").size());
  const double eps = a.has("eps") ? a.number("eps") : b.dtype(x) == DType::f64 ? 2.220446049250313e-16 : 1.1920928955078125e-07;
  std::vector<int64_t> axes;
  for (int64_t i = -axes_count; i < 0; ++i) axes.push_back(i);
  const ValueId square = b.emit("ReduceMean", {b.emit("Mul", {x, x}), b.ints(axes)}, attributes({{"keepdims", int64_t(1)}}));
  const ValueId scale = b.emit("Reciprocal", {b.emit("Sqrt", {b.emit("Add", {square, b.scalar_like(x, eps)})})});
  const ValueId y = b.emit("Mul", {x, scale});
  return IValue::tuple({tensor_of(a.has("weight") ? b.emit("Mul", {y, a.tensor("weight")}) : y), tensor_of(scale)});
}

IValue rms_norm(Builder& b, const Arguments& a) {
  const IValue both = fused_rms_norm(b, a);
  return b.ok() ? (*both.items())[0] : IValue();
}

// The channel in the middle, and for even sizes one more before it; LRN has it behind, so that the channels are turned around for it.
IValue local_response_norm(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  const bool even = a.integer("size") % 2 == 0;
  if (!b.ok() || b.rank(x) < 3) return tensor_of(b.ok() ? b.fail(invalid("local_response_norm needs at least three dimensions")) : kNone);
  auto turned = [&](ValueId v) { return even ? reverse(b, v, 1) : v; };
  const Attributes attrs = attributes({{"size", a.integer("size")},
                                       {"alpha", static_cast<float>(a.number("alpha"))},
                                       {"beta", static_cast<float>(a.number("beta"))},
                                       {"bias", static_cast<float>(a.number("k"))}});
  return tensor_of(turned(b.emit("LRN", {turned(x)}, attrs)));
}

int softmax_axis(Builder& b, const Arguments& a, ValueId x) {
  if (a.has("dim")) return b.axis(x, a.integer("dim"));
  const int rank = b.rank(x);  // the rule of old programs, which torch still applies
  return rank == 0 || rank == 1 || rank == 3 ? 0 : 1;
}

template <OpName Op, int Sign>
IValue softmax(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  if (const DType to = a.dtype("dtype"); to != DType::none) x = b.cast(x, to);
  x = real(b, x);
  const int axis = softmax_axis(b, a, x);
  if (Sign < 0) x = b.emit("Neg", {x});
  if (b.ok() && b.rank(x) == 0) return tensor_of(squeeze(b, b.emit(Op.text, {unsqueeze(b, x, {0})}, attributes({{"axis", int64_t(0)}})), {0}));
  return tensor_of(b.emit(Op.text, {x}, attributes({{"axis", int64_t(axis)}})));
}

// Where a whole row is masked (-inf), zeros.
IValue safe_softmax(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const IValue y = softmax<"Softmax", 1>(b, a);
  if (!b.ok() || b.rank(x) == 0) return y;
  const ValueId masked = b.emit("Equal", {reduced(b, "ReduceMax", x, {b.axis(x, a.integer("dim"))}, true), b.scalar_like(x, -INFINITY)});
  return tensor_of(b.emit("Where", {masked, b.scalar_like(y.id(), 0), y.id()}));
}

// x / max(||x||_p, eps)
IValue normalize(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const ValueId norm = norm_of(b, x, a.number("p"), reduced_axes(b, a["dim"], b.rank(x)), true);
  return tensor_of(b.emit("Div", {x, b.emit("Max", {norm, b.scalar_like(x, a.number("eps"))})}));
}

IValue cosine_similarity(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("x1"), y = a.tensor("x2");
  const int rank = std::max(b.rank(x), b.rank(y));  // they broadcast: the axis counts from the end of both
  const ValueId axes = b.ints({b.axis_of(a.integer("dim"), rank) - rank});
  const Attributes gone = attributes({{"keepdims", int64_t(0)}});
  const ValueId eps = b.scalar_like(x, a.number("eps"));
  const ValueId dot = b.emit("ReduceSum", {b.emit("Mul", {x, y}), axes}, gone);
  const ValueId nx = b.emit("Max", {b.emit("ReduceL2", {x, axes}, gone), eps}), ny = b.emit("Max", {b.emit("ReduceL2", {y, axes}, gone), eps});
  return tensor_of(b.emit("Div", {dot, b.emit("Mul", {nx, ny})}));
}

IValue pairwise_distance(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("x1");
  const ValueId d = b.emit("Add", {b.emit("Sub", {x, a.tensor("x2")}), b.scalar_like(x, a.number("eps"))});
  return tensor_of(norm_of(b, d, a.number("p"), {b.rank(d) - 1}, a.boolean("keepdim")));
}

constexpr Operator kNormRows[] = {
    {"F.batch_norm", "input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5", batch_norm},
    {"aten.batch_norm.default torch.batch_norm", "input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=True",
     batch_norm},
    {"aten._native_batch_norm_legit_no_training.default", "input, weight, bias, running_mean, running_var, momentum, eps", batch_norm_no_training},
    {"aten.native_batch_norm.default aten._native_batch_norm_legit.default",
     "input, weight, bias, running_mean, running_var, training, momentum, eps", native_batch_norm},
    {"aten._native_batch_norm_legit.no_stats", "input, weight, bias, training, momentum, eps", native_batch_norm},
    {"F.instance_norm", "input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5",
     instance_norm},
    {"aten.instance_norm.default torch.instance_norm",
     "input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled=True", instance_norm},
    {"aten.layer_norm.default F.layer_norm torch.layer_norm", "input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True",
     layer_norm},
    {"aten.native_layer_norm.default", "input, normalized_shape, weight, bias, eps", native_layer_norm},
    {"aten.group_norm.default F.group_norm torch.group_norm", "input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True", group_norm},
    {"aten.native_group_norm.default", "input, weight, bias, N, C, HxW, num_groups|group, eps", native_group_norm},
    {"aten._fused_rms_norm.default", "input, normalized_shape, weight=None, eps=None", fused_rms_norm},
    {"aten.rms_norm.default F.rms_norm torch.rms_norm", "input, normalized_shape, weight=None, eps=None", rms_norm},
    {"F.local_response_norm", "input, size, alpha=1e-4, beta=0.75, k=1", local_response_norm},
    {"F.softmax", "input, dim=None, _stacklevel=3, dtype=None", softmax<"Softmax", 1>},
    {"aten.softmax.int aten.special_softmax.default torch.softmax torch.special.softmax Tensor.softmax", "input|self, dim, dtype=None",
     softmax<"Softmax", 1>},
    {"aten._safe_softmax.default", "input|self, dim, dtype=None", safe_softmax},
    {"aten._softmax.default", "input|self, dim, half_to_float=False, dtype=None", softmax<"Softmax", 1>},
    {"F.log_softmax", "input, dim=None, _stacklevel=3, dtype=None", softmax<"LogSoftmax", 1>},
    {"aten.log_softmax.int aten.special_log_softmax.default torch.log_softmax torch.special.log_softmax Tensor.log_softmax",
     "input|self, dim, dtype=None", softmax<"LogSoftmax", 1>},
    {"aten._log_softmax.default", "input|self, dim, half_to_float=False, dtype=None", softmax<"LogSoftmax", 1>},
    {"F.softmin", "input, dim=None, _stacklevel=3, dtype=None", softmax<"Softmax", -1>},
    {"F.normalize", "input, p=2, dim=1, eps=1e-12, out=None", normalize},
    {"F.cosine_similarity torch.cosine_similarity aten.cosine_similarity.default", "x1, x2, dim=1, eps=1e-8", cosine_similarity},
    {"F.pairwise_distance torch.pairwise_distance aten.pairwise_distance.default", "x1, x2, p=2, eps=1e-6, keepdim=False", pairwise_distance},
};

}  // namespace

std::span<const Operator> norm_operators() { return kNormRows; }

}  // namespace tern::torch
