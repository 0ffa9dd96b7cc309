// One operator of TensorFlow among the nodes of a graph that another loader builds: Keras writes some as layers, and computes functions of its own by
// one. The row of ops/operator.h adds nodes to a graph of their own, which then move to the builder's. Next: node.cpp, ../keras/ops/tensorflow.cpp.
#pragma once
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/graph_builder.h"

namespace tern::tensorflow {

// A tensor; of complex numbers: their parts.
struct NodeTensor {
  ValueId value = kNone, imaginary = kNone;
  NodeTensor(ValueId v = kNone, ValueId i = kNone) : value(v), imaginary(i) {}  // NOLINT: implicit on purpose
};

struct NodeCall {
  using Attribute = std::variant<int64_t, double, bool, std::string, DType, std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;
  std::string op, name = {};
  std::vector<NodeTensor> inputs = {};
  std::vector<std::pair<std::string, Attribute>> attributes = {};  // those that are left out have TensorFlow's defaults
};

// The operator's outputs. Fails the builder: no such operator, one that needs more than its inputs (unsupported), inputs and attributes that do not fit.
std::vector<NodeTensor> add_node(GraphBuilder& b, const NodeCall& call);

}  // namespace tern::tensorflow
