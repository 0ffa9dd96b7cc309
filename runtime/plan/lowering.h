// Lowering: one graph on its way to a Program; what lower() and control operators (runtime/control) share. Next: lower.cpp.
#pragma once
#include <utility>

#include "runtime/plan/program.h"

namespace tern {

class Lowering {
 public:
  explicit Lowering(Program& program) : p_(program) {}
  Status run();

  const Graph& graph(size_t scope) const { return *p_.scopes[scope].graph; }
  Place& place(size_t scope, ValueId v) { return p_.place(scope, v); }
  int32_t next_position() { return position_++; }

  // ---- for control operators ----
  // The work of a node; its lists and, when all of them are lowered, add() are the operator's.
  Work control_work(size_t scope, const Node& node, bool nested);
  size_t add(Work w);
  // A scope for a subgraph of `node`: its inputs are to be placed.
  size_t open_scope(const Graph& subgraph, size_t around, const Node& node);
  // Appends the work of all nodes of a scope.
  Status lower_nodes(size_t scope, std::vector<size_t>& list, bool nested);
  // Inputs exist from `position` on; until read_inputs nothing takes them over.
  void hold_inputs(size_t scope, const Node& node, int32_t position);
  // All reads of this node are done: fewer readers are left.
  void read_inputs(size_t scope, const Node& node, int32_t position);
  // Buffers for all outputs of a node.
  Status place_outputs(size_t scope, const Node& node, int32_t position);
  // A copy of a value of that scope; returns its index in Program::work.
  size_t add_copy(size_t scope, ValueId v, Place from, Place to, bool nested);
  // One read of what lies there is to come, or is done.
  void hold(const Place& place);
  void release(const Place& place);
  // What lies there is read once more, and then its buffer may be another value's.
  bool read_for_the_last_time(const Place& place) const;
  // Memory for a value. Errors (unsupported): its shape is not known, or it is beyond the budget.
  Result<int32_t> new_buffer(const Graph& g, ValueId v);
  void add_readers(size_t scope, ValueId v);
  void touch(const Place& place, int32_t position);

  // Of the work that is added from now on; each returns what was before.
  bool set_certain(bool certain) { return std::exchange(certain_, certain); }
  int64_t set_repeats(int64_t repeats) { return std::exchange(repeats_, repeats); }
  int32_t set_swap(int32_t swap) { return std::exchange(swap_, swap); }
  int64_t repeats() const { return repeats_; }
  // A new table of Program::swaps.
  int32_t add_swap(Program::Swap swap);

 private:
  void place_constants(size_t scope);
  void pin(int32_t buffer, bool input);
  bool may_take_over(size_t scope, const Node& node, size_t i, bool view);
  // Nobody else may write there, though nobody reads it any more.
  bool is_kept(int32_t buffer) const {
    const auto b = static_cast<size_t>(buffer);
    return pinned_[b] || inside_[b] || shared_[b];
  }
  // join_in_place.cpp:
  std::vector<bool> parts_in_place(size_t scope, const Node& node);
  // Of a ConcatBlocks: places its result, and those of its inputs in it that can lie there. True: all of them, so that nothing is left to be done.
  Result<bool> join_in_place(size_t scope, const Node& node, int32_t position);
  Status lower_node(size_t scope, const Node& node, std::vector<size_t>& list, bool nested);

  Program& p_;
  std::vector<bool> is_input_, pinned_;  // of buffers
  std::vector<bool> inside_, shared_;    // of buffers: it lies in another one; one that is still to be read lies in it
  std::vector<int64_t> readers_;         // of buffers: reads that are still to come
  int32_t position_ = 1;
  bool certain_ = true;
  int64_t repeats_ = 1;
  int32_t swap_ = kNone;
};

}  // namespace tern
