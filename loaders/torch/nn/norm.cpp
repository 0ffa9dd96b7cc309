// Normalisations. See layers.h. Next: activations.cpp.
#include "loaders/torch/nn/net.h"

namespace tern::torch {
namespace {

// weight and bias of n elements each, then the running statistics.
Status channel_state(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  const int64_t n = o.integer("num_features");
  if (o.boolean("affine")) {
    out.push_back({join(path, "weight"), {{n}}});
    if (o.boolean("bias")) out.push_back({join(path, "bias"), {{n}}});
  }
  if (o.boolean("track_running_stats")) {
    for (const char* name : {"running_mean", "running_var"}) out.push_back({join(path, name), {{n}}});
    out.push_back({join(path, "num_batches_tracked"), std::vector<int64_t>{}, true});
  }
  return o.status();
}

std::vector<std::pair<std::string, IValue>> parts(const LayerCall& c) {
  return {{"running_mean", IValue::tensor(c.weight("running_mean"))},
          {"running_var", IValue::tensor(c.weight("running_var"))},
          {"weight", IValue::tensor(c.weight("weight"))},
          {"bias", IValue::tensor(c.weight("bias"))},
          {"eps", c.option("eps")}};
}

IValue batch_norm(const LayerCall& c) {  // without running statistics it takes the batch's in eval mode too
  auto named = parts(c);
  named.emplace_back("training", !c.boolean("track_running_stats"));
  return call(c.builder(), "F.batch_norm", {c.input()}, named);
}

template <int Spatial>
IValue instance_norm(const LayerCall& c) {
  auto named = parts(c);
  named.emplace_back("use_input_stats", !c.boolean("track_running_stats"));
  const IValue x = c.input();
  if (!x.is_tensor()) return call(c.builder(), "F.instance_norm", {x}, named);
  return IValue::tensor(
      batched(c.builder(), x.id(), Spatial, [&](ValueId v) { return call(c.builder(), "F.instance_norm", {IValue::tensor(v)}, named).id(); }));
}

template <int Spatial>
TypeInfo channels(const Module& m) {
  Shape s{free_size(), Dim(Options(m).integer("num_features"))};
  for (int i = 0; i < Spatial; ++i) s.push_back(free_size());
  return {DType::f32, s};
}

Status layer_norm_state(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  const std::vector<int64_t> shape = o.ints("normalized_shape");
  if (o.boolean("elementwise_affine")) {
    out.push_back({join(path, "weight"), shape});
    if (o.boolean("bias")) out.push_back({join(path, "bias"), shape});
  }
  return o.status();
}

// normalized_shape may be a number.
IValue shape_of(const LayerCall& c) {
  IValues list;
  for (int64_t n : c.ints("normalized_shape")) list.push_back(Int(n));
  return IValue::list(std::move(list));
}

IValue layer_norm(const LayerCall& c) {
  return call(c.builder(), "F.layer_norm",
              {c.input(), shape_of(c), IValue::tensor(c.weight("weight")), IValue::tensor(c.weight("bias")), c.option("eps")});
}

Status rms_norm_state(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  if (o.boolean("elementwise_affine")) out.push_back({join(path, "weight"), o.ints("normalized_shape")});
  return o.status();
}

IValue rms_norm(const LayerCall& c) {
  return call(c.builder(), "F.rms_norm", {c.input(), shape_of(c), IValue::tensor(c.weight("weight")), c.option("eps")});
}

TypeInfo normalized(const Module& m) {
  Shape s{free_size()};
  for (int64_t n : Options(m).ints("normalized_shape")) s.push_back(n);
  return {DType::f32, s};
}

Status group_norm_state(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  const int64_t n = o.integer("num_channels");
  if (o.boolean("affine")) {
    out.push_back({join(path, "weight"), {{n}}});
    if (o.boolean("bias")) out.push_back({join(path, "bias"), {{n}}});
  }
  return o.status();
}

IValue group_norm(const LayerCall& c) {
  return call(c.builder(), "F.group_norm",
              {c.input(), c.option("num_groups"), IValue::tensor(c.weight("weight")), IValue::tensor(c.weight("bias")), c.option("eps")});
}

constexpr const char* kBatch = "num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, *, bias=True";
constexpr const char* kSync =
    "num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, process_group=None, device=None, dtype=None, *, bias=True";
constexpr const char* kInstance =
    "num_features, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, device=None, dtype=None, *, bias=True";

constexpr Layer kNormRows[] = {
    {"BatchNorm1d", kBatch, "input", channel_state, batch_norm, channels<0>},
    {"BatchNorm2d", kBatch, "input", channel_state, batch_norm, channels<2>},
    {"BatchNorm3d", kBatch, "input", channel_state, batch_norm, channels<3>},
    {"SyncBatchNorm", kSync, "input", channel_state, batch_norm, nullptr},
    {"InstanceNorm1d", kInstance, "input", channel_state, instance_norm<1>, channels<1>},
    {"InstanceNorm2d", kInstance, "input", channel_state, instance_norm<2>, channels<2>},
    {"InstanceNorm3d", kInstance, "input", channel_state, instance_norm<3>, channels<3>},
    {"LayerNorm", "normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, device=None, dtype=None", "input", layer_norm_state, layer_norm,
     normalized},
    {"RMSNorm", "normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None", "x", rms_norm_state, rms_norm, normalized},
    {"GroupNorm", "num_groups, num_channels, eps=1e-05, affine=True, device=None, dtype=None, *, bias=True", "input", group_norm_state, group_norm,
     nullptr},
    {"LocalResponseNorm", "size, alpha=0.0001, beta=0.75, k=1.0", "input", nullptr, apply<"F.local_response_norm", "size", "alpha", "beta", "k">,
     nullptr},
};

}  // namespace

std::span<const Layer> norm_layers() { return kNormRows; }

}  // namespace tern::torch
