// See assign_layouts.h.
#include "runtime/assign_layouts.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "kernels/conv/conv_bind.h"
#include "kernels/conv/map_blocks.h"
#include "runtime/conv_ends.h"
#include "runtime/expand_depthwise.h"
#include "runtime/layout_query.h"
#include "runtime/simplify.h"
#include "runtime/strided_view.h"

namespace tern {
namespace {

class Assigner {
 public:
  explicit Assigner(Graph& graph)
      : g_(graph),
        by_(producers(graph)),
        uses_(use_counts(graph)),
        forms_(graph.nodes.size()),
        can_be_blocked_(graph.values.size(), false),
        wanted_(graph.values.size(), false) {}

  void run() {
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      forms_[n] = form(g_.nodes[n]);
      for (ValueId v : g_.nodes[n].outputs) {
        if (v != kNone && forms_[n].gives) can_be_blocked_[static_cast<size_t>(v)] = true;
      }
    }
    for (size_t n = g_.nodes.size(); n-- > 0;) want_inputs(g_.nodes[n], forms_[n]);
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      const Node& node = g_.nodes[n];
      forms_[n] = form(node);  // what had its channels last may be blocked by now
      if (forms_[n].unasked) g_.value(node.outputs[0]).layout.blocked = true;
      if (!forms_[n].gives || !all_wanted(node)) continue;
      for (ValueId v : node.outputs) {
        if (v != kNone) g_.value(v).layout.blocked = true;
      }
    }
    insert_reorders();
    join_what_is_joined();
    widen_joined();
    if (looked_behind_) remove_dead_nodes(g_);
  }

 private:
  bool blocked(ValueId v) const { return g_.value(v).layout.blocked; }
  bool all_wanted(const Node& n) const {
    return std::all_of(n.outputs.begin(), n.outputs.end(), [&](ValueId v) { return v == kNone || wanted_[static_cast<size_t>(v)]; });
  }

  // What the operator says of this node, as things stand; nothing in it when it says nothing.
  LayoutForm form(const Node& n) const {
    const bool to_last = puts_channels_last(n);
    if (n.op->layouts == nullptr && !to_last) return {};
    LayoutQuery q = layout_query(g_, n);
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      if (n.inputs[i] == kNone) continue;
      q.inputs[i].blocked = can_be_blocked_[static_cast<size_t>(n.inputs[i])];
      q.inputs[i].channels_last = channels_last_source(n.inputs[i]) != kNone;
    }
    return (to_last ? to_channels_last(q) : n.op->layouts(q)).value_or(LayoutForm());
  }
  // A Transpose of blocked values is a Reorder.
  static std::optional<LayoutForm> to_channels_last(const LayoutQuery& q) {
    if (!q.suits(0)) return std::nullopt;
    LayoutForm f;
    f.takes = {Takes::as_it_comes};
    f.takes_regardless = true;
    f.op = &kReorder;
    f.attrs.set("channels_last", kLastY);
    return f;
  }

  void want_inputs(const Node& n, const LayoutForm& f) {
    if (!f.takes_regardless && !all_wanted(n)) return;
    for (size_t i = 0; i < n.inputs.size() && i < f.takes.size(); ++i) {
      if (n.inputs[i] == kNone || f.takes[i] == Takes::plain) continue;
      const auto v = static_cast<size_t>(n.inputs[i]);
      if (f.takes[i] == Takes::blocked || can_be_blocked_[v]) wanted_[v] = true;
    }
  }

  bool has_no_halo(ValueId v) const {
    const NodeId by = static_cast<size_t>(v) < by_.size() ? by_[static_cast<size_t>(v)] : kNone;
    return by != kNone && forms_[static_cast<size_t>(by)].no_halo;
  }
  void widen_halo(ValueId v, const Layout& needed) {
    if (has_no_halo(v)) return;
    Layout& l = g_.value(v).layout;
    l.top = std::max(l.top, needed.top);
    l.bottom = std::max(l.bottom, needed.bottom);
    l.left = std::max(l.left, needed.left);
    l.right = std::max(l.right, needed.right);
  }

  // What v was before a Transpose put its channels first; kNone when it was not.
  ValueId channels_last_source(ValueId v) const {
    const NodeId by = by_[static_cast<size_t>(v)];
    if (by == kNone || !puts_channels_first(g_.node(by)) || g_.value(v).type.dtype != DType::f32) return kNone;
    const ValueId x = g_.node(by).inputs[0];
    return g_.value(x).layout.blocked ? kNone : x;
  }
  // Whoever reads x without its Transpose may leave that unread.
  static void drop_unread_transposes(Graph& g) {
    const std::vector<int32_t> uses = use_counts(g);
    std::erase_if(g.nodes, [&](const Node& n) { return puts_channels_first(n) && uses[static_cast<size_t>(n.outputs[0])] == 0; });
  }

  ValueId reordered(ValueId v, bool blocked, std::vector<Node>& out) {
    std::vector<ValueId>& made = blocked ? to_blocked_ : to_plain_;
    made.resize(g_.values.size(), kNone);
    if (made[static_cast<size_t>(v)] != kNone) return made[static_cast<size_t>(v)];
    const Value& from = g_.value(v);
    const ValueId to = g_.add_value(from.name + (blocked ? ".nchw16c" : ".nchw"), from.type);
    g_.value(to).layout.blocked = blocked;
    Node n;
    n.op = &kReorder;
    n.inputs = {v};
    n.outputs = {to};
    if (const ValueId x = channels_last_source(v); blocked && x != kNone) {
      n.inputs = {x};
      n.attrs.set("channels_last", kLastX);
    } else if (blocked) {
      read_where_it_lies(n);
    }
    out.push_back(std::move(n));
    (blocked ? to_blocked_ : to_plain_)[static_cast<size_t>(v)] = to;
    return to;
  }

  // What a Slice, a Split or the like would only have copied before, the Reorder reads where it lies, if columns or channels lie beside each other.
  // (Views end before what is blocked.)
  void read_where_it_lies(Node& reorder) {
    const ValueId v = reorder.inputs[0];
    if (static_cast<size_t>(v) >= by_.size() || g_.is_constant(v)) return;
    const StridedView seen = view_of(g_, by_, v);
    if (is_dense(seen) || std::find(seen.dims.begin(), seen.dims.end(), 0) != seen.dims.end()) return;
    if (seen.strides[1] != 1 && seen.strides.back() != 1) return;
    std::vector<int64_t> view = seen.dims;
    view.push_back(seen.offset);
    view.insert(view.end(), seen.strides.begin(), seen.strides.end());
    reorder.inputs = {seen.base};
    reorder.attrs.set("view", std::move(view));
    looked_behind_ = true;
  }

  // An activation behind another map that nobody else reads is computed with it.
  bool joins_previous_map(const Node& node, std::vector<Node>& out) {
    const auto at = open_maps_.find(node.inputs[0]);
    const bool activation = node.attrs.has("activation"), map = !node.attrs.s("map").empty();
    const bool joins = activation && !map && at != open_maps_.end() && uses_[static_cast<size_t>(node.inputs[0])] == 1;
    if (joins) {
      Node& before = out[at->second];
      for (const char* name : {"activation", "alpha", "beta"}) before.attrs.set(name, *node.attrs.find(name));
      before.outputs = node.outputs;
    } else if (map && !activation) {
      open_maps_[node.outputs[0]] = out.size();
    }
    return joins;
  }

  ValueId taken(ValueId v, Takes how, std::vector<Node>& out) {
    if (v == kNone || how == Takes::as_it_comes || (how == Takes::blocked) == blocked(v)) return v;
    return reordered(v, how == Takes::blocked, out);
  }

  // Pushes the node as it is between what is blocked by now, and Reorders before it.
  void place(const Node& was, const LayoutForm& f, std::vector<Node>& out) {
    const bool gives = !was.outputs.empty() && was.outputs[0] != kNone && blocked(was.outputs[0]);
    const bool another = f.op != nullptr && (f.takes_regardless ? blocked(was.inputs[0]) : gives);
    Node node = another ? Node{f.op, was.name, f.attrs, {}, was.outputs, {}} : was;
    std::vector<size_t> from(was.inputs.size());
    std::iota(from.begin(), from.end(), size_t(0));
    if (another && !f.inputs.empty()) from = f.inputs;
    node.inputs.clear();
    for (size_t i : from) {
      const Takes how = i < f.takes.size() && (gives || f.takes_regardless) ? f.takes[i] : Takes::plain;
      const ValueId v = node.inputs.emplace_back(taken(was.inputs[i], how, out));
      if (i == 0 && how != Takes::plain && blocked(v)) widen_halo(v, f.halo);
    }
    if (another && !f.each_output.empty()) {
      for (size_t o = 0; o < f.each_output.size(); ++o) out.push_back({f.op, was.name, f.each_output[o], node.inputs, {was.outputs[o]}, {}});
    } else if (node.op != &kMapBlocks || !joins_previous_map(node, out)) {
      out.push_back(std::move(node));
    }
  }

  void insert_reorders() {
    std::vector<Node> out;
    out.reserve(g_.nodes.size());
    for (size_t n = 0; n < g_.nodes.size(); ++n) place(g_.nodes[n], forms_[n], out);
    for (ValueId& v : g_.outputs) {
      if (g_.value(v).layout.blocked) v = reordered(v, false, out);
    }
    g_.nodes = std::move(out);
    drop_unread_transposes(g_);
  }

  // What a ConcatBlocks joins first was perhaps joined before, as in a DenseNet, whose every layer reads what all before it gave: then it joins that.
  void join_what_is_joined() {
    std::unordered_map<ValueId, size_t> last;             // the ConcatBlocks that began with this value
    std::unordered_map<size_t, std::vector<ValueId>> of;  // what they joined
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      std::vector<ValueId>& inputs = g_.nodes[n].inputs;
      if (g_.nodes[n].op != &kConcatBlocks || inputs.size() < 2) continue;
      const auto before = last.find(inputs[0]);
      of[n] = inputs;
      if (before != last.end()) {
        const std::vector<ValueId>& parts = of[before->second];
        if (parts.size() < inputs.size() && std::equal(parts.begin(), parts.end(), inputs.begin())) {
          inputs.erase(inputs.begin() + 1, inputs.begin() + static_cast<int64_t>(parts.size()));
          inputs[0] = g_.nodes[before->second].outputs[0];
        }
      }
      last[of[n][0]] = n;
    }
  }

  // What a ConcatBlocks joins at a whole block gets the halo of the result, so that it may be computed there (plan/join_in_place.cpp).
  void widen_joined() {
    for (size_t n = g_.nodes.size(); n-- > 0;) {  // results before what is joined in them
      const Node& join = g_.nodes[n];
      if (join.op != &kConcatBlocks || join.inputs.size() < 2) continue;
      const Layout whole = g_.value(join.outputs[0]).layout;
      int64_t channel = 0;
      for (ValueId v : join.inputs) {
        Layout& l = g_.value(v).layout;
        const Dims d = g_.value(v).type.shape.concrete();
        const bool narrower = l.top <= whole.top && l.bottom <= whole.bottom && l.left <= whole.left && l.right <= whole.right;
        if (l.blocked && channel % kBlock == 0 && narrower && !has_no_halo(v)) l = whole;
        channel += d[1];
      }
    }
  }

  Graph& g_;
  std::vector<NodeId> by_;
  const std::vector<int32_t> uses_;  // before anything was reordered
  std::vector<LayoutForm> forms_;    // of the nodes as they were
  std::vector<bool> can_be_blocked_, wanted_;
  std::unordered_map<ValueId, size_t> open_maps_;  // MapBlocks without an activation: where they are
  std::vector<ValueId> to_blocked_, to_plain_;     // the Reorder of a value, once it is made
  bool looked_behind_ = false;                     // a Reorder reads what a copy was made of, which perhaps nobody reads then
};

}  // namespace

void assign_layouts(Graph& graph) {
  absorb_transposes(graph);
  Assigner(graph).run();
  join_expand_depthwise(graph);
}

}  // namespace tern
