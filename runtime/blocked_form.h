// What a node that is no convolution and no pool becomes on blocked values (NCHW16c): MapBlocks, or a ConcatBlocks of some channels.
// Next: assign_layouts.cpp.
#pragma once
#include <optional>
#include <vector>

#include "runtime/graph.h"

namespace tern {

// May this value be blocked at all? f32 of 3 or 4 known axes, with enough channels that most lanes are not idle.
bool suits_blocks(const Graph& graph, ValueId v, int64_t fewest = 16);

// The node on blocked values: an activation, Add, Sub, Mul, Div, Max, Min, PRelu, BatchNormalization, Pad with zeros, Resize that repeats or filters, Slice of
// channels or of rows and columns.
// Nothing for others, and where what it reads element by element cannot be blocked; can_be_blocked tells that of each value.
std::optional<Node> blocked_form(const Graph& graph, const Node& node, const std::vector<bool>& can_be_blocked);

// Channels [first, first + those of y) of the blocked value that node n reads.
Node some_channels(const Graph& graph, const Node& n, ValueId y, int64_t first);

}  // namespace tern
