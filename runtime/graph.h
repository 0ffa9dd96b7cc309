// Graph: the IR. Values, nodes and constants in flat arrays addressed by index; nodes in topological order; no pointers between nodes.
// Operators are named and behave as the newest ONNX opset says, plus tern's fused ones; loaders normalise to that.
// You are here: stop 3 of the tour. Next: loaders/onnx.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernels/op.h"

namespace tern {

using ValueId = int32_t;  // index into Graph::values
using NodeId = int32_t;   // index into Graph::nodes
constexpr int32_t kNone = -1;

// What flows: a graph input, a constant, or an output of one node; a tensor or, in graphs that only the evaluator runs, a sequence or an optional.
struct Value {
  std::string name;
  TypeInfo type;
  Tensor constant;                   // present: the value is this constant, and no node produces it
  std::optional<SymbolicInts> ints;  // contents, when it computes a shape (set by infer_shapes)
  Layout layout;                     // set by assign_layouts
  Tensor initial;                    // of a graph input: what it holds until the caller writes something else
};

struct Node {
  const OpDef* op = nullptr;
  std::string name;  // as the file says; may be empty
  Attributes attrs;
  std::vector<ValueId> inputs, outputs;  // kNone: an optional one that is absent
  std::vector<int32_t> subgraphs;        // of a control operator (runtime/control), indices into Graph::subgraphs
  int32_t captured = 0;                  // how many of the inputs, the last ones, are what the subgraphs read from around the node

  size_t own_inputs() const { return inputs.size() - static_cast<size_t>(captured); }  // those that no subgraph captures
  AttrReader read() const { return {op->attrs, attrs}; }                               // to be used at once: it refers to this node
};

// A layer as the framework lists it that wrote the file (Keras' model.summary()), for people.
struct SummaryRow {
  std::string name, type;           // "dense_1", "Dense"
  std::vector<Shape> shapes;        // of its outputs, of its first call
  int64_t parameters = 0;           // elements of its weights
  int64_t fixed = 0;                // of them, those that training does not change
  std::vector<std::string> inputs;  // what feeds it: "dense[0][0]", output 0 of call 0
};

// One of the ways in which a SavedModel can be called, for people: the graph is one of them. With types as the file has them.
struct Signature {
  struct Value {
    std::string name, dtype;
    std::optional<std::vector<std::string>> shape;  // nothing: of any number of axes
  };
  std::string name;
  std::vector<Value> inputs, outputs;  // by name
};

// A subgraph is closed: what it reads from outside is passed explicitly. Each subgraph of a node has inputs of its own, as the operator
// says (an If: none), and then the captured values, in the order of the node.
struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;  // topological order
  std::vector<ValueId> inputs, outputs;
  std::vector<std::string> output_names;  // as the caller knows them (several outputs may be one value)
  // Initializers that the file lists as inputs too; those that the loader was asked for are inputs with an `initial`, the others constants.
  std::vector<std::string> overridable;
  // The names that the file gives the dimensions of each output, to be shown where inference knows none. Never computed with.
  std::vector<std::vector<std::string>> output_dim_names;
  std::vector<Graph> subgraphs;
  // Filled by the loader, for people: "onnx", "pytorch 2.1", 17 …
  std::string format, producer;
  std::vector<std::pair<std::string, std::string>> metadata;  // what the file says of itself, in its order: "license", "MIT"
  std::vector<std::string> notes;     // what was done that the file does not say: "weights matched with the prefix module. taken off (12 names)"
  std::vector<SummaryRow> summary;    // of the outermost model's layers; empty where the file has none
  std::vector<Signature> signatures;  // of a SavedModel, by name
  // Values that the file allows a symbol, both ends included; a session with another value is refused.
  std::map<std::string, std::pair<int64_t, int64_t>> ranges;
  int64_t opset = 0;
  int64_t next_symbol = 0;  // for fresh dimensions ("?7")
  // What inference may still write down of long symbolic contents and of sums of symbols; see infer_shapes.h.
  int64_t symbol_room = kSymbolRoom;
  static constexpr int64_t kSymbolRoom = int64_t(1) << 18;

  ValueId add_value(std::string value_name, TypeInfo type = {}) {
    values.push_back({std::move(value_name), std::move(type), {}, {}, {}, {}});
    return static_cast<ValueId>(values.size()) - 1;
  }
  ValueId add_constant(std::string value_name, Tensor tensor) {
    ValueId v = add_value(std::move(value_name), {tensor.dtype(), Shape(tensor.dims())});
    values.back().constant = std::move(tensor);
    return v;
  }
  const Value& value(ValueId v) const { return values[static_cast<size_t>(v)]; }
  Value& value(ValueId v) { return values[static_cast<size_t>(v)]; }
  const Node& node(NodeId n) const { return nodes[static_cast<size_t>(n)]; }
  Node& node(NodeId n) { return nodes[static_cast<size_t>(n)]; }
  // Subgraph k of a node.
  const Graph& subgraph(const Node& of, size_t k = 0) const { return subgraphs[static_cast<size_t>(of.subgraphs[k])]; }
  Graph& subgraph(const Node& of, size_t k = 0) { return subgraphs[static_cast<size_t>(of.subgraphs[k])]; }
  // A dimension about which nothing is known: a symbol of its own ("?7").
  Dim fresh_dim() { return Dim::symbol("?" + std::to_string(next_symbol++)); }
  bool is_constant(ValueId v) const { return v != kNone && value(v).constant.present(); }
};

// "fc2 (Gemm)"; nodes without a name are named by their first output: "@y (Gemm)".
std::string describe(const Graph& graph, const Node& node);
// For every value the node that produces it, kNone for inputs and constants.
std::vector<NodeId> producers(const Graph& graph);
// For every value how many node inputs and graph outputs read it.
std::vector<int32_t> use_counts(const Graph& graph);
// How many nodes a graph and its subgraphs have.
int64_t node_count(const Graph& graph);
// The constants of a graph and its subgraphs; those that share their elements count once.
std::vector<const Tensor*> constants(const Graph& graph);
// Drops values that nothing mentions and renumbers the rest. Node order stays.
void compact(Graph& graph);
// The graph as text, one line a node (`tern dump`).
std::string to_text(const Graph& graph);

}  // namespace tern
