// The graph with its nodes in the orders that were chosen. See transposes.h.
#include <algorithm>
#include <map>

#include "kernels/evaluate.h"
#include "kernels/gather/gather.h"
#include "kernels/movement/movement.h"
#include "kernels/shape/shape.h"
#include "runtime/transposes/choose.h"
#include "runtime/transposes/transposes.h"

namespace tern {
namespace transposes {
namespace {

bool is_natural(const Order& o) { return o == natural(static_cast<int>(o.size())); }

Attributes perm_of(const Order& order) {
  Attributes attrs;
  attrs.set("perm", std::vector<int64_t>(order.begin(), order.end()));
  return attrs;
}

class Rewrite {
 public:
  Rewrite(Graph& graph, const Groups& groups, const Orders& orders, FoldBudget& left)
      : g_(graph), groups_(groups), orders_(orders), left_(left), forms_(graph.values.size()), aliases_(graph.values.size()) {
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      if (!groups_.dissolved[n]) continue;
      const ValueId v = g_.nodes[n].outputs[0];
      aliases_[static_cast<size_t>(groups_.sources[static_cast<size_t>(v)]->root)].push_back({v, static_cast<NodeId>(n)});
    }
  }

  void run() {
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      if (groups_.dissolved[n]) continue;
      Node node = g_.nodes[n];
      if (groups_.moves(static_cast<NodeId>(n))) move(static_cast<NodeId>(n), node);
      else if (node.op == &kShape && permuted(node.inputs[0])) read_shape(node);
      else {
        for (ValueId& v : node.inputs) v = as_written(v);
      }
      out_.push_back(std::move(node));
    }
    for (ValueId& v : g_.outputs) v = as_written(v);
    g_.nodes = std::move(out_);
  }

 private:
  struct Form {
    Order order;
    ValueId value;
  };
  struct Alias {
    ValueId value;
    NodeId made_by;
  };

  ValueId root(ValueId v) const {
    const auto& from = groups_.sources[static_cast<size_t>(v)];
    return from ? from->root : v;
  }
  int rank(ValueId v) const { return g_.value(v).type.shape.rank(); }
  ValueId add_value(const std::string& name, DType dtype, Shape shape) { return g_.add_value(name, {dtype, std::move(shape)}); }
  void emit(const OpDef& op, Attributes attrs, std::vector<ValueId> inputs, ValueId to, std::string name = {}) {
    out_.push_back({&op, std::move(name), std::move(attrs), std::move(inputs), {to}, {}});
  }
  ValueId axes(const std::string& name, const std::vector<int64_t>& list) { return g_.add_constant(name + ".axes", Tensor::ints(list)); }

  // ---- values in other orders ----

  std::vector<Form>& forms(ValueId r) {
    auto& all = forms_[static_cast<size_t>(r)];
    if (all.empty()) all.push_back({natural(rank(r)), r});
    return all;
  }
  // What is called as the file calls r in that order, where it does.
  ValueId named(ValueId r, const Order& order, std::string* node_name = nullptr) {
    if (is_natural(order)) return r;
    for (const Alias& a : aliases_[static_cast<size_t>(r)]) {
      if (groups_.sources[static_cast<size_t>(a.value)]->axes != order) continue;
      if (node_name != nullptr) *node_name = g_.node(a.made_by).name;
      return a.value;
    }
    Shape shape(std::vector<Dim>{});
    std::string name = g_.value(r).name + ".";
    for (int32_t a : order) {
      shape.push_back(g_.value(r).type.shape[a]);
      name += std::to_string(a);
    }
    return add_value(name, g_.value(r).type.dtype, std::move(shape));
  }

  Order without_ones(ValueId r, const Order& order) const {
    Order rest;
    std::copy_if(order.begin(), order.end(), std::back_inserter(rest), [&](int32_t a) { return !is_one(g_, r, a); });
    return rest;
  }

  // All axes of the root r in that order.
  ValueId in_order(ValueId r, const Order& order) {
    auto& there = forms(r);
    const Order counted = without_ones(r, order);
    const Form* from = &there.front();
    for (const Form& f : there) {
      if (f.order == order) return f.value;
      if (without_ones(r, from->order) != counted && without_ones(r, f.order) == counted) from = &f;
    }
    const Form source = *from;
    std::string name;
    const ValueId to = named(r, order, &name);
    if (without_ones(r, source.order) == counted) move_ones(r, source, order, to);
    else {
      const Order place = inverse(source.order);
      Order step;
      for (int32_t a : order) step.push_back(place[static_cast<size_t>(a)]);
      emit(kTranspose, perm_of(step), {source.value}, to, std::move(name));
    }
    forms_[static_cast<size_t>(r)].push_back({order, to});
    return to;
  }

  void move_ones(ValueId r, const Form& from, const Order& order, ValueId to) {
    auto ones = [&](const Order& o) {
      std::vector<int64_t> places;
      for (size_t i = 0; i < o.size(); ++i) {
        if (is_one(g_, r, o[i])) places.push_back(static_cast<int64_t>(i));
      }
      return places;
    };
    const std::string name = g_.value(to).name + ".dense";
    Shape dense(std::vector<Dim>{});
    for (int32_t a : without_ones(r, order)) dense.push_back(g_.value(r).type.shape[a]);
    const ValueId v = add_value(name, g_.value(r).type.dtype, std::move(dense));
    emit(kSqueeze, {}, {from.value, axes(name, ones(from.order))}, v);
    emit(kUnsqueeze, {}, {v, axes(g_.value(to).name, ones(order))}, to);
  }

  // v in that order of its axes, with extents of 1 where it has none.
  ValueId in_form(ValueId v, const Order& wanted) {
    if (g_.is_constant(v)) return constant_in_form(v, wanted);
    const ValueId r = root(v);
    Order order;
    for (int32_t a : wanted) {
      if (a != kNoAxis) order.push_back(r == v ? a : groups_.sources[static_cast<size_t>(v)]->axes[static_cast<size_t>(a)]);
    }
    return with_gaps(in_order(r, order), wanted);
  }
  ValueId with_gaps(ValueId v, const Order& wanted) {
    std::vector<int64_t> gaps;
    Shape shape(std::vector<Dim>{});
    int next = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i] == kNoAxis) gaps.push_back(static_cast<int64_t>(i));
      shape.push_back(wanted[i] == kNoAxis ? Dim(1) : g_.value(v).type.shape[next++]);
    }
    if (gaps.empty()) return v;
    const std::string name = g_.value(v).name + ".wide";
    const ValueId wide = add_value(name, g_.value(v).type.dtype, std::move(shape));
    emit(kUnsqueeze, {}, {v, axes(name, gaps)}, wide);
    return wide;
  }

  ValueId constant_in_form(ValueId v, const Order& wanted) {
    Order order;
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(order), [](int32_t a) { return a != kNoAxis; });
    if (order == wanted && is_natural(order)) return v;
    const auto [at, fresh] = constants_.emplace(std::pair(v, wanted), kNone);
    if (fresh) at->second = make_constant(v, order, wanted);
    return at->second;
  }
  ValueId make_constant(ValueId v, const Order& order, const Order& wanted) {
    Tensor t = g_.value(v).constant;
    const std::string name = g_.value(v).name + ".moved";
    if (!is_natural(order)) {
      const auto bytes = static_cast<int64_t>(t.bytes());
      auto moved = t.dtype() == DType::string || bytes > left_.bytes ? Result<std::vector<Tensor>>(unsupported("over budget"))
                                                                     : evaluate(kTranspose, perm_of(order), std::span(&t, 1), 1, {});
      if (!moved) {
        Shape shape(std::vector<Dim>{});
        for (int32_t a : order) shape.push_back(Dim(t.dims()[a]));
        const ValueId to = add_value(name, t.dtype(), std::move(shape));
        emit(kTranspose, perm_of(order), {v}, to);
        return with_gaps(to, wanted);
      }
      left_.bytes -= bytes;
      t = std::move(moved->front());
    }
    Dims dims;
    int next = 0;
    for (int32_t a : wanted) dims.push_back(a == kNoAxis ? 1 : t.dims()[next++]);
    return g_.add_constant(name, t.reshaped(dims));
  }

  ValueId as_written(ValueId v) {
    if (v == kNone || g_.is_constant(v) || groups_.group(v) == kNone) return v;
    return in_form(v, natural(rank(v)));
  }

  // ---- nodes ----

  ValueId operand(ValueId v, const Frame& frame, const Order& own, const Order& place) {
    if (own.empty()) return as_written(v);
    Order wanted(static_cast<size_t>(frame.rank), kNoAxis);
    bool ones = true;
    for (size_t i = 0; i < own.size(); ++i) {
      wanted[static_cast<size_t>(place[static_cast<size_t>(own[i])])] = static_cast<int32_t>(i);
      ones = ones && is_one(g_, v, static_cast<int>(i));
    }
    if (!frame.aligned) std::erase(wanted, kNoAxis);
    else if (ones && static_cast<int>(own.size()) < frame.rank) return as_written(v);
    else wanted.erase(wanted.begin(), std::find_if(wanted.begin(), wanted.end(), [](int32_t a) { return a != kNoAxis; }));
    return in_form(v, wanted);
  }

  void move(NodeId n, Node& node) {
    const Frame& frame = *groups_.frames[static_cast<size_t>(n)];
    const Order order = orders_.order(n), place = inverse(order);
    for (size_t i = 0; i < frame.in.size(); ++i) {
      if (node.inputs[i] != kNone) node.inputs[i] = operand(node.inputs[i], frame, frame.in[i], place);
    }
    for (size_t o = 0; o < frame.out.size(); ++o) {
      if (frame.out[o].empty()) continue;
      const ValueId v = node.outputs[o];
      Order own = natural(static_cast<int>(frame.out[o].size()));
      auto at = [&](int32_t a) { return place[static_cast<size_t>(frame.out[o][static_cast<size_t>(a)])]; };
      std::sort(own.begin(), own.end(), [&](int32_t a, int32_t b) { return at(a) < at(b); });
      node.outputs[o] = named(v, own);
      forms_[static_cast<size_t>(v)] = {{std::move(own), node.outputs[o]}};
    }
    const Rule& rule = *find_rule(*node.op);
    if (rule.rewrite != nullptr && !is_natural(order)) rule.rewrite(g_, node, frame, place);
  }

  bool permuted(ValueId v) {
    if (g_.is_constant(v) || groups_.group(v) == kNone) return false;
    const auto& there = forms(root(v));
    return in_natural_order(v, there.front().order) == false;
  }
  bool in_natural_order(ValueId v, const Order& lies) const {
    return root(v) == v ? is_natural(lies) : lies == groups_.sources[static_cast<size_t>(v)]->axes;
  }

  // The shape of what lies in another order, brought back to the one that is asked for: no reason to transpose.
  void read_shape(Node& node) {
    const ValueId v = node.inputs[0], r = root(v);
    const Form lies = forms(r).front();
    const Order place = inverse(lies.order);
    std::vector<int64_t> picked;
    const int rank_of = rank(v);
    const AttrReader attrs = node.read();
    auto clamp = [&](int64_t i) { return static_cast<int>(std::clamp<int64_t>(i < 0 ? i + rank_of : i, 0, rank_of)); };
    const int end = attrs.has("end") ? clamp(attrs.i("end")) : rank_of;
    for (int i = clamp(attrs.i("start")); i < end; ++i) {
      const int32_t a = r == v ? i : groups_.sources[static_cast<size_t>(v)]->axes[static_cast<size_t>(i)];
      picked.push_back(place[static_cast<size_t>(a)]);
    }
    const std::string name = g_.value(node.outputs[0]).name;
    const ValueId shape = add_value(name + ".lies", DType::i64, Shape{Dim(rank_of)});
    g_.value(shape).ints = g_.value(lies.value).type.shape.dims();
    emit(kShape, {}, {lies.value}, shape);
    node.op = &kGather;
    node.attrs = {};
    node.inputs = {shape, g_.add_constant(name + ".picked", Tensor::ints(picked))};
  }

  Graph& g_;
  const Groups& groups_;
  const Orders& orders_;
  FoldBudget& left_;
  std::vector<std::vector<Form>> forms_;     // of roots: how it lies, then what was made of that
  std::vector<std::vector<Alias>> aliases_;  // of roots: outputs of Transposes that went
  std::map<std::pair<ValueId, Order>, ValueId> constants_;
  std::vector<Node> out_;
};

}  // namespace
}  // namespace transposes

void move_transposes(Graph& graph, FoldBudget& left) {
  for (Graph& g : graph.subgraphs) move_transposes(g, left);
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& n) { return n.op == &kTranspose; })) return;
  transposes::Groups groups(graph);
  if (std::find(groups.dissolved.begin(), groups.dissolved.end(), true) == groups.dissolved.end()) return;
  const transposes::Orders orders(graph, groups);
  transposes::Rewrite(graph, groups, orders, left).run();
}

}  // namespace tern
