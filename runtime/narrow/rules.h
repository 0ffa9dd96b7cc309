// What an operator reads of its inputs when not all of what it gives is wanted, and how it is written then. Next: rules.cpp, pick.cpp, windows.cpp.
#pragma once
#include "runtime/graph.h"
#include "runtime/narrow/range.h"

namespace tern::narrowing {

// Regions of the operands of one node. Nothing: nobody reads it.
struct Wanted {
  std::vector<std::optional<Region>> out, in;
};

// A node being written anew. It gives what `wanted` says, of inputs of which there are the regions `have`.
struct Edit {
  Graph& graph;
  const Node& was;  // as it was, for values with the shapes that they had
  Node now;         // reads what is there
  const Wanted& wanted;
  std::vector<Region> have;
  std::vector<Node>& out;  // where nodes go

  std::string name(const char* suffix) const;  // of what the node needs besides
  // A new value that a new node gives.
  ValueId emit(const OpDef& op, std::vector<ValueId> inputs, Attributes attrs, const char* suffix);
  ValueId ints(const char* suffix, const std::vector<int64_t>& values);
  // The node, in the place of `was`.
  void finish() { out.push_back(std::move(now)); }
  void finish(const OpDef& op, std::vector<ValueId> inputs, Attributes attrs = {});
};

struct Rule {
  // From the regions of outputs that are wanted to those of inputs that are read, which are whole before. May widen those of outputs to what can be
  // computed. False: the node computes everything. Every operand is a ranked tensor, and none is known to be empty.
  bool (*reads)(const Graph& graph, const Node& node, Wanted& wanted);
  // Null: the node computes less when its inputs are less.
  void (*rewrite)(Edit& edit) = nullptr;
  // Can it take from the region `have` of input i, which has more than it reads? Null, or false: a Slice takes it out before.
  bool (*takes)(const Graph& graph, const Node& node, const Wanted& wanted, size_t i, const Region& have) = nullptr;
};

// Null: every node of this operator computes everything.
const Rule* find_rule(const OpDef& op);
extern const Rule kSliceRule, kGatherRule, kSplitRule, kConcatRule;            // pick.cpp
extern const Rule kConvRule, kMaxPoolRule, kAveragePoolRule, kPadRule;         // windows.cpp
extern const Rule kReshapeRule, kSqueezeRule, kTransposeRule, kUnsqueezeRule;  // reshape.cpp
extern const Rule kRecurrentRule;                                              // recurrent.cpp

// ---- for rules ----

inline const Shape& shape(const Graph& g, ValueId v) { return g.value(v).type.shape; }
inline std::optional<int64_t> extent(const Graph& g, ValueId v, int axis) {
  const Dim& d = shape(g, v)[axis];
  return d.known() ? std::optional(d.value()) : std::nullopt;
}
inline Range& at(Region& r, int axis) { return r[static_cast<size_t>(axis)]; }
inline const Range& at(const Region& r, int axis) { return r[static_cast<size_t>(axis)]; }
inline bool given(const Node& n, size_t i) { return i < n.inputs.size() && n.inputs[i] != kNone; }
// The contents of input i, when that is a constant list of integers.
std::optional<std::vector<int64_t>> list(const Graph& g, const Node& n, size_t i);
// Only the first output is there.
bool one_output(const Node& n);

// Elements start, start + step, ... of an axis in any order.
struct Pick {
  int64_t start = 0, step = 1, count = Range::kAll;
  bool operator==(const Pick&) const = default;
};
// What takes the region `wanted` out of `have`, which has it.
std::vector<Pick> picks(const Region& wanted, const Region& have);
// Nothing is taken out.
bool keeps_all(const std::vector<Pick>& picks, const Region& have);
// The inputs of a Slice that does it.
std::vector<ValueId> slice_inputs(Edit& edit, ValueId from, const std::vector<Pick>& picks);

}  // namespace tern::narrowing
