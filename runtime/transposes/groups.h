// Which axes of which values are one axis. Two axes have the same label when a node that does not care for their order, or a Transpose, says that
// they are the same; labels that one value has together are of one group, and groups have nothing to do with each other.
// Constants have no labels: they lie as whoever reads them wants. Next: choose.h.
#pragma once
#include <span>

#include "runtime/transposes/rules.h"

namespace tern::transposes {

using Label = int32_t;
using Labels = std::vector<Label>;

struct Groups {
  // A value as another one, of which it is but another order: axis i is axis axes[i] of `root`.
  struct Source {
    ValueId root;
    Order axes;
  };
  static constexpr size_t kMostLabels = 16;  // of a group: with more it stays as it was written

  explicit Groups(const Graph& graph);

  // Of the axes of v; none of a constant, of what is no tensor, and of one whose rank is not known.
  std::span<const Label> labels(ValueId v) const;
  // Of the axes of the node's frame.
  Labels labels(const Node& node, const Frame& frame) const;
  // Of the values of this label; kNone where all stay as they were written.
  int32_t group_of(Label label) const { return group_[static_cast<size_t>(label)]; }
  int32_t group(ValueId v) const { return labels(v).empty() ? kNone : group_of(labels(v)[0]); }
  bool moves(NodeId n) const { return frames[static_cast<size_t>(n)].has_value(); }
  // The others stay as they were written.
  void keep(const std::vector<bool>& kept);

  std::vector<Labels> members;                 // of each group
  std::vector<std::optional<Frame>> frames;    // of nodes that may be computed in another order
  std::vector<bool> dissolved;                 // nodes that are Transposes within a group
  std::vector<std::optional<Source>> sources;  // of their outputs

 private:
  Label find(Label label);
  void unite(Label a, Label b);
  void label_values();
  void unite_axes();
  void make_groups();
  void keep_sound();

  const Graph& g_;
  std::vector<size_t> first_;  // of a value: where the labels of its axes are
  std::vector<Label> labels_;
  std::vector<Label> parents_;  // while uniting
  std::vector<int32_t> group_;  // of a label
};

// The order of a Transpose; nothing when its input has none.
std::optional<Order> order_of(const Graph& graph, const Node& node);

}  // namespace tern::transposes
