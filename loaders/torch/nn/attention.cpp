// MultiheadAttention. See layers.h. Next: transformer.cpp.
#include "loaders/torch/nn/attention.h"

#include "loaders/torch/nn/net.h"
#include "loaders/torch/ops/attention.h"

namespace tern::torch {
namespace {

struct Sizes {
  int64_t embed = 0, heads = 0, keys = 0, values = 0;
  bool biased = true, learned = false;  // learned: bias_k and bias_v
  bool packed() const { return keys == embed && values == embed; }
};

// What was not written is told by out_proj, which print(model) shows.
Sizes sizes_of(Options& o, const Module& m) {
  Sizes s;
  const Module* out = m.child("out_proj");
  Options projection(out != nullptr && find_layer(*out) != nullptr ? *out : m);
  const bool told = out != nullptr && find_layer(*out) != nullptr;
  if (o.has("embed_dim")) s.embed = o.integer("embed_dim");
  else if (told) s.embed = projection.integer("in_features");
  if (!o.has("num_heads")) {
    o.fail("print(model) does not show num_heads; write it: MultiheadAttention(embed_dim=" + (s.embed > 0 ? std::to_string(s.embed) : "…") +
           ", num_heads=…), or nhead=… in the Transformer layer around it");
    return s;
  }
  s.heads = o.integer("num_heads");
  if (s.embed < 1) o.fail("embed_dim is missing; write MultiheadAttention(embed_dim=…, num_heads=…)");
  else if (s.heads < 1 || s.embed % s.heads != 0)
    o.fail("embed_dim=" + std::to_string(s.embed) + " must be divisible by num_heads=" + std::to_string(s.heads));
  s.keys = o.has("kdim") ? o.integer("kdim") : s.embed;
  s.values = o.has("vdim") ? o.integer("vdim") : s.embed;
  s.biased = !o.has("bias") ? !told || projection.boolean("bias") : o.boolean("bias");
  s.learned = o.boolean("add_bias_kv");
  for (const Module::Own& own : m.tensors) {  // a pickled module has the parameters, and no attributes for them
    if (own.name == "in_proj_bias") s.biased = own.tensor != nullptr;
    if (own.name == "bias_k") s.learned = own.tensor != nullptr;
  }
  return s;
}

Status expected(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  const Sizes s = sizes_of(o, m);
  if (!o.status()) return o.status();
  auto expect = [&](const char* name, std::vector<int64_t> shape) { out.push_back({join(path, name), std::move(shape)}); };
  if (s.packed()) {
    expect("in_proj_weight", {3 * s.embed, s.embed});
  } else {
    expect("q_proj_weight", {s.embed, s.embed});
    expect("k_proj_weight", {s.embed, s.keys});
    expect("v_proj_weight", {s.embed, s.values});
  }
  if (s.biased) expect("in_proj_bias", {3 * s.embed});
  if (s.learned) expect("bias_k", {1, 1, s.embed});
  if (s.learned) expect("bias_v", {1, 1, s.embed});
  return {};
}

// out_proj is a Linear of the same width.
Status complete(Module& m, const std::string&) {
  if (m.child("out_proj") != nullptr) return {};
  Options o(m);
  const Sizes s = sizes_of(o, m);
  if (!o.status()) return o.status();
  auto out = std::make_shared<Module>();
  out->cls = "NonDynamicallyQuantizableLinear";
  out->place = m.place;
  out->args = {{"in_features", Literal{s.embed}}, {"out_features", Literal{s.embed}}, {"bias", Literal{s.biased}}};
  m.children.emplace_back("out_proj", std::move(out));
  return {};
}

// Keys and values that are inputs of the model: the batch of the query, and as many of one as of the other.
void tell_keys(const LayerCall& c, const Sizes& s, bool batch_first, ValueId query) {
  Builder& b = c.builder();
  const IValue key = c.argument("key", 1), value = c.argument("value", 2);
  if (!b.ok() || b.rank(query) != 3) return;
  const int time = batch_first ? 1 : 0;
  Shape shape = b.shape(query);
  if (key.is_tensor() && b.untyped(key.id())) {
    shape[time] = Dim::symbol(b.name(key.id()) + "_" + std::to_string(time));
    shape[2] = s.keys;
    c.network.tell_type(key, {b.dtype(query), shape});
  }
  if (!value.is_tensor() || !b.untyped(value.id()) || b.rank(key.id()) != 3) return;
  shape = b.shape(key.id());
  shape[2] = s.values;
  c.network.tell_type(value, {b.dtype(query), shape});
}

IValue forward(const LayerCall& c) {
  Builder& b = c.builder();
  Options o(c.module);
  const Sizes s = sizes_of(o, c.module);
  MultiHead m;
  m.heads = s.heads;
  m.batch_first = o.boolean("batch_first");
  m.add_zero_attn = o.boolean("add_zero_attn");
  if (!o.status()) return c.fail(o.status().error());
  m.query = c.tensor_argument("query", 0);
  tell_sequence(c.network, c.module, c.path, c.argument("query", 0));
  tell_keys(c, s, m.batch_first, m.query);
  m.key = c.tensor_argument("key", 1);
  m.value = c.tensor_argument("value", 2);
  m.in_weight = c.weight("in_proj_weight");
  m.q_weight = c.weight("q_proj_weight");
  m.k_weight = c.weight("k_proj_weight");
  m.v_weight = c.weight("v_proj_weight");
  m.in_bias = c.weight("in_proj_bias");
  m.bias_k = c.weight("bias_k");
  m.bias_v = c.weight("bias_v");
  const Module* out = c.module.child("out_proj");
  if (out == nullptr || find_layer(*out) == nullptr) return c.fail(invalid("MultiheadAttention: its out_proj is missing"));
  const IValues nothing;  // a call refers to its arguments
  const std::vector<std::pair<std::string, IValue>> no_names;
  const std::string path = join(c.path, "out_proj");
  const LayerCall projection(c.network, *out, path, nothing, no_names);
  m.out_weight = projection.weight("weight");
  m.out_bias = projection.weight("bias");
  auto flag = [&](const char* name, size_t place, bool fallback) {
    const IValue v = c.argument(name, place);
    if (v.is_none()) return fallback;
    if (v.get<bool>() == nullptr) c.fail(invalid(std::string("MultiheadAttention: argument ") + name + " must be a bool, not " + v.kind()));
    return v.get<bool>() != nullptr && *v.get<bool>();
  };
  auto mask = [&](const char* name, size_t place) { return c.argument(name, place).is_none() ? kNone : c.tensor_argument(name, place); };
  m.key_padding_mask = mask("key_padding_mask", 3);
  m.need_weights = flag("need_weights", 4, true);
  m.attn_mask = mask("attn_mask", 5);
  m.average_weights = flag("average_attn_weights", 6, true);
  m.is_causal = flag("is_causal", 7, false);
  return multi_head_attention(b, m);
}

constexpr Layer kAttentionRows[] = {
    {"MultiheadAttention",
     "embed_dim=None, num_heads=None, dropout=0, bias=None, add_bias_kv=False, add_zero_attn=False, kdim=None, vdim=None, batch_first=False, "
     "device=None, "
     "dtype=None",
     "query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None, average_attn_weights=True, is_causal=False", expected, forward,
     nullptr, complete},
};

}  // namespace

void tell_sequence(Network& network, const Module& attention, const std::string& path, const IValue& value) {
  Builder& b = network.builder;
  if (!b.ok() || !value.is_tensor() || !b.untyped(value.id())) return;
  Options o(attention);
  const Sizes s = sizes_of(o, attention);
  const bool batch_first = o.boolean("batch_first");
  const StoredTensor* weight = network.weights.stored(join(path, s.packed() ? "in_proj_weight" : "q_proj_weight"));
  if (!o.status()) return;
  const DType dtype = weight != nullptr && is_float(weight->dtype) ? weight->dtype : DType::f32;
  const Dim batch = Dim::symbol("batch");
  const std::string& name = b.name(value.id());
  network.tell_type(value, {dtype, batch_first ? Shape{batch, Dim::symbol(name + "_1"), s.embed} : Shape{Dim::symbol(name + "_0"), batch, s.embed}});
}

std::span<const Layer> attention_layers() { return kAttentionRows; }

}  // namespace tern::torch
