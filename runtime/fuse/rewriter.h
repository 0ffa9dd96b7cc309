// Rewriter: what the fusions are written with. Asks who produces a value and who reads it, matches constants, and puts a fused node in
// the place of the last node of a chain; nodes that nobody reads any more die on the spot. Next: linear.cpp.
#pragma once
#include <string_view>

#include "runtime/graph.h"

namespace tern {

class Rewriter {
 public:
  explicit Rewriter(Graph& g) : graph(g), producers_(producers(g)), uses_(use_counts(g)), dead_(g.nodes.size(), false) {
    nodes_.reserve(g.nodes.size());
  }
  ~Rewriter() { finish(); }
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  Graph& graph;

  size_t size() const { return dead_.size(); }
  // The node at n when it is alive, and has this operator; else null.
  const Node* at(size_t n) const { return dead_[n] ? nullptr : &graph.nodes[n]; }
  const Node* at(size_t n, std::string_view op) const;
  // The node that produces v, when it has this operator; else null.
  const Node* producer(ValueId v) const;
  const Node* producer(ValueId v, std::string_view op) const;
  NodeId producer_id(ValueId v) const { return v == kNone ? kNone : producers_[static_cast<size_t>(v)]; }
  int32_t uses(ValueId v) const { return uses_[static_cast<size_t>(v)]; }
  bool read_once(ValueId v) const { return uses(v) == 1; }
  // The constant v; null when it is none, or of another dtype.
  const Tensor* constant(ValueId v, DType dtype = DType::f32) const;
  // The single element of a constant f32 v, as a float; nothing otherwise.
  std::optional<float> scalar(ValueId v) const;
  bool is_scalar(ValueId v, float expected, float tolerance = 0) const;
  // For a binary node: the input that is a f32 scalar constant, and the other one.
  struct Scaled {
    ValueId value = kNone;
    float factor = 0;
  };
  std::optional<Scaled> with_scalar(const Node& node) const;
  const Shape& shape(ValueId v) const { return graph.value(v).type.shape; }
  DType dtype(ValueId v) const { return graph.value(v).type.dtype; }

  // Node n becomes `fused`, which produces what n produced. Refused, and false, unless inference shows that dtypes and shapes stay: a
  // one-element constant of more axes than the data adds axes to the result. Invalidates pointers to nodes.
  bool replace(size_t n, Node fused);
  // A new value, and a new node before n that produces it; kNone when its inputs do not suit the operator.
  ValueId insert_before(size_t n, const OpDef& op, Attributes attrs, std::vector<ValueId> inputs, const std::string& name);
  // A new constant.
  ValueId add_constant(const std::string& name, Tensor t);
  // A constant's elements as a vector: itself when it is one, else a new constant.
  ValueId as_vector(ValueId constant);

 private:
  bool keeps_types(const Node& before, const Node& after);
  void drop_unread_insertions();
  void release(ValueId v);
  void finish() noexcept;

  std::vector<NodeId> producers_;
  std::vector<int32_t> uses_;
  std::vector<bool> dead_;
  std::vector<std::pair<size_t, Node>> inserted_;
  std::vector<Node> nodes_;  // room for what finish() makes: the destructor must not ask for memory
};

// Whether t has one element for each place along that axis of y and none for the others: [C], [C,1,1] and [1,C,1,1] along axis 1 of [N,C,H,W].
bool lies_along(const Tensor* t, const Shape& y, int axis);

}  // namespace tern
