// Builder: a graph or subgraph in the making out of TensorFlow's nodes: what runtime/graph_builder.h has, nodes that are called as the file calls
// them, and errors that name the node. Next: call.h.
#pragma once
#include <string>
#include <unordered_map>
#include <utility>

#include "loaders/tensorflow/graph/program.h"

namespace tern::tensorflow {

class Builder : public GraphBuilder {
 public:
  // around: of a branch or a body, the graph that has its node.
  explicit Builder(Program& of, Builder* around = nullptr) : GraphBuilder("tensorflow", around), program(of), around_(around) {}

  Program& program;

  // The node that adds what is added from here on. Both texts must live as long. Gives what it was before.
  struct Place {
    const std::string *name = nullptr, *op = nullptr;
  };
  Place exchange_place(Place p) { return std::exchange(place_, p); }

  // What a variable holds, a constant: the same one whenever it is asked for.
  ValueId variable(int32_t index);
  // Whether sizes can be computed of it here: a number, or of symbols that inputs have.
  bool resolvable(const Dim& dim) const;
  // A value of the graph around, captured; a constant is shared. Precondition: there is one.
  ValueId capture(ValueId outer);
  // The same of all that a value holds.
  Value capture(const Value& outer);
  // What a value is that constants alone make in a few steps, as ranges and casts of the rows of a table are. Errors: something else makes it, too.
  Result<Tensor> evaluated(ValueId v) const;
  // A node with subgraphs, which lie in this one; what they capture becomes its last inputs. The first error of theirs is this one's.
  std::vector<ValueId> emit_control(const char* op, std::vector<ValueId> inputs, std::span<Builder* const> bodies, size_t outputs);

 private:
  Error placed(const Error& error) const override;
  Names names(const char* op) override;

  Builder* around_;
  Place place_;
  std::unordered_map<int32_t, ValueId> variables_;
  std::unordered_map<ValueId, std::string> captured_as_;  // of this graph's values, when graphs inside read them
  std::unordered_map<size_t, int64_t> used_;              // how often a name was, by its hash: two of one hash get a number each, which harms nobody
};

}  // namespace tern::tensorflow
