// Linear layers and embeddings. See layers.h. Next: conv.cpp.
#include "loaders/torch/nn/net.h"

namespace tern::torch {
namespace {

TypeInfo features(int64_t n) { return {DType::f32, Shape{free_size(), Dim(n)}}; }

Status linear_state(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  const int64_t in = o.integer("in_features"), n = o.integer("out_features");
  out.push_back({join(path, "weight"), {{n, in}}});
  if (o.boolean("bias")) out.push_back({join(path, "bias"), {{n}}});
  return o.status();
}

IValue linear(const LayerCall& c) {
  return call(c.builder(), "F.linear", {c.input(), IValue::tensor(c.weight("weight")), IValue::tensor(c.weight("bias"))});
}

TypeInfo linear_input(const Module& m) { return features(Options(m).integer("in_features")); }

Status bilinear_state(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  const int64_t n = o.integer("out_features");
  out.push_back({join(path, "weight"), {{n, o.integer("in1_features"), o.integer("in2_features")}}});
  if (o.boolean("bias")) out.push_back({join(path, "bias"), {{n}}});
  return o.status();
}

IValue bilinear(const LayerCall& c) {
  const IValue second = c.argument("input2", 1);
  c.network.tell_type(second, features(c.integer("in2_features")));
  return call(c.builder(), "F.bilinear", {c.input(), second, IValue::tensor(c.weight("weight")), IValue::tensor(c.weight("bias"))});
}

TypeInfo bilinear_input(const Module& m) { return features(Options(m).integer("in1_features")); }

Status embedding_state(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  out.push_back({join(path, "weight"), {{o.integer("num_embeddings"), o.integer("embedding_dim")}}});
  if (o.has("max_norm")) return unsupported(m.cls + " with max_norm is not supported: its forward changes the weights");
  return o.status();
}

IValue embedding(const LayerCall& c) { return call(c.builder(), "F.embedding", {c.input(), IValue::tensor(c.weight("weight"))}); }

TypeInfo indices(const Module&) { return {DType::i64, Shape{free_size(), free_size()}}; }

// Bags are rows of indices, or pieces of a vector that begin at offsets.
IValue embedding_bag(const LayerCall& c) {
  const IValue offsets = c.argument("offsets", 1), weights = c.argument("per_sample_weights", 2);
  // As many indices as there are have nothing to do with as many bags: neither vector's size is the batch of the other.
  const auto vector = [&](const IValue& v) { return Shape{v.is_tensor() ? Dim::symbol(c.builder().name(v.id()) + "_0") : Dim(0)}; };
  c.network.tell_type(c.input(), {DType::i64, offsets.is_tensor() ? vector(c.input()) : Shape{free_size(), free_size()}});
  c.network.tell_type(offsets, {DType::i64, vector(offsets)});
  c.network.tell_type(weights, {DType::f32, c.builder().shape(c.input().id())});
  return call(c.builder(), "F.embedding_bag", {c.input(), IValue::tensor(c.weight("weight"))},
              {{"offsets", offsets},
               {"per_sample_weights", weights},
               {"mode", c.option("mode")},
               {"include_last_offset", c.option("include_last_offset")},
               {"padding_idx", c.option("padding_idx")}});
}

constexpr Layer kLinearRows[] = {
    {"Linear NonDynamicallyQuantizableLinear _LinearWithBias", "in_features, out_features, bias=True, device=None, dtype=None", "input", linear_state,
     linear, linear_input},
    {"Bilinear", "in1_features, in2_features, out_features, bias=True, device=None, dtype=None", "input1, input2", bilinear_state, bilinear,
     bilinear_input},
    {"Embedding",
     "num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False, _weight=None, "
     "_freeze=False, "
     "device=None, dtype=None",
     "input", embedding_state, embedding, indices},
    {"EmbeddingBag",
     "num_embeddings, embedding_dim, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, mode='mean', sparse=False, _weight=None, "
     "include_last_offset=False, padding_idx=None, device=None, dtype=None",
     "input, offsets=None, per_sample_weights=None", embedding_state, embedding_bag, nullptr},
};

}  // namespace

std::span<const Layer> linear_layers() { return kLinearRows; }

}  // namespace tern::torch
