// Under which conditions the nodes of a graph run whose branches are Switch and Merge, in the sense of frames.h. Next: conditions.cpp.
#pragma once
#include <map>
#include <span>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "loaders/tensorflow/run/index.h"

namespace tern::tensorflow {

// Is it one of TensorFlow 1: "Switch" of Switch and RefSwitch.
bool is_op(const FileNode& node, std::string_view name);

class Conditions {
 public:
  // Conditions that lie in each other: the innermost, and where those around it are.
  struct Chain {
    int32_t around;
    Edge condition;
    int32_t side;  // the output of its Switches
    int32_t depth;
  };
  static constexpr int32_t kAlways = 0, kUnclear = -1;  // unclear: of branches that do not lie in each other

  // Looks at all that `wanted` depends on in any way. Errors (invalid): a node that depends on itself.
  static Result<Conditions> of(const Index& graph, std::span<const Edge> wanted);

  // The chain under which something flows along an edge.
  int32_t at(Edge e) const;
  bool within(int32_t chain, int32_t other) const;  // the same, or deeper in it
  const Chain& chain(int32_t i) const { return chains_[static_cast<size_t>(i)]; }
  // Does it close a loop?
  bool is_variable(int32_t merge) const;

  // What a Merge ends: the chains of its sides, the false one first, and which of its inputs is the true one. Null: it is not told by a condition.
  struct Joined {
    int32_t no, yes;
    size_t yes_input;
    int32_t order;  // above that of all Merges that it depends on
    auto operator<=>(const Joined&) const = default;
  };
  const Joined* joined(int32_t merge) const;

 private:
  explicit Conditions(const Index& graph) : graph_(&graph), of_(graph.size(), kUnclear), order_(graph.size()) {}
  Status look(std::vector<int32_t> open);
  void settle(int32_t node);
  int32_t child(int32_t around, Edge condition, int32_t side);
  int32_t both(int32_t a, int32_t b) const;    // the deeper one
  int32_t common(int32_t a, int32_t b) const;  // what both lie in

  const Index* graph_;
  std::vector<Chain> chains_{{kUnclear, {}, 0, 0}};
  std::map<std::tuple<int32_t, Edge, int32_t>, int32_t> children_;
  std::vector<int32_t> of_, order_;  // by node
  std::unordered_map<int32_t, Joined> joined_;
};

}  // namespace tern::tensorflow
