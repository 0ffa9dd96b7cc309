// Which operators can be computed with their axes in another order, and how. Next: rules.cpp, groups.h.
#pragma once
#include "runtime/graph.h"

namespace tern::transposes {

// Place i has axis order[i].
using Order = std::vector<int32_t>;
constexpr int32_t kNoAxis = -1;  // in an Order: an extent of 1 that is put there

// The axes that a node works on, and which of them each axis of its operands is.
struct Frame {
  int rank = 0;
  std::vector<Order> in, out;  // of an absent operand and of one that is no data (axes, sizes): empty
  bool aligned = false;        // inputs broadcast: their last axis lies at the frame's last place
};

struct Rule {
  // Nothing when this node needs its operands as they are written.
  std::optional<Frame> (*frame)(const Graph& graph, const Node& node);
  // Can it be computed with the frame's axes in that order, and are the bits the same then? Null: always.
  bool (*keeps_bits)(const Graph& graph, const Node& node, const Frame& frame, const Order& order) = nullptr;
  // Changes attributes and inputs that name axes. place[a]: where axis a of the frame lies now. Null: there are none.
  void (*rewrite)(Graph& graph, Node& node, const Frame& frame, const Order& place) = nullptr;
};

// Null: every node of this operator needs its operands as they are written.
const Rule* find_rule(const OpDef& op);
// An element of its output comes from the elements of its inputs at that place, which broadcast.
bool is_elementwise(const OpDef& op);

// Is the extent known to be 1?
inline bool is_one(const Graph& graph, ValueId v, int axis) { return graph.value(v).type.shape[axis].is(1); }

Order natural(int rank);            // 0, 1, ...
Order inverse(const Order& order);  // places[order[i]] == i

}  // namespace tern::transposes
