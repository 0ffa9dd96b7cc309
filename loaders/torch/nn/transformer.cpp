// Transformer, its encoder and decoder, and their layers: as torch computes them layer by layer (with gradients on, or when exported).
// Its fast path for inference differs in one thing: positions that src_key_padding_mask masks come out of an encoder as zeros there.
// See layers.h.
#include <algorithm>

#include "loaders/torch/nn/attention.h"
#include "loaders/torch/nn/net.h"

namespace tern::torch {
namespace {

constexpr int64_t kMostLayers = 1024;
using Named = std::vector<std::pair<std::string, IValue>>;

// ---- children that were not written ----

std::shared_ptr<Module> made(const Module& parent, std::string cls, std::vector<std::pair<std::string, Literal>> args) {
  auto m = std::make_shared<Module>();
  m->cls = std::move(cls);
  m->place = parent.place;
  m->args = std::move(args);
  return m;
}

// The children that a constructor makes, in its order; those that were written stay as they are, others come after them.
class Children {
 public:
  explicit Children(Module& m) : m_(m), written_(std::move(m.children)) {
    m_.children.clear();
    m_.children.reserve(written_.size());
  }
  ~Children() {
    for (auto& child : written_) {
      if (child.second != nullptr) m_.children.push_back(std::move(child));
    }
  }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  template <class Make>
  void add(const char* name, Make make) {
    m_.children.reserve(m_.children.size() + 1 + written_.size());  // room for the rest too: the destructor must not ask for memory
    auto it = std::find_if(written_.begin(), written_.end(), [&](const auto& c) { return c.second != nullptr && c.first == name; });
    m_.children.emplace_back(name, it != written_.end() ? std::exchange(it->second, nullptr) : make());
  }

 private:
  Module& m_;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> written_;
};

// What print(model) does not show of a layer, told by what is around it: an argument that was written there and not here.
void inherit(const Module& from, const char* name, int place, Module& to, const char* as, int to_place) {
  const Literal* l = from.arg(name, place);
  if (l != nullptr && to.arg(as, to_place) == nullptr) to.args.emplace_back(as, *l);
}

void inherit_attention(const Module& layer, int batch_first_place) {
  for (const char* name : {"self_attn", "multihead_attn"}) {
    const auto it = std::find_if(layer.children.begin(), layer.children.end(), [&](const auto& c) { return c.first == name; });
    if (it == layer.children.end() || it->second->cls != "MultiheadAttention") continue;
    inherit(layer, "nhead", 1, *it->second, "num_heads", 1);
    inherit(layer, "batch_first", batch_first_place, *it->second, "batch_first", 8);
  }
}

// activation=nn.GELU() becomes the child that torch makes of it.
void activation_child(Module& m) {
  const Literal* l = m.arg("activation", 4);
  if (l == nullptr || l->kind() != Literal::Kind::name || m.child("activation") != nullptr) return;
  std::string_view text = std::get<Name>(l->value).text;
  if (!text.ends_with("()")) return;
  text.remove_suffix(2);
  auto child = made(m, std::string(text.substr(text.find_last_of('.') + 1)), {});
  if (find_layer(*child) != nullptr) m.children.emplace_back("activation", std::move(child));
}

// An encoder's layer has one attention, a decoder's two; each has a norm behind it, as has the feed-forward.
template <bool Decoder>
Status complete_layer(Module& m, const std::string&) {
  Options o(m);
  {
    Children children(m);
    auto width = [&] { return Literal{o.integer("d_model")}; };
    auto attention = [&] {
      return made(m, "MultiheadAttention",
                  {{"embed_dim", width()},
                   {"num_heads", Literal{o.integer("nhead")}},
                   {"bias", Literal{o.boolean("bias")}},
                   {"batch_first", Literal{o.boolean("batch_first")}}});
    };
    auto linear = [&](bool widens) {
      Literal in = width(), out{o.integer("dim_feedforward")};
      if (!widens) std::swap(in, out);
      return made(m, "Linear", {{"in_features", in}, {"out_features", out}, {"bias", Literal{o.boolean("bias")}}});
    };
    auto norm = [&] {
      return made(m, "LayerNorm",
                  {{"normalized_shape", width()}, {"eps", Literal{o.number("layer_norm_eps")}}, {"bias", Literal{o.boolean("bias")}}});
    };
    auto dropout = [&] { return made(m, "Dropout", {{"p", Literal{o.number("dropout")}}}); };
    children.add("self_attn", attention);
    if (Decoder) children.add("multihead_attn", attention);
    children.add("linear1", [&] { return linear(true); });
    children.add("dropout", dropout);
    children.add("linear2", [&] { return linear(false); });
    children.add("norm1", norm);
    children.add("norm2", norm);
    if (Decoder) children.add("norm3", norm);
    children.add("dropout1", dropout);
    children.add("dropout2", dropout);
    if (Decoder) children.add("dropout3", dropout);
  }
  inherit_attention(m, 6);
  activation_child(m);
  return o.status();
}

constexpr std::pair<const char*, int> kOfLayers[] = {{"d_model", 0},      {"nhead", 1},       {"dim_feedforward", 4},
                                                     {"dropout", 5},      {"activation", 6},  {"layer_norm_eps", 9},
                                                     {"batch_first", 10}, {"norm_first", 11}, {"bias", 12}};

// A stack of layers as a Transformer makes it: arguments that were written for the whole are those of every layer.
std::shared_ptr<Module> stack(const Module& m, Options& o, const char* cls, const char* layer_cls, int64_t layers) {
  if (layers < 0 || layers > kMostLayers) o.fail(std::to_string(layers) + " layers make no sense");
  auto layer = made(m, layer_cls, {});
  for (const auto& [name, place] : kOfLayers) inherit(m, name, place, *layer, name, -1);
  for (const char* name : {"d_model", "nhead"}) {
    if (layer->arg(name) == nullptr) layer->args.emplace_back(name, Literal{o.integer(name)});
  }
  auto list = made(m, "ModuleList", {});
  for (int64_t i = 0; i < layers && o.status(); ++i)
    list->children.emplace_back(std::to_string(i), layer);  // one module many times, as repeats are read
  auto norm =
      made(m, "LayerNorm",
           {{"normalized_shape", Literal{o.integer("d_model")}}, {"eps", Literal{o.number("layer_norm_eps")}}, {"bias", Literal{o.boolean("bias")}}});
  auto out = made(m, cls, {{"num_layers", Literal{layers}}});
  out->children = {{"layers", std::move(list)}, {"norm", std::move(norm)}};
  return out;
}

Status complete_transformer(Module& m, const std::string&) {
  Options o(m);
  {
    Children children(m);
    children.add("encoder", [&] { return stack(m, o, "TransformerEncoder", "TransformerEncoderLayer", o.integer("num_encoder_layers")); });
    children.add("decoder", [&] { return stack(m, o, "TransformerDecoder", "TransformerDecoderLayer", o.integer("num_decoder_layers")); });
  }
  for (const auto& [stack_name, written] : m.children) {  // a printed tree with arguments at its top
    const Module* layers = written->child("layers");
    if (layers == nullptr) continue;
    for (const auto& [name, layer] : layers->children) {
      if (find_layer(*layer) == nullptr || !layer->cls.starts_with("Transformer")) continue;
      for (const auto& [argument, place] : kOfLayers) inherit(m, argument, place, *layer, argument, -1);
    }
  }
  return o.status();
}

// ---- forwards ----

ValueId add(Builder& b, ValueId x, const IValue& y) { return call(b, "aten.add.Tensor", {tensor_of(x), y}).id(); }

// 'relu', F.gelu, torch.tanh …, or a child.
IValue activation(const LayerCall& c, const IValue& x) {
  if (c.module.child("activation") != nullptr) return c.child("activation", {x});
  const IValue given = c.option("activation");
  if (!c.builder().ok()) return {};
  const auto* text = given.get<std::string>();
  const auto* function = given.get<IValue::Callable>();
  std::string_view name = text != nullptr ? std::string_view(*text) : function != nullptr ? std::string_view(function->name) : given.kind();
  if (text == nullptr || name == "relu" || name == "gelu") {
    for (std::string_view prefix : {"torch.nn.functional.", "nn.functional.", "torch._C._nn.", "torch.", "F."}) {
      if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    }
    for (const char* where : {"F.", "torch."}) {
      if (const std::string spelling = where + std::string(name); find_operator(spelling) != nullptr) return call(c.builder(), spelling, {x});
    }
  }
  return c.fail(unsupported(c.module.cls + ": activation " + std::string(name) +
                            " is not 'relu', 'gelu' or a known function; a module is written as a child: (activation): GELU()"));
}

IValue feed_forward(const LayerCall& c, ValueId x) { return c.child("linear2", {activation(c, c.child("linear1", {tensor_of(x)}))}); }

// One block around x: x + f(norm(x)), or norm(x + f(x)).
template <class F>
ValueId residual(const LayerCall& c, const char* norm, ValueId x, F f) {
  Builder& b = c.builder();
  if (c.boolean("norm_first")) return add(b, x, f(c.child(norm, {tensor_of(x)}).id()));
  return c.child(norm, {tensor_of(add(b, x, f(x)))}).id();
}

IValue attention(const LayerCall& c, const char* name, ValueId query, ValueId memory, const IValue& mask, const IValue& padding,
                 const IValue& causal) {
  const IValue out = c.child(name, {tensor_of(query), tensor_of(memory), tensor_of(memory)},
                             {{"attn_mask", mask}, {"key_padding_mask", padding}, {"need_weights", false}, {"is_causal", causal}});
  return out.items() == nullptr ? out : (*out.items())[0];
}

// The first argument. A norm may read it before an attention does, which knows more of it.
ValueId sequence(const LayerCall& c, const char* name) {
  const Module* reader = c.module.child("self_attn");
  if (reader != nullptr && reader->cls == "MultiheadAttention" && find_layer(*reader) != nullptr) {
    tell_sequence(c.network, *reader, join(c.path, "self_attn"), c.argument(name, 0));
  }
  return c.tensor_argument(name, 0);
}

IValue encoder_layer(const LayerCall& c) {
  ValueId x = sequence(c, "src");
  const IValue mask = c.argument("src_mask", 1), padding = c.argument("src_key_padding_mask", 2), causal = c.argument("is_causal", 3);
  x = residual(c, "norm1", x, [&](ValueId v) { return attention(c, "self_attn", v, v, mask, padding, causal); });
  return tensor_of(residual(c, "norm2", x, [&](ValueId v) { return feed_forward(c, v); }));
}

IValue decoder_layer(const LayerCall& c) {
  ValueId x = sequence(c, "tgt");
  const ValueId memory = c.tensor_argument("memory", 1);
  const IValue mask = c.argument("tgt_mask", 2), padding = c.argument("tgt_key_padding_mask", 4), causal = c.argument("tgt_is_causal", 6);
  const IValue memory_mask = c.argument("memory_mask", 3), memory_padding = c.argument("memory_key_padding_mask", 5),
               memory_causal = c.argument("memory_is_causal", 7);
  x = residual(c, "norm1", x, [&](ValueId v) { return attention(c, "self_attn", v, v, mask, padding, causal); });
  x = residual(c, "norm2", x, [&](ValueId v) { return attention(c, "multihead_attn", v, memory, memory_mask, memory_padding, memory_causal); });
  return tensor_of(residual(c, "norm3", x, [&](ValueId v) { return feed_forward(c, v); }));
}

// Every layer with the same arguments, then the norm where there is one.
IValue through_layers(const LayerCall& c, IValue x, const IValues& others, const Named& named) {
  const Module* layers = c.module.child("layers");
  if (layers == nullptr) return c.fail(invalid(c.module.cls + ": its layers are missing"));
  for (const auto& [name, layer] : layers->children) {
    IValues positional = {x};
    positional.insert(positional.end(), others.begin(), others.end());
    x = c.network.call(*layer, join(c.path, "layers." + name), positional, named);
  }
  return c.module.child("norm") == nullptr ? x : c.child("norm", {x});
}

// None: torch looks whether the mask is causal, which changes how it is computed and not what.
IValue hint(const IValue& causal) { return causal.is_none() ? IValue(false) : causal; }

IValue encoder(const LayerCall& c) {
  return through_layers(c, c.input(), {},
                        {{"src_mask", c.argument("mask", 1)},
                         {"src_key_padding_mask", c.argument("src_key_padding_mask", 2)},
                         {"is_causal", hint(c.argument("is_causal", 3))}});
}

IValue decoder(const LayerCall& c) {
  return through_layers(c, c.input(), {c.argument("memory", 1)},
                        {{"tgt_mask", c.argument("tgt_mask", 2)},
                         {"memory_mask", c.argument("memory_mask", 3)},
                         {"tgt_key_padding_mask", c.argument("tgt_key_padding_mask", 4)},
                         {"memory_key_padding_mask", c.argument("memory_key_padding_mask", 5)},
                         {"tgt_is_causal", hint(c.argument("tgt_is_causal", 6))},
                         {"memory_is_causal", hint(c.argument("memory_is_causal", 7))}});
}

IValue transformer(const LayerCall& c) {
  const IValue memory = c.child("encoder", {c.argument("src", 0)},
                                {{"mask", c.argument("src_mask", 2)},
                                 {"src_key_padding_mask", c.argument("src_key_padding_mask", 5)},
                                 {"is_causal", c.argument("src_is_causal", 8)}});
  return c.child("decoder", {c.argument("tgt", 1), memory},
                 {{"tgt_mask", c.argument("tgt_mask", 3)},
                  {"memory_mask", c.argument("memory_mask", 4)},
                  {"tgt_key_padding_mask", c.argument("tgt_key_padding_mask", 6)},
                  {"memory_key_padding_mask", c.argument("memory_key_padding_mask", 7)},
                  {"tgt_is_causal", c.argument("tgt_is_causal", 9)},
                  {"memory_is_causal", c.argument("memory_is_causal", 10)}});
}

constexpr const char* kLayer =
    "d_model, nhead, dim_feedforward=2048, dropout=0.1, activation='relu', layer_norm_eps=1e-5, batch_first=False, norm_first=False, bias=True, "
    "device=None, dtype=None";
constexpr const char* kDecoderForward =
    "tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None, tgt_is_causal=False, "
    "memory_is_causal=False";

constexpr Layer kTransformerRows[] = {
    {"TransformerEncoderLayer", kLayer, "src, src_mask=None, src_key_padding_mask=None, is_causal=False", nullptr, encoder_layer, nullptr,
     complete_layer<false>},
    {"TransformerDecoderLayer", kLayer, kDecoderForward, nullptr, decoder_layer, nullptr, complete_layer<true>},
    {"TransformerEncoder", "encoder_layer=None, num_layers=None, norm=None, enable_nested_tensor=True, mask_check=True",
     "src, mask=None, src_key_padding_mask=None, is_causal=None", nullptr, encoder, nullptr, nullptr},
    {"TransformerDecoder", "decoder_layer=None, num_layers=None, norm=None", kDecoderForward, nullptr, decoder, nullptr, nullptr},
    {"Transformer",
     "d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048, dropout=0.1, activation='relu', custom_encoder=None, "
     "custom_decoder=None, layer_norm_eps=1e-5, batch_first=False, norm_first=False, bias=True, device=None, dtype=None",
     "src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None, "
     "src_is_causal=None, tgt_is_causal=None, memory_is_causal=False",
     nullptr, transformer, nullptr, complete_transformer},
};

}  // namespace

std::span<const Layer> transformer_layers() { return kTransformerRows; }

}  // namespace tern::torch
