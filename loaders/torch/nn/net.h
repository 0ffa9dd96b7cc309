// Network: a module tree, its weights and (perhaps) the forwards of custom classes, on the way to a graph.
// Next: layers.h (known classes), arch/interpret.h (custom ones).
#pragma once
#include <map>
#include <set>
#include <string>

#include "loaders/torch/builder.h"
#include "loaders/torch/module.h"
#include "loaders/torch/nn/layers.h"

namespace tern::torch {

class Program;  // arch/program.h: the forwards that an architecture file gives, by class

// Where weights come from: names to tensors. Tied ones become one constant.
class Weights {
 public:
  // `names` maps a module's path to the tensor of the file; it must outlive the network.
  Weights(std::map<std::string, const StoredTensor*, std::less<>> names, int64_t budget) : names_(std::move(names)), budget_(budget) {}
  bool has(std::string_view name) const { return names_.contains(name); }
  const StoredTensor* stored(std::string_view name) const;
  // The constant; fails the builder when there is none or it cannot be used. Each tensor of the file becomes one constant.
  ValueId get(Builder& b, std::string_view name);

 private:
  std::map<std::string, const StoredTensor*, std::less<>> names_;
  int64_t budget_;
  std::map<std::string, ValueId, std::less<>> made_;
  std::vector<std::pair<const StoredTensor*, ValueId>> constants_;
};

class Network {
 public:
  Network(Builder& builder, Weights& weights, const Program* program) : builder(builder), weights(weights), program(program) {}
  Builder& builder;
  Weights& weights;
  const Program* program;      // null: only known classes

  // Runs the forward of a module: a layer's, else its class's in the program. Errors go to the builder: a class that has neither.
  IValue call(const Module& module, const std::string& path, const IValues& positional,
              const std::vector<std::pair<std::string, IValue>>& named = {});

 private:
  int depth_ = 0;              // modules that call modules: at most kMaxModuleDepth
};

}  // namespace tern::torch
