// Network: a module tree, its weights and (perhaps) the forwards of custom classes, on the way to a graph.
// Next: weights.cpp (constants), layers.h (known classes), forwards.h (custom ones).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "loaders/torch/graph/builder.h"
#include "loaders/torch/module/module.h"
#include "loaders/torch/nn/forwards.h"
#include "loaders/torch/nn/layers.h"

namespace tern::torch {

// Where weights come from: names to tensors. Tied ones become one constant.
class Weights {
 public:
  // `names` maps a module's path to the tensor of the file; they must outlive the network.
  Weights(std::map<std::string, const StoredTensor*, std::less<>> names, int64_t budget) : names_(std::move(names)), budget_(budget) {}
  // Has it as it is, or as a parametrisation.
  bool has(std::string_view name) const;
  const StoredTensor* stored(std::string_view name) const;
  // The constant; fails the builder when there is none or it cannot be used. Each tensor of the file becomes one constant. Weights that
  // weight_norm and the like split (weight_g and weight_v, parametrizations.weight.original …) are computed; `dim` as fold() has it.
  // `beside`: the dtype of what the forward lets it meet; a float that the file has too is taken as it is, for torch computes with one dtype.
  ValueId get(Builder& b, std::string_view name, int dim = 0, DType beside = DType::none);

 private:
  Result<Tensor> spend(const StoredTensor& tensor);  // in the dtype that it is used as
  Result<Tensor> take(const StoredTensor& tensor);   // dense, within the budget
  std::map<std::string, const StoredTensor*, std::less<>> names_;
  int64_t budget_;                                        // for views that repeat the file's bytes
  std::unordered_map<const std::byte*, int64_t> unused_;  // bytes of a storage that no constant has taken yet
  std::map<std::string, ValueId, std::less<>> made_;
  std::unordered_multimap<const std::byte*, std::pair<const StoredTensor*, ValueId>> constants_;  // by first byte
};

class Network {
 public:
  Network(Builder& builder, Weights& weights, const Forwards* forwards) : builder(builder), weights(weights), forwards(forwards) {}
  Builder& builder;
  Weights& weights;
  const Forwards* forwards;  // null: only known classes

  // Runs the forward of a module: its class's among the forwards, else a layer's. Errors go to the builder: a class that has neither.
  IValue call(const Module& module, const std::string& path, const IValues& positional,
              const std::vector<std::pair<std::string, IValue>>& named = {});
  // The forward of the layer that it is, or that its class extends: super().forward(…).
  IValue run_layer(const Module& module, const std::string& path, const IValues& positional,
                   const std::vector<std::pair<std::string, IValue>>& named);
  // What the input of the model is (if `value` is one and nothing told yet), as the first layer that reads it knows.
  void tell_type(const IValue& value, TypeInfo type);
  // The first input of unknown shape that the forward of a class read which extends a layer, and what that layer takes: the forward may
  // have done something in between (super().forward(x.unsqueeze(1))).
  struct Asked {
    std::string input;
    TypeInfo layers;
  };
  std::optional<Asked> asked;
  bool guessed = false;  // an input's shape is a guess: layers then refuse sizes that only a caller could make fit

 private:
  IValue run(const Module& module, const std::string& path, const IValues& positional, const std::vector<std::pair<std::string, IValue>>& named);
  int depth_ = 0;  // modules that call modules: at most kMaxModuleDepth
  int64_t calls_ = 0;
};

}  // namespace tern::torch
