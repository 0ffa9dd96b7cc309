// In which order the axes of each group's nodes lie, so that few elements are transposed. Next: rewrite.cpp.
//   Candidates   the orders that occur: a node that needs its operands as they are written (a Conv), a graph input or output asks for one; of
//                labels that two values do not share the order is free. A group that has more than eight stays as it was written.
//   Cost         of a value: its elements, once for each order in which it is wanted and does not lie. Symbols count as 32. Constants cost nothing,
//                and where only extents of 1 move it is next to nothing; a quarter where a depthwise convolution alone wants it so, which reads
//                it as it lies (conv_ends.h). Of the same number of elements fewer Transposes are better.
//   Search       begins with what is written, or with one candidate for all nodes of a group where that is better. Then one node after another
//                moves, from the readers to the producers and back, as long as the sum does not grow: where it stays the same a Transpose moves
//                away from the inputs, which leaves producers and what fuses with them together.
#pragma once
#include "runtime/transposes/groups.h"

namespace tern::transposes {

class Orders {
 public:
  // Groups with too many candidates are taken out of `groups`.
  Orders(const Graph& graph, Groups& groups);
  // Of the frame of a node that moves: a place for each axis, in the order that was chosen.
  Order order(NodeId n) const;

 private:
  static constexpr size_t kMost = 8;  // candidates of a group
  static constexpr int kRounds = 2;
  // A value that is not another one transposed: in which candidate it lies, and how many read it in each. Of candidates that differ in nothing
  // but the axes of other values the first stands for all: `exact`. `counted` is the same, but for extents of 1.
  struct Placed {
    double elements = 0;
    int8_t lies = 0;
    int8_t exact[kMost] = {}, counted[kMost] = {};
    int32_t wanted[kMost] = {}, by_depthwise[kMost] = {};  // by_depthwise: of wanted
  };

  int candidate(int32_t group, std::span<const Label> sequence);
  int candidate_of(ValueId v);  // for an operand as it is written
  void complete_candidates();
  void allow_orders();
  void gather_candidates();
  void place_values();
  void count_readers();
  std::vector<ValueId> roots(const std::vector<ValueId>& operands, const std::vector<Order>& axes) const;
  void read(size_t n, int32_t by);
  void move(size_t n, int to);
  static double cost_in(const Placed& p, size_t order);
  double cost(const std::vector<ValueId>& values) const;
  void begin();
  std::vector<double> costs() const;
  void improve(size_t n, bool towards_readers);
  ValueId root(ValueId v) const;
  Placed& placed(ValueId v) { return placed_[static_cast<size_t>(v)]; }

  const Graph& g_;
  const Groups& groups_;
  std::vector<std::vector<Labels>> candidates_;  // of each group
  std::vector<bool> kept_;                       // groups: not too many
  std::vector<int8_t> state_;                    // of nodes that move: a candidate
  std::vector<uint32_t> allowed_;                // bit c: candidate c keeps the bits of the node
  std::vector<Placed> placed_;
};

}  // namespace tern::transposes
