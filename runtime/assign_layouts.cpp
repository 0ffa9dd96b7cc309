// See assign_layouts.h.
#include "runtime/assign_layouts.h"

#include <algorithm>
#include <unordered_map>

#include "kernels/conv/conv_bind.h"
#include "kernels/conv/map_blocks.h"
#include "kernels/movement/movement.h"
#include "kernels/pool/pool.h"
#include "kernels/reduce/reduce.h"
#include "kernels/resize/resize.h"
#include "runtime/blocked_form.h"
#include "runtime/conv_ends.h"

namespace tern {
namespace {

bool is_conv(const Node& n) { return n.op == &kConv || n.op == &kFusedConv; }
bool is_transposed(const Node& n) { return n.op == &kConvTranspose || n.op == &kFusedConvTranspose; }
bool is_window_pool(const Node& n) { return n.op == &kMaxPool || n.op == &kAveragePool; }

class Assigner {
 public:
  explicit Assigner(Graph& graph)
      : g_(graph),
        by_(producers(graph)),
        uses_(use_counts(graph)),
        can_be_blocked_(graph.values.size(), false),
        wanted_(graph.values.size(), false) {}

  Status run() {
    for (const Node& node : g_.nodes) {
      if (auto form = blocked_form(g_, node, can_be_blocked_)) forms_.emplace(node.outputs[0], std::move(*form));
      const bool blocked = writes(node);
      for (ValueId v : node.outputs) {
        if (v != kNone && blocked) can_be_blocked_[static_cast<size_t>(v)] = true;
      }
    }
    for (size_t n = g_.nodes.size(); n-- > 0;) want_inputs(g_.nodes[n]);
    for (Node& node : g_.nodes) {
      if (!writes(node) || !all_wanted(node)) continue;
      for (ValueId v : node.outputs) {
        if (v != kNone) g_.value(v).layout.blocked = true;
      }
    }
    insert_reorders();
    return {};
  }

 private:
  bool wanted(ValueId v) const { return wanted_[static_cast<size_t>(v)]; }
  bool all_wanted(const Node& n) const {
    return std::all_of(n.outputs.begin(), n.outputs.end(), [&](ValueId v) { return v == kNone || wanted(v); });
  }
  bool suits(ValueId v) const { return suits_blocks(g_, v); }
  Dims dims(ValueId v) const { return g_.value(v).type.shape.concrete(); }

  // May this node write its output blocked?
  bool writes(const Node& n) const {
    if (n.outputs.empty() || !suits(n.outputs[0])) return false;
    if (is_conv(n)) {
      if (channels_last(n.read(), kLastY)) return false;
      return depthwise(n) ? channels_last(n.read(), kLastX) || blocked_before(n) : gives_whole_blocks(n);
    }
    if (is_transposed(n)) return gives_whole_blocks(n);
    if (is_mean(n)) return produced_blocked(n.inputs[0]);
    if (is_window_pool(n)) return suits(n.inputs[0]) && blocked_before(n) && (n.outputs.size() < 2 || n.outputs[1] == kNone);
    if (n.op == &kConcat) return joins_blocks(n);
    return n.op == &kSplit ? splits_blocks(n) : forms_.count(n.outputs[0]) != 0;
  }
  // Do the channels of a group begin with a block of y, and of the residual?
  bool gives_whole_blocks(const Node& n) const {
    const int64_t groups = n.read().i("group");
    if (groups == 1 || is_transposed(n)) return groups == 1;
    const Shape& w = g_.value(n.inputs[1]).type.shape;
    return w.known() && (w[0].value() / groups % kBlock == 0 || lanewise(n));
  }
  bool is_residual(const Node& n, size_t i) const { return i == 3 && (is_conv(n) || is_transposed(n)); }
  bool lanewise(const Node& n) const {
    const int64_t groups = n.read().i("group");
    const Shape& w = g_.value(n.inputs[1]).type.shape;
    return w.known() && w[0].value() >= kBlock && is_lanewise(groups, w[1].value(), w[0].value() / groups);
  }
  bool depthwise(const Node& n) const { return lanewise(n) && g_.value(n.inputs[1]).type.shape[1].is(1); }
  // Pools and depthwise convolutions are as fast on plain values: it is not for them that one is reordered, unless its channels are last.
  bool blocked_before(const Node& n) const { return produced_blocked(n.inputs[0]) || channels_last_source(n.inputs[0]) != kNone; }
  // Does this node read input i blocked, if it has the choice?
  bool reads(const Node& n, size_t i) const {
    const ValueId v = n.inputs[i];
    if (!suits(v)) return false;
    if (is_residual(n, i)) return produced_blocked(v) && gives_whole_blocks(n);
    if (is_conv(n)) {
      if (i != 0 || channels_last(n.read(), kLastX) || g_.value(n.outputs[0]).type.shape.rank() > 4 || !g_.value(n.inputs[1]).type.shape.known())
        return false;
      const int64_t groups = n.read().i("group"), ics = dims(v)[1] / groups;
      return depthwise(n) ? blocked_before(n) : lanewise(n) || (ics >= kBlock && (groups == 1 || ics % kBlock == 0));
    }
    if (is_transposed(n)) return i == 0 && n.read().i("group") == 1 && produced_blocked(v);
    if (is_window_pool(n)) return writes(n);
    if ((is_mean(n) && i == 0) || puts_channels_last(n)) return produced_blocked(v);
    if (n.op == &kConcat || (n.op == &kSplit && i == 0)) return all_wanted(n) && writes(n) && produced_blocked(v);
    const Node* form = form_of(n);
    return form != nullptr && wanted(n.outputs[0]) && (dims(v) == dims(n.outputs[0]) || form->inputs.size() == 1 || (i == 0 && form->op == n.op));
  }
  bool produced_blocked(ValueId v) const { return can_be_blocked_[static_cast<size_t>(v)]; }
  // Means of whole maps: GlobalAveragePool, and ReduceMean over all spatial axes, whose order of sums is another.
  bool is_reduce_mean(const Node& n) const {
    if (n.op != &kReduceMean || n.inputs.size() != 2 || !suits(n.inputs[0]) || !g_.is_constant(n.inputs[1])) return false;
    const Dims d = dims(n.inputs[0]);
    const auto axes = as_ints(g_.value(n.inputs[1]).constant.view());
    std::vector<bool> reduced(static_cast<size_t>(d.rank), false);
    for (int64_t a : axes.value_or(std::vector<int64_t>())) reduced[static_cast<size_t>(normalize_axis(a, d.rank).value_or(0))] = true;
    return d.count(2, d.rank) > 1 && !reduced[0] && !reduced[1] && std::all_of(reduced.begin() + 2, reduced.end(), [](bool r) { return r; });
  }
  bool is_mean(const Node& n) const { return n.op == &kGlobalAveragePool || is_reduce_mean(n); }
  bool along_channels(const Node& n, ValueId v) const {
    const auto axis = normalize_axis(n.read().i("axis"), g_.value(v).type.shape.rank());
    return axis && *axis == 1;
  }
  bool joins_blocks(const Node& n) const {  // what is plain of its inputs, too
    return along_channels(n, n.outputs[0]) &&
           std::all_of(n.inputs.begin(), n.inputs.end(), [&](ValueId v) { return g_.value(v).type.shape.known(); });
  }
  bool splits_blocks(const Node& n) const {
    return suits(n.inputs[0]) && produced_blocked(n.inputs[0]) && along_channels(n, n.inputs[0]) &&
           std::all_of(n.outputs.begin(), n.outputs.end(), [&](ValueId v) { return v != kNone && suits(v); });
  }
  const Node* form_of(const Node& n) const {
    const auto at = n.outputs.empty() ? forms_.end() : forms_.find(n.outputs[0]);
    return at == forms_.end() ? nullptr : &at->second;
  }

  void want_inputs(const Node& n) {
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      if (n.inputs[i] != kNone && reads(n, i)) wanted_[static_cast<size_t>(n.inputs[i])] = true;
    }
  }

  // A window pool whose result nobody wants blocked still computes blocked, and so does a transposed convolution whose phases lie columns apart in a
  // plain result; theirs are brought back.
  bool gives_blocks_unasked(const Node& n) const {
    if (is_window_pool(n)) return takes_blocked(n, 0);
    constexpr int64_t kFewest = 4;  // channels that make it worth while
    if (!is_transposed(n) || n.read().i("group") != 1 || !suits_blocks(g_, n.outputs[0], kFewest)) return false;
    const std::vector<int64_t> strides = n.read().ints("strides");
    return !strides.empty() && strides.back() > 1;
  }
  bool takes_blocked(const Node& n, size_t i) const {
    if (puts_channels_last(n)) return suits(n.inputs[i]) && g_.value(n.inputs[i]).layout.blocked;
    if (!reads(n, i)) return false;
    if (is_residual(n, i) || is_mean(n) || is_transposed(n)) return g_.value(n.inputs[i]).layout.blocked;
    return true;
  }

  // Widens the halo of the blocked value that convolution n reads.
  void widen_halo(const Node& n, ValueId v) {
    const NodeId by = static_cast<size_t>(v) < by_.size() ? by_[static_cast<size_t>(v)] : kNone;
    if (by != kNone && (is_mean(g_.node(by)) || g_.node(by).op == &kResize)) return;
    const bool transposed = is_transposed(n);
    const Dims w = dims(n.inputs[1]);
    const auto problem = transposed ? conv_transpose_problem(n.read(), dims(v), w) : conv_problem(n.read(), dims(v), w);
    if (!problem) return;
    const Layout needed = halo_of(*problem);
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
    }
    out.push_back(std::move(n));
    (blocked ? to_blocked_ : to_plain_)[static_cast<size_t>(v)] = to;
    return to;
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

  void insert_reorders() {
    std::vector<Node> out;
    out.reserve(g_.nodes.size());
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      if (const Node* form = form_of(g_.nodes[n]); form != nullptr && g_.value(form->outputs[0]).layout.blocked) g_.nodes[n] = *form;
      Node node = g_.nodes[n];
      if (gives_blocks_unasked(node)) g_.value(node.outputs[0]).layout.blocked = true;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId v = g_.nodes[n].inputs[i];
        if (v == kNone) continue;
        const bool blocked = takes_blocked(g_.nodes[n], i), is = g_.value(v).layout.blocked;
        const bool either =
            (is_residual(node, i) && (!is || gives_whole_blocks(node))) || (node.op == &kConcat && g_.value(node.outputs[0]).layout.blocked);
        if (blocked != is && !either) node.inputs[i] = reordered(v, blocked, out);
        if (blocked && (is_conv(node) || is_transposed(node)) && i == 0) widen_halo(g_.nodes[n], node.inputs[i]);
      }
      if (puts_channels_last(node) && g_.value(node.inputs[0]).layout.blocked) {
        node.op = &kReorder;
        node.attrs = {};
        node.attrs.set("channels_last", kLastY);
      }
      if (is_reduce_mean(g_.nodes[n]) && g_.value(node.inputs[0]).layout.blocked) {
        Attributes attrs;
        attrs.set("keepdims", node.read().i("keepdims"));
        node = Node{&kMeanBlocks, node.name, std::move(attrs), {node.inputs[0]}, node.outputs, {}};
      }
      if (node.op == &kSplit && splits_blocks(node) && all_wanted(node)) {
        int64_t first = 0;
        for (ValueId v : node.outputs) {
          out.push_back(some_channels(g_, node, v, first));
          first += dims(v)[1];
        }
        continue;
      }
      if (node.op == &kConcat && g_.value(node.outputs[0]).layout.blocked) {
        node.op = &kConcatBlocks;
        node.attrs = {};
      }
      if (node.op == &kMapBlocks && joins_previous_map(node, out)) continue;
      out.push_back(std::move(node));
    }
    for (ValueId& v : g_.outputs) {
      if (g_.value(v).layout.blocked) v = reordered(v, false, out);
    }
    g_.nodes = std::move(out);
    drop_unread_transposes(g_);
  }

  Graph& g_;
  std::vector<NodeId> by_;
  const std::vector<int32_t> uses_;  // before anything was reordered
  std::vector<bool> can_be_blocked_, wanted_;
  std::unordered_map<ValueId, size_t> open_maps_;  // MapBlocks without an activation: where they are
  std::unordered_map<ValueId, Node> forms_;        // blocked_form() of nodes, by output
  std::vector<ValueId> to_blocked_, to_plain_;     // the Reorder of a value, once it is made
};

// What a ConcatBlocks of one image joins at whole blocks gets the halo of the result, so that it may be computed there (Lowering::joins_in_place).
void widen_joined(Graph& g) {
  const std::vector<NodeId> by = producers(g);
  std::vector<size_t> last_read(g.values.size(), 0);
  for (size_t n = 0; n < g.nodes.size(); ++n) {
    for (ValueId v : g.nodes[n].inputs) {
      if (v != kNone) last_read[static_cast<size_t>(v)] = n;
    }
  }
  for (size_t n = g.nodes.size(); n-- > 0;) {  // results before what is joined in them
    const Node& join = g.nodes[n];
    if (join.op != &kConcatBlocks || join.inputs.size() < 2) continue;
    const Layout whole = g.value(join.outputs[0]).layout;
    auto may_widen = [&](ValueId v) {
      const Layout& l = g.value(v).layout;
      const Dims d = g.value(v).type.shape.concrete();
      if (!l.blocked || d[0] != 1 || (d[1] % kBlock != 0 && v != join.inputs.back()) || last_read[static_cast<size_t>(v)] != n) return false;
      if (l == whole) return true;
      const NodeId maker = by[static_cast<size_t>(v)];
      if (maker == kNone || g.node(maker).op == &kResize || g.node(maker).op == &kMeanBlocks || g.node(maker).op == &kGlobalAveragePool) return false;
      return l.top <= whole.top && l.bottom <= whole.bottom && l.left <= whole.left && l.right <= whole.right;
    };
    if (!std::all_of(join.inputs.begin(), join.inputs.end(), may_widen)) continue;
    for (ValueId v : join.inputs) g.value(v).layout = whole;
  }
}

}  // namespace

Status assign_layouts(Graph& graph) {
  absorb_transposes(graph);
  if (Status s = Assigner(graph).run(); !s) return s;
  widen_joined(graph);
  return {};
}

}  // namespace tern
