// GraphBuilder: a graph in the making, for every loader and for tests. Constants and nodes of tern's catalog; nodes get their types as they are added,
// so that shapes can be asked for while building, and sizes stay numbers or symbols where they can. The first error stays and everything after it does
// nothing, so that operators read like arithmetic; ask ok() before using types. Values of a file that tells its nodes by names are found by name, also
// those of the graphs around a subgraph, which captures what it reads.
// Next: graph_builder.cpp, then loaders/torch/graph/builder.h and loaders/onnx/builder.h, what PyTorch and ONNX add.
#pragma once
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/graph.h"

namespace tern {

// A whole number while a graph is built. Known, or linear in the symbols of the inputs' shapes, or computed by the graph (an i64 scalar).
struct Int {
  Dim dim;
  ValueId node = kNone;              // not kNone: computed, and `dim` says nothing
  Int(int64_t n = 0) : dim(n) {}     // NOLINT: implicit on purpose
  Int(Dim d) : dim(std::move(d)) {}  // NOLINT: implicit on purpose
  static Int computed(ValueId v) {
    Int i;
    i.node = v;
    return i;
  }
  bool known() const { return node == kNone && dim.known(); }
  int64_t value() const { return dim.value(); }  // precondition: known()
};

class GraphBuilder {
 public:
  // around: of a subgraph, the graph that has its node; it must outlive this.
  explicit GraphBuilder(std::string format = {}, GraphBuilder* around = nullptr) : around_(around) {
    graph.format = std::move(format);
    if (around != nullptr) graph.next_symbol = around->graph.next_symbol;
  }
  virtual ~GraphBuilder() = default;

  Graph graph;

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  // Keeps the first error, with the place that enter() tells. Returns kNone, so that `return b.fail(...)` reads well.
  ValueId fail(const Error& error);

  // Values by their names in a file. Error: the name is taken (invalid).
  Status define(const std::string& name, ValueId v);
  ValueId defined(const std::string& name) const;  // here; kNone where nothing is
  // Here, or around, which captures it: a constant is shared, anything else becomes an input.
  // kNone: nothing defines it. Error: the graphs that lie in each other capture too often (unsupported).
  Result<ValueId> find(const std::string& name);
  // Of subgraphs that one node is to have, when all of them are built: whatever one captures, all get as their last inputs. What that is here: the
  // node's last inputs. Error: as find().
  Result<std::vector<ValueId>> close(std::span<GraphBuilder* const> subgraphs);

  // Names of nodes and values: "layers.0.attn". Also where errors say that they are.
  void enter(const std::string& name);
  void leave();
  const std::string& scope() const { return scope_; }

  // An input of the graph. Its symbols can be used in sizes from now on.
  ValueId input(const std::string& name, TypeInfo type);
  // Constants. The name is that of a weight; empty: after the scope.
  ValueId constant(Tensor tensor, const std::string& name = {});
  ValueId ints(const std::vector<int64_t>& values);  // [n] i64
  ValueId ints(std::initializer_list<int64_t> values) { return ints(std::vector<int64_t>(values)); }
  ValueId scalar(DType dtype, double value);  // []; exact for i64 within 2^53
  ValueId scalar_like(ValueId like, double value) { return scalar(dtype(like), value); }

  // A node of the catalog with one output or `outputs` of them (kNone where an error came before). Absent inputs are kNone.
  ValueId emit(const char* op, std::vector<ValueId> inputs, Attributes attrs = {});
  std::vector<ValueId> emit(const char* op, std::vector<ValueId> inputs, Attributes attrs, size_t outputs);
  // A node as it is, without checks and types, which are then verify's and infer_shapes' business.
  Node& add_node(Node node);

  // What is known of a value so far.
  TypeInfo type(ValueId v) const { return v == kNone ? TypeInfo() : graph.value(v).type; }
  DType dtype(ValueId v) const { return v == kNone ? DType::none : graph.value(v).type.dtype; }
  const std::string& name(ValueId v) const { return graph.value(v).name; }
  const Shape& shape(ValueId v) const;
  int rank(ValueId v);  // fails (and gives 0) when it is not known
  const Tensor* contents(ValueId v) const { return graph.is_constant(v) ? &graph.value(v).constant : nullptr; }
  // The node that makes v; null for inputs and constants. Valid until the next node is added.
  const Node* producer(ValueId v) const;

  // Sizes. A dimension that only inputs' symbols make is symbolic, any other is computed by the graph.
  Int size(ValueId v, int axis);
  // The elements of an integer value that is a scalar, or a list whose length is known: numbers and symbols where inference knows them.
  std::vector<Int> elements(ValueId v);
  ValueId ints(const std::vector<Int>& values);  // [n] i64, computed where it must be
  ValueId scalar(const Int& value);              // [] i64
  Int add(const Int& a, const Int& b);
  Int sub(const Int& a, const Int& b);
  Int mul(const Int& a, const Int& b);
  Int floor_div(const Int& a, const Int& b);  // Python's //
  Int mod(const Int& a, const Int& b);        // Python's %

  // Reshape to sizes of which one may be -1.
  ValueId reshape(ValueId v, const std::vector<Int>& sizes);
  ValueId cast(ValueId v, DType to);  // nothing is added when it has that dtype

  // Outputs in order, and the graph. Errors: the first that came; an output that is no tensor.
  Result<Graph> finish(const std::vector<std::pair<std::string, ValueId>>& outputs);

 protected:
  // Can a value be computed from? May fail.
  virtual bool readable(ValueId) { return true; }
  // The error with what a format knows of its place in the file.
  virtual Error placed(const Error& error) const { return error; }
  // What a node that is emitted is called, and its first output; null: a constant.
  struct Names {
    std::string node, value;
  };
  virtual Names names(const char* op);
  // The types of a node that was emitted.
  virtual Status settle(Node& node);
  // The symbols of an input's shape can be read there.
  void note_symbols(ValueId input);

 private:
  ValueId capture(const std::string& name, ValueId outer);
  Status captures_fit();
  int64_t& captured();
  bool resolvable(const Dim& dim) const;
  ValueId symbol(const std::string& name);  // [1] i64
  ValueId vector(const Int& value);         // [1] i64
  Int binary(const char* op, const Int& a, const Int& b);

  struct Origin {
    ValueId input;
    int axis;
  };
  struct Capture {
    std::string name;
    ValueId outer;  // around
  };
  GraphBuilder* around_;
  std::unordered_map<std::string, ValueId> defined_;
  std::vector<Capture> captures_;
  int64_t captured_ = 0;  // of the outermost graph: how often its subgraphs, at all depths, capture a value
  Status status_;
  std::string scope_;
  std::vector<size_t> scopes_;
  std::map<std::string, Origin, std::less<>> symbols_;  // where a symbol can be read
  std::map<std::string, ValueId, std::less<>> symbol_values_;
  std::vector<NodeId> producers_;                      // of every value
  std::map<std::string, int64_t, std::less<>> names_;  // how often emit() used a name
};

}  // namespace tern
