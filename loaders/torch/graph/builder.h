// Builder: a graph in the making, for everything of PyTorch. Adds nodes with their types, so that shapes can be asked for while building.
// The first error stays and everything after it does nothing, so that operators read like arithmetic; ask ok() before using types.
// Next: ops/operator.h.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "loaders/torch/graph/value.h"

namespace tern::torch {

struct SourceText;  // module/source_text.h

class Builder {
 public:
  explicit Builder(std::string format);

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  // Keeps the first error, with the place that enter() tells. Returns kNone, so that `return b.fail(...)` reads well.
  ValueId fail(const Error& error);

  // An input of the graph. Its symbols can be used in sizes from now on. Without a shape it is to be told one before anything is
  // computed from it (by the first layer that reads it, say); without a dtype alone it is f32 then.
  ValueId input(const std::string& name, TypeInfo type);
  bool untyped(ValueId v) const;                                   // an input that lacks its shape or dtype
  void tell_type(ValueId input, TypeInfo type);                    // what is known already stays
  bool readable(ValueId v);                                        // fails for an input whose shape was never told; settles its dtype
  // A node of tern's catalog with one output or `outputs` of them (kNone where an error came before). Absent inputs are kNone.
  ValueId emit(const char* op, std::vector<ValueId> inputs, Attributes attrs = {});
  std::vector<ValueId> emit(const char* op, std::vector<ValueId> inputs, Attributes attrs, size_t outputs);
  // Constants. The name is that of a weight; empty: after the scope.
  ValueId constant(Tensor tensor, const std::string& name = {});
  ValueId ints(const std::vector<int64_t>& values);                // [n] i64
  ValueId scalar(DType dtype, double value);                       // []; exact for i64 within 2^53
  ValueId scalar_like(ValueId like, double value) { return scalar(dtype(like), value); }

  DType dtype(ValueId v) const { return v == kNone ? DType::none : graph_.value(v).type.dtype; }
  const std::string& name(ValueId v) const { return graph_.value(v).name; }
  const Shape& shape(ValueId v) const;
  int rank(ValueId v);                                             // fails (and gives 0) when it is not known
  const tern::Tensor* contents(ValueId v) const { return graph_.is_constant(v) ? &graph_.value(v).constant : nullptr; }
  // The node that makes v; null for inputs and constants. Valid until the next node is added.
  const Node* producer(ValueId v) const;
  // An axis in [-rank, rank) as [0, rank); fails outside.
  int axis(ValueId v, int64_t axis) { return axis_of(axis, rank(v)); }
  int axis_of(int64_t axis, int rank);

  // Sizes. A dimension that only inputs' symbols make is symbolic, any other is computed by the graph.
  Int size(ValueId v, int axis);
  ValueId ints(const std::vector<Int>& values);                    // [n] i64, computed where it must be
  ValueId scalar(const Int& value);                                // [] i64
  Int add(const Int& a, const Int& b);
  Int sub(const Int& a, const Int& b);
  Int mul(const Int& a, const Int& b);
  Int floor_div(const Int& a, const Int& b);                       // Python's //
  Int mod(const Int& a, const Int& b);                             // Python's %

  // Names of nodes and values: "layers.0.attn". Also where errors say that they are.
  void enter(const std::string& name);
  void leave();
  const std::string& scope() const { return scope_; }

  // Where in an architecture file the nodes come from; errors begin with it. Gives what it was before.
  struct Position {
    const SourceText* source = nullptr;
    Place place;
  };
  Position exchange_position(Position p) { return std::exchange(position_, p); }
  // For the interpreters of forwards: what they did and how deep they stand, over all modules.
  struct Effort {
    int64_t steps = 0;
    int depth = 0;
  };
  Effort effort;

  // In-place operations: whoever holds `before` holds `now` from here on. Forwards ask for that when they read a value.
  void overwrite(ValueId before, ValueId now);
  bool overwrites() const { return !overwritten_.empty(); }
  // What v is now; fails for a view of something that was overwritten.
  ValueId current(ValueId v);

  // Reshape to sizes of which one may be -1, as torch's view has it.
  ValueId reshape(ValueId v, const std::vector<Int>& sizes);
  ValueId cast(ValueId v, DType to);                               // nothing is added when it has that dtype

  // Outputs in order, and the graph. Errors: the first that came; an output that is no tensor.
  Result<Graph> finish(const std::vector<std::pair<std::string, ValueId>>& outputs);

 private:
  std::string fresh_name(const char* op);
  bool resolvable(const Dim& dim) const;
  ValueId symbol(const std::string& name);                         // [1] i64
  ValueId vector(const Int& value);                                // [1] i64
  Int binary(const char* op, const Int& a, const Int& b);

  struct Origin {
    ValueId input;
    int axis;
  };
  Graph graph_;
  Status status_;
  std::string scope_;
  std::vector<size_t> scopes_;
  std::map<std::string, Origin, std::less<>> symbols_;             // where a symbol can be read
  std::map<std::string, ValueId, std::less<>> symbol_values_;
  std::vector<NodeId> producers_;                                  // of every value
  std::map<std::string, int64_t, std::less<>> names_;              // how often a name was used
  Position position_;
  std::map<ValueId, ValueId> overwritten_;
};

}  // namespace tern::torch
