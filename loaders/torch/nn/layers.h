// The layers of torch.nn: one table with each class's constructor signature (names, order and defaults as in torch), its parameters,
// and its forward in eval mode, made of the operators of ops/. Containers are layers whose forward calls their children.
// To add one: a row in the table of its file. Next: containers.cpp, then linear.cpp.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "loaders/torch/graph/builder.h"
#include "loaders/torch/module/module.h"
#include "loaders/torch/nn/options.h"
#include "loaders/torch/ops/common.h"

namespace tern::torch {

// A parameter or buffer that a module's state_dict has. `shape` is absent where only the file can tell it.
struct Expected {
  std::string name;  // the whole path
  std::optional<std::vector<int64_t>> shape;
  bool optional = false;  // num_batches_tracked: torch accepts files without it
  // What the module's tensor is, into which the file's is copied. real: of the module's floating dtype; else `dtype`, and where that is
  // none too only the file tells (self.mask): floats become the module's, the rest stays.
  bool real = false;
  DType dtype = DType::none;
};

class Network;   // net.h: calls modules, finds weights
class Forwards;  // forwards.h: those of custom classes

// One call of a module, as its layer sees it.
class LayerCall {
 public:
  LayerCall(Network& network, const Module& module, std::string path, const IValues& positional,
            const std::vector<std::pair<std::string, IValue>>& named)
      : network(network), module(module), path(std::move(path)), positional(positional), named(named) {}
  Network& network;
  const Module& module;
  const std::string path;  // "layers.0"; empty for the root
  const IValues& positional;
  const std::vector<std::pair<std::string, IValue>>& named;

  Builder& builder() const;
  // The constructor argument of that name, as Options has it. Fails the builder on another kind.
  IValue option(std::string_view name) const;
  bool boolean(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  std::string string(std::string_view name) const;
  std::vector<int64_t> ints(std::string_view name, size_t count = 0) const;
  // The parameter or buffer of that name; kNone when the module has none ("bias" of a layer with bias=False).
  ValueId weight(std::string_view name) const;
  // The call's argument by the name and place that forward gives it; None when absent.
  IValue argument(std::string_view name, size_t index) const;
  ValueId tensor_argument(std::string_view name, size_t index) const;
  // What forward's first argument is.
  IValue input() const;
  // Calls a child.
  IValue child(std::string_view name, const IValues& arguments, const std::vector<std::pair<std::string, IValue>>& named = {}) const;
  // The builder fails with this unless it has failed before.
  IValue fail(const Error& error) const;
};

struct Layer {
  const char* cls;  // "Conv2d"; several names separated by blanks share a row
  // "in_channels, out_channels, kernel_size, stride=1, …": as in torch's __init__; a pickled module has attributes of these names.
  const char* signature;
  // forward's arguments in torch, for the inputs of a model whose root this is: "input", "src, mask=None".
  const char* forward_signature;
  // Own parameters and buffers (not the children's), in state_dict order. Null: none. Errors: an argument that is missing ("num_heads, which
  // print(model) does not show: write MultiheadAttention(num_heads=…") or makes no sense.
  Status (*expected)(const Module& module, const std::string& path, std::vector<Expected>& out);
  IValue (*forward)(const LayerCall& call);
  // What is known of the type of forward's first argument from the constructor: rank and dims, dtype. A free one is free_size(); the network
  // names it ("batch" is axis 0, others "x_2"). Null, or no shape: nothing.
  TypeInfo (*input)(const Module& module);
  // Adds the children that the constructor makes and that were not written, one level of them. Null: the constructor makes none.
  Status (*complete)(Module& module, const std::string& path) = nullptr;
};

// A size that the constructor does not tell.
inline Dim free_size() { return Dim::symbol("?"); }
// "layers.0" and "weight": the path of what belongs to a module; the root's own has no prefix.
inline std::string join(const std::string& path, std::string_view name) { return (path.empty() ? "" : path + ".") + std::string(name); }

// The forward of a row that is one operator: its input, then these options by name.
template <OpName Spelling, OpName... Names>
IValue apply(const LayerCall& c) {
  return call(c.builder(), Spelling.text, {c.input()}, {{Names.text, c.option(Names.text)}...});
}

// The row of a class, or of the one that it extends; null when torch.nn has no such layer, or tern not. `qualified` is checked when it is
// not empty: a user's own class with a layer's name is not that layer.
const Layer* find_layer(const Module& module);
std::span<const std::span<const Layer>> all_layers();

// The tables, by file.
std::span<const Layer> container_layers();    // containers.cpp: Sequential, ModuleList, Identity, Dropout, wrappers
std::span<const Layer> linear_layers();       // linear.cpp: Linear, Bilinear, Embedding, EmbeddingBag
std::span<const Layer> conv_layers();         // conv.cpp
std::span<const Layer> norm_layers();         // norm.cpp
std::span<const Layer> activation_layers();   // activations.cpp
std::span<const Layer> pool_layers();         // pool.cpp: pools, upsampling, pixel shuffles
std::span<const Layer> shape_layers();        // shape.cpp: Flatten, padding, Fold, distances
std::span<const Layer> recurrent_layers();    // recurrent.cpp: LSTM, GRU, RNN and their cells
std::span<const Layer> attention_layers();    // attention.cpp: MultiheadAttention
std::span<const Layer> transformer_layers();  // transformer.cpp: encoders, decoders, Transformer

// The same tree with children that a constructor makes but that were not written: MultiheadAttention(16, 4) has its out_proj,
// TransformerEncoderLayer(d_model=…, nhead=…) its self_attn, linear1 … Called once on a tree that was parsed or built.
Status complete(Module& root);

// Everything that the tree expects of a state_dict, in torch's order. Custom modules contribute their children's, and the parameters of
// their own that their forward reads (self.pos_embed: any shape, when the file has it). `forwards` may be null.
Result<std::vector<Expected>> expected_state(const Module& root, const Forwards* forwards);

}  // namespace tern::torch
