// Runner: a graph of the file run in the mind. From the outputs that are wanted it goes back to the nodes that they need, and each of these calls the
// row of its operator, which adds nodes to the graph in the making. So what nobody needs (training, saving, assertions) is never looked at, functions are
// inlined where they are called, and variables, tables and lists of tensors are gone in the end.
// Next: run.cpp, then special.h: the operators that need more than their inputs.
#pragma once
#include <span>
#include <unordered_map>
#include <vector>

#include "loaders/tensorflow/graph/call.h"
#include "loaders/tensorflow/run/index.h"

namespace tern::tensorflow {

class Runner {
 public:
  Runner(Program& of, Functions& all) : program(of), functions(all) {}

  Program& program;
  Functions& functions;
  bool initializing = false;  // what changes tables is run, and not only what outputs need

  // What a graph is run with.
  struct Scope {
    const Values* arguments = nullptr;                            // of a function
    bool around = false;                                          // they are values of the graph around, to be captured
    const Caller* caller = nullptr;                               // of a function
    const std::unordered_map<int32_t, Values>* preset = nullptr;  // nodes whose outputs are given
    int depth = 0;                                                // of calls, branches and loops
  };
  // The values of edges. Errors go to the builder.
  Values run(Builder& b, const Index& graph, const Scope& scope, std::span<const Edge> wanted);
  // Of nodes that `from` depends on in any way (empty: of all), those that change tables or call functions.
  void run_effects(Builder& b, const Index& graph, const Scope& scope, std::span<const Edge> from);

  // A function that an attribute names; null: failed.
  const Index* function(const Call& c, const std::string& name);
  const Index* function_attribute(const Call& c, const char* attr);
  // So much was done; fails when it is too much.
  bool spend(Builder& b, int64_t nodes);

 private:
  struct Needed {
    std::vector<int32_t> order;                    // topological
    std::unordered_map<int32_t, size_t> position;  // in it
    std::vector<Edge> used;                        // sorted
    std::vector<int32_t> arguments;
  };
  bool sort(Builder& b, const Index& graph, const Scope& scope, std::span<const Edge> wanted, Needed& needed);
  Values run_node(Builder& b, const Index& graph, const Scope& scope, int32_t node, Values inputs, std::span<const Edge> used);
};

}  // namespace tern::tensorflow
