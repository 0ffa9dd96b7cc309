// Normalisations and softmax. See operator.h. Next: pool.cpp.
#include "loaders/torch/ops/common.h"

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

IValue batch_norm(Builder& b, const Arguments& a) {
  if (a.boolean("training")) {
    b.fail(unsupported("batch_norm in training mode is not supported; call model.eval() before saving or exporting"));
    return {};
  }
  return tensor_of(batch_norm_of(b, a));
}

IValue native_batch_norm(Builder& b, const Arguments& a) { return IValue::tuple({tensor_of(batch_norm_of(b, a)), IValue(), IValue()}); }

IValue instance_norm(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (!b.ok() || b.rank(x) < 2) return tensor_of(b.ok() ? b.fail(invalid("instance_norm needs at least two dimensions")) : kNone);
  if (a.has("running_mean") && !a.boolean("use_input_stats")) return tensor_of(batch_norm_of(b, a));
  if (a.has("weight") && a.has("bias")) {
    return tensor_of(b.emit("InstanceNormalization", {x, a.tensor("weight"), a.tensor("bias")}, attributes({{"epsilon", static_cast<float>(a.number("eps"))}})));
  }
  const Dim channels = b.shape(x)[1];
  return tensor_of(b.emit("InstanceNormalization", {x, filled(b, channels, b.dtype(x), 1), filled(b, channels, b.dtype(x), 0)}, attributes({{"epsilon", static_cast<float>(a.number("eps"))}})));
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
IValue native_layer_norm(Builder& b, const Arguments& a) { return IValue::tuple({tensor_of(layer_norm_of(b, a)), IValue(), IValue()}); }

IValue group_norm(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (!b.ok() || b.rank(x) < 2) return tensor_of(b.ok() ? b.fail(invalid("group_norm needs at least two dimensions")) : kNone);
  const Dim channels = b.shape(x)[1];
  const ValueId scale = a.has("weight") ? a.tensor("weight") : filled(b, channels, b.dtype(x), 1);
  const ValueId bias = a.has("bias") ? a.tensor("bias") : filled(b, channels, b.dtype(x), 0);
  return tensor_of(b.emit("GroupNormalization", {x, scale, bias},
                          attributes({{"epsilon", static_cast<float>(a.number("eps"))}, {"num_groups", a.integer("num_groups")}})));
}

// x / sqrt(mean(x^2) + eps) * weight
IValue rms_norm(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const auto axes_count = static_cast<int64_t>(a.ints("normalized_shape").size());
  const double eps = a.has("eps") ? a.number("eps") : b.dtype(x) == DType::f64 ? 2.220446049250313e-16 : 1.1920928955078125e-07;
  std::vector<int64_t> axes;
  for (int64_t i = -axes_count; i < 0; ++i) axes.push_back(i);
  const ValueId square = b.emit("ReduceMean", {b.emit("Mul", {x, x}), b.ints(axes)}, attributes({{"keepdims", int64_t(1)}}));
  const ValueId y = b.emit("Mul", {x, b.emit("Reciprocal", {b.emit("Sqrt", {b.emit("Add", {square, b.scalar_like(x, eps)})})})});
  return tensor_of(a.has("weight") ? b.emit("Mul", {y, a.tensor("weight")}) : y);
}

IValue local_response_norm(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("LRN", {x}, attributes({{"size", a.integer("size")}, {"alpha", static_cast<float>(a.number("alpha"))},
                                                  {"beta", static_cast<float>(a.number("beta"))}, {"bias", static_cast<float>(a.number("k"))}})));
}

int softmax_axis(Builder& b, const Arguments& a, ValueId x) {
  if (a.has("dim")) return b.axis(x, a.integer("dim"));
  const int rank = b.rank(x);  // the rule of old programs, which torch still applies
  return rank == 0 || rank == 1 || rank == 3 ? 0 : 1;
}

template <Text Op, int Sign>
IValue softmax(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  if (const DType to = a.dtype("dtype"); to != DType::none) x = b.cast(x, to);
  x = real(b, x);
  const int axis = softmax_axis(b, a, x);
  if (Sign < 0) x = b.emit("Neg", {x});
  if (b.ok() && b.rank(x) == 0) return tensor_of(squeeze(b, b.emit(Op.text, {unsqueeze(b, x, {0})}, attributes({{"axis", int64_t(0)}})), {0}));
  return tensor_of(b.emit(Op.text, {x}, attributes({{"axis", int64_t(axis)}})));
}

// x / max(||x||_p, eps)
IValue normalize(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const double p = a.number("p");
  const ValueId axes = b.ints(a.ints("dim"));
  if (p != 1 && p != 2) return tensor_of(b.fail(unsupported("normalize with p other than 1 and 2 is not supported")));
  const ValueId norm = b.emit(p == 1 ? "ReduceL1" : "ReduceL2", {x, axes}, attributes({{"keepdims", int64_t(1)}}));
  return tensor_of(b.emit("Div", {x, b.emit("Max", {norm, b.scalar_like(x, a.number("eps"))})}));
}

IValue cosine_similarity(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("x1"), y = a.tensor("x2");
  const ValueId axes = b.ints(a.ints("dim"));
  const Attributes gone = attributes({{"keepdims", int64_t(0)}});
  const ValueId eps = b.scalar_like(x, a.number("eps"));
  const ValueId dot = b.emit("ReduceSum", {b.emit("Mul", {x, y}), axes}, gone);
  const ValueId nx = b.emit("Max", {b.emit("ReduceL2", {x, axes}, gone), eps}), ny = b.emit("Max", {b.emit("ReduceL2", {y, axes}, gone), eps});
  return tensor_of(b.emit("Div", {dot, b.emit("Mul", {nx, ny})}));
}

IValue pairwise_distance(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("x1");
  const double p = a.number("p");
  if (p != 1 && p != 2) return tensor_of(b.fail(unsupported("pairwise_distance with p other than 1 and 2 is not supported")));
  const ValueId d = b.emit("Add", {b.emit("Sub", {x, a.tensor("x2")}), b.scalar_like(x, a.number("eps"))});
  return tensor_of(b.emit(p == 1 ? "ReduceL1" : "ReduceL2", {d, b.ints(std::vector<int64_t>{-1})}, attributes({{"keepdims", int64_t(a.boolean("keepdim"))}})));
}

constexpr Operator kRows[] = {
    {"F.batch_norm", "input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5", batch_norm},
    {"aten.batch_norm.default torch.batch_norm", "input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=True", batch_norm},
    {"aten._native_batch_norm_legit_no_training.default", "input, weight, bias, running_mean, running_var, momentum, eps", native_batch_norm},
    {"F.instance_norm", "input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5", instance_norm},
    {"aten.instance_norm.default torch.instance_norm", "input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled=True", instance_norm},
    {"aten.layer_norm.default F.layer_norm torch.layer_norm", "input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True", layer_norm},
    {"aten.native_layer_norm.default", "input, normalized_shape, weight, bias, eps", native_layer_norm},
    {"aten.group_norm.default F.group_norm torch.group_norm", "input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True", group_norm},
    {"aten.rms_norm.default F.rms_norm torch.rms_norm", "input, normalized_shape, weight=None, eps=None", rms_norm},
    {"F.local_response_norm", "input, size, alpha=1e-4, beta=0.75, k=1", local_response_norm},
    {"F.softmax", "input, dim=None, _stacklevel=3, dtype=None", softmax<"Softmax", 1>},
    {"aten.softmax.int torch.softmax torch.special.softmax Tensor.softmax", "input|self, dim, dtype=None", softmax<"Softmax", 1>},
    {"aten._softmax.default aten._safe_softmax.default", "input|self, dim, half_to_float=False, dtype=None", softmax<"Softmax", 1>},
    {"F.log_softmax", "input, dim=None, _stacklevel=3, dtype=None", softmax<"LogSoftmax", 1>},
    {"aten.log_softmax.int torch.log_softmax torch.special.log_softmax Tensor.log_softmax", "input|self, dim, dtype=None", softmax<"LogSoftmax", 1>},
    {"aten._log_softmax.default", "input|self, dim, half_to_float=False, dtype=None", softmax<"LogSoftmax", 1>},
    {"F.softmin", "input, dim=None, _stacklevel=3, dtype=None", softmax<"Softmax", -1>},
    {"F.normalize", "input, p=2, dim=1, eps=1e-12, out=None", normalize},
    {"F.cosine_similarity torch.cosine_similarity aten.cosine_similarity.default", "x1, x2, dim=1, eps=1e-8", cosine_similarity},
    {"F.pairwise_distance torch.pairwise_distance aten.pairwise_distance.default", "x1, x2, p=2, eps=1e-6, keepdim=False", pairwise_distance},
};

}  // namespace

std::span<const Operator> norm_operators() { return kRows; }

}  // namespace tern::torch
