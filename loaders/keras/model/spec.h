// What the JSON of a model says: its layers, how often each is called and with what, inputs and outputs. Keras 2 and 3 spell calls differently
// (tables in loaders/README.md); both are read here. Next: spec.cpp, then build.h.
#pragma once
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "loaders/keras/net.h"

namespace tern::keras {

// A name as messages show it.
std::string quoted(std::string_view name);

// Output `tensor` of call `node` of a layer.
struct Reference {
  std::string_view layer;
  int64_t node = 0, tensor = 0;
  bool from_zero = false;  // Keras 3's arguments: calls of this model alone are counted
};

struct ModelLayer {
  Json::Id object = Json::kNothing;  // {class_name, config, …}
  std::string name, class_name;
  std::string leaf;             // of its path in an archive: "dense_1"; empty for operations, which have no weights
  std::vector<Json::Id> calls;  // what it is called with, call by call; of Functional models
  int64_t first_node = 0;       // the number of the first call: a model that is a layer was called once when it was made
  bool input = false;           // an InputLayer
};

struct ModelPort {
  std::string key;  // in a dictionary; else empty
  Reference from;
};

struct ModelSpec {
  bool sequential = false;
  std::vector<ModelLayer> layers;
  std::unordered_map<std::string_view, size_t> by_name;
  std::vector<ModelPort> inputs, outputs;  // of a Functional model

  const ModelLayer* find(std::string_view name) const {
    const auto at = by_name.find(name);
    return at == by_name.end() ? nullptr : &layers[at->second];
  }
};

// config: of a Sequential (a list of layers, in old files) or Functional model. Errors: damaged (invalid); a subclassed model (unsupported).
Result<ModelSpec> read_model(const Json& json, std::string_view class_name, Json::Id config, const Version& version);

// What one call is called with. `tensor` gives what a reference stands for, or fails the builder.
Arguments read_call(GraphBuilder& b, const Json& json, const ModelSpec& spec, Json::Id call, const std::function<Flow(const Reference&)>& tensor);

// A value of JSON that names no tensors, as calls and configs hold them.
Argument read_value(GraphBuilder& b, const Json& json, Json::Id id);

// keras.ops called in a model, which is no layer: by its module or, in .h5 files, which name none, by a config without the `trainable` that all layers have.
bool is_operation(const Json& json, Json::Id object);

// "max_pooling2d" of "MaxPooling2D": the names of paths in archives.
std::string snake_case(std::string_view class_name);

}  // namespace tern::keras
