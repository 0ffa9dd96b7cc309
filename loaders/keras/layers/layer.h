// Layers of Keras: one table for layers (Dense), operations of keras.ops (ops.Add) and TensorFlow's functions in Keras 2 files (tf.math.add).
// A row has its names and a function that adds the nodes of one call. It sees the layer's config, its weights, what it is called with and the
// graph builder; nodes get their types as they are added, so that ranks and sizes can be asked for.
// To add one: write the function in the file of its family, add a row to that file's table. Next: core.cpp, then ../net.h.
#pragma once
#include <functional>
#include <span>

#include "loaders/keras/argument.h"
#include "loaders/keras/config.h"
#include "loaders/keras/weights/weights.h"
#include "runtime/graph_nodes.h"

namespace tern::keras {

class Net;

// A layer of the file, where it stands.
struct Layer {
  Net& net;
  std::string name;        // "dense_1"
  std::string class_name;  // as rows have it: "Dense", "ops.Add", "tf.math.add"
  Config config;
  Weights weights;
  DType compute = DType::f32;   // what inputs are cast to, and weights with them (a dtype policy)
  DType variable = DType::f32;  // that of its weights
  std::string quantized = {};   // "int8", "int4/128": how its kernel is stored (quantized.h); empty: as it is

  int keras() const;  // major version of the Keras that wrote the file: 2 or 3
};

// One call. Functions return one Flow for each output; masks are set as the row says.
class Call {
 public:
  Call(Layer& called, const Arguments& with);
  // The same call, adding nodes to a subgraph.
  Call(const Call& of, GraphBuilder& subgraph);

  Layer& layer;
  Net& net;
  GraphBuilder& b;
  const Config& config;
  Weights& weights;
  const Arguments& args;
  Flows inputs;  // the tensors of the first argument, in order

  // Fails the builder when there are fewer.
  Flow in(size_t i = 0) const;
  ValueId x(size_t i = 0) const { return in(i).value; }
  // An argument of the call by place or name; else none.
  const Argument& arg(size_t place, std::string_view name) const;
  const Argument& arg(std::string_view name) const { return arg(SIZE_MAX, name); }
  // The tensor of an argument, and kNone where there is none. Operands: numbers become constants, of the dtype of `like` where given.
  ValueId tensor(size_t place, std::string_view name) const;
  // That of input i: the argument `mask` (a tensor, or a list of one for each input), else what comes with the input. kNone: none.
  ValueId mask(size_t i = 0) const;
  // The next weight (see Weights), in the dtype that the layer computes in.
  ValueId weight(std::string_view name, const std::vector<int64_t>& dims, bool trainable = true);
  ValueId weight(Weights of, std::string_view name, const std::vector<int64_t>& dims, bool trainable = true) const;

  // Sizes that must be numbers when the model is loaded: of the last axis, of any (from the end when negative); fails otherwise.
  int64_t known_size(ValueId v, int axis) const;
  int64_t features(ValueId v) const { return known_size(v, -1); }
  // An axis in [-rank, rank) as [0, rank); fails outside.
  int axis(int64_t axis, int rank) const;

  // The layer that a wrapper holds: config.layer of Bidirectional, with its own config and weights. `attribute`: where it is in Python
  // ("forward_layer"). The name in its config is that of .h5 files.
  Layer inner(std::string_view attribute, Json::Id object) const;
  Flows call(Layer& inner, const Arguments& with) const;

  ValueId emit(const char* op, std::vector<ValueId> ins, Attributes attrs = {}) const { return b.emit(op, std::move(ins), std::move(attrs)); }
  Flows unsupported(const std::string& what) const;  // "what is not supported"
  Flows invalid(const std::string& what) const;
};

enum class Masking : uint8_t {
  dropped,    // outputs have no masks: the layer does not support them
  kept,       // each output has that of the first input
  kept_by_3,  // of Keras 3, and Keras 2 drops them
  own,        // the function sets them
};

struct LayerRow {
  const char* names;  // separated by blanks: "Dense", "ops.Add", "tf.math.add tf.__operators__.add"
  Flows (*call)(Call& c);
  Masking masking = Masking::dropped;
  bool autocast = true;  // floats among the inputs are cast to the dtype that the layer computes in
};

// The row of a name; null when there is none.
const LayerRow* find_layer(std::string_view name);
// Every table, for find_layer, tests and documentation.
std::span<const std::span<const LayerRow>> all_layers();

// ---- pieces that families share

// config[key] is an activation: null (x as it is), a name, an object with a config of its own. See activations.cpp.
ValueId activation(const Call& c, std::string_view key, ValueId x);
// The same by name, with the defaults of the Keras that wrote the file.
ValueId activation(const Call& c, const std::string& name, const Config& config, ValueId x);

// The tables, by file.
std::span<const LayerRow> core_layers();         // core.cpp: Dense, Flatten, Dropout and other identities
std::span<const LayerRow> activation_layers();   // activations.cpp
std::span<const LayerRow> conv_layers();         // conv.cpp
std::span<const LayerRow> pool_layers();         // pool.cpp
std::span<const LayerRow> reshape_layers();      // reshape.cpp: Reshape, Permute, ZeroPadding2D, UpSampling2D …
std::span<const LayerRow> application_layers();  // applications.cpp: of ConvNeXt, InceptionResNetV2
std::span<const LayerRow> merge_layers();        // merge.cpp: Add, Concatenate, Dot …
std::span<const LayerRow> norm_layers();         // norm.cpp
std::span<const LayerRow> embedding_layers();    // embedding.cpp: Embedding, Masking, EinsumDense
std::span<const LayerRow> rnn_layers();          // rnn.cpp
std::span<const LayerRow> wrapper_layers();      // wrappers.cpp: Bidirectional, TimeDistributed
std::span<const LayerRow> attention_layers();    // attention.cpp
std::span<const LayerRow> multi_head_layers();   // multi_head.cpp
std::span<const LayerRow> locally_connected_layers();
std::span<const LayerRow> spectrogram_layers();  // spectrogram.cpp
std::span<const LayerRow> image_layers();        // image.cpp: Rescaling, Normalization, Resizing …
std::span<const LayerRow> equalize_layers();     // equalize.cpp: contrast by tiles
std::span<const LayerRow> lookup_layers();       // lookup.cpp: StringLookup, IntegerLookup, TextVectorization
std::span<const LayerRow> category_layers();     // categories.cpp: Discretization, CategoryEncoding, Hashing, HashedCrossing
std::span<const LayerRow> model_layers();        // ../model/build.cpp: models that are layers

}  // namespace tern::keras
