// See frames.h. A region is a function in the making, or the graph itself. What a region reads is looked up edge by edge, from a list of work, so that
// nothing recurses: an edge of the old graph becomes one of the region, which may put a new If or While into it, whose functions are regions in turn.
#include "loaders/tensorflow/run/frames.h"

#include <deque>
#include <optional>
#include <set>

#include "loaders/tensorflow/graph/program.h"
#include "loaders/tensorflow/run/conditions.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

using tensorflow_pb::NodeDef;

struct Region;

// A node in a region, with functions that take the same arguments.
struct Control {
  Region* in;
  int32_t node;
  NodeDef* def;
  size_t own = 0;                            // inputs before the arguments
  std::map<Edge, int32_t> arguments = {};    // by the edge of the old graph that the functions read
  std::vector<Region*> functions = {};       // of a loop: the condition, the body; of a branch: the true one, the false one
  std::vector<std::string> attributes = {};  // that name them
  std::optional<std::string> frame = {};     // of a loop
  std::map<Edge, int32_t> outputs = {};      // of a branch
};

struct Region {
  Index made;
  Control* of = nullptr;  // null: the graph itself
  int depth = 0;
  int32_t loop = -1;                        // a function of the loop with this LoopCond
  int32_t chain = Conditions::kAlways;      // a branch: of this side
  std::unordered_map<int32_t, int32_t> at;  // nodes of the old graph
  std::map<int32_t, Control*> loops = {};   // by LoopCond
  std::map<Conditions::Joined, Control*> branches = {};

  bool branch() const { return of != nullptr && loop < 0; }
};

class Frames {
 public:
  Frames(const Index& graph, const Conditions& conditions, Functions& functions) : graph_(graph), conditions_(conditions), functions_(functions) {}

  Result<Index> run(std::vector<Edge>& wanted) {
    Region& top = regions_.emplace_back();
    top.made = graph_;
    for (Edge& e : wanted) {
      if (e.node != Edge::kMissing) e = edge(top, e);
    }
    constexpr size_t kMostWork = size_t(1) << 20;
    for (size_t done = 0; !work_.empty() && status_.ok(); ++done) {
      if (done == kMostWork) return unsupported("its branches and loops have too many nodes");
      const Work w = work_.back();
      work_.pop_back();
      const Edge e = edge(*w.region, w.from);
      (w.node < 0 ? w.region->made.returns() : w.region->made.inputs(w.node))[w.slot] = e;
    }
    if (!status_.ok()) return status_.error();
    finish();
    return std::move(top.made);
  }

 private:
  // A place in a region that takes what an edge of the old graph becomes there.
  struct Work {
    Region* region;
    int32_t node;  // -1: what it returns
    size_t slot;
    Edge from;
  };
  void later(Region& r, int32_t node, size_t slot, Edge from) {
    auto& list = node < 0 ? r.made.returns() : r.made.inputs(node);
    if (list.size() <= slot) list.resize(slot + 1);
    work_.push_back({&r, node, slot, from});
  }

  const FileNode& def(Edge e) const { return graph_.node(e.node); }
  std::string quoted(int32_t node) const { return "'" + printable(graph_.node(node).name(), 120) + "'"; }
  Edge fail(const Error& error) {
    if (status_.ok()) status_ = error;
    return {};
  }
  // Input i of a node, of what `op` calls.
  Edge input(int32_t node, size_t i) {
    const auto& inputs = graph_.inputs(node);
    if (i < inputs.size() && inputs[i].output != Edge::kControl && inputs[i].node != Edge::kMissing) return inputs[i];
    return fail(invalid("node " + quoted(node) + " (" + printable(graph_.node(node).op(), 40) + ") has no input " + std::to_string(i)));
  }

  Edge edge(Region& r, Edge e) {
    if (!status_.ok() || e.node == Edge::kMissing) return {};
    if (e.argument()) return r.of == nullptr ? e : argument(r, e, e);
    if (r.branch() && !conditions_.within(conditions_.at(e), r.chain)) return argument(r, e, e);
    const FileNode& d = def(e);
    if (is_op(d, "Switch") && r.branch()) {
      const Edge condition = graph_.behind(input(e.node, 1));
      const Conditions::Chain& own = conditions_.chain(r.chain);
      if (conditions_.at(e) == r.chain && condition == own.condition) return argument(r, e, input(e.node, 0));
    }
    if (r.loop >= 0) {
      if (is_op(d, "Switch") && loop_of(e.node) == r.loop) {
        if (e.output != 1) return fail(invalid("node " + quoted(e.node) + " gives what leaves the loop to the loop itself"));
        return variable(r, input(e.node, 0));
      }
      if (is_op(d, "Merge") && conditions_.is_variable(e.node)) return variable(r, e);
      if (is_op(d, "Enter")) return entered(r, e);
    }
    if (is_op(d, "Exit")) return left(r, e);
    for (const char* op : {"Enter", "NextIteration", "LoopCond"}) {
      if (is_op(d, op))
        return fail(invalid("node " + quoted(e.node) + " (" + printable(d.op(), 40) + ") belongs to no loop that ends, or to another loop"));
    }
    if (is_op(d, "Merge") && conditions_.is_variable(e.node)) return fail(invalid("node " + quoted(e.node) + " is read from outside of its loop"));
    if (is_op(d, "Merge")) {
      if (const auto* joined = conditions_.joined(e.node)) return chosen(r, e, *joined);
    }
    return {plain(r, e.node), e.output};
  }

  int32_t plain(Region& r, int32_t node) {
    const auto [at, fresh] = r.at.try_emplace(node, node);
    if (!fresh) return at->second;
    if (r.of != nullptr) at->second = r.made.add(graph_.node(node));
    const auto& inputs = graph_.inputs(node);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].output != Edge::kControl) later(r, at->second, i, inputs[i]);
    }
    return at->second;
  }

  // What the functions of a control node read as `key`, and the region around it gives as `from`.
  Edge argument(Region& r, Edge key, Edge from) {
    Control& c = *r.of;
    const auto [at, fresh] = c.arguments.try_emplace(key, static_cast<int32_t>(c.arguments.size()));
    if (!fresh) return {-1 - at->second, 0};
    const auto k = static_cast<size_t>(at->second);
    later(*c.in, c.node, c.own + k, from);
    if (c.frame) {  // the body leaves it alone, unless it is a variable
      auto& returns = c.functions[1]->made.returns();
      if (returns.size() <= k) returns.resize(k + 1);
      returns[k] = {-1 - at->second, 0};
    }
    return {-1 - at->second, 0};
  }

  int32_t loop_of(int32_t node) const {  // the LoopCond of a Switch
    const auto& inputs = graph_.inputs(node);
    const Edge condition = inputs.size() > 1 ? graph_.behind(inputs[1]) : Edge();
    return condition.node >= 0 && is_op(def(condition), "LoopCond") ? condition.node : -1;
  }

  bool of_frame(Control& loop, int32_t enter) {
    const auto name = graph_.node(enter).attribute("frame_name");
    const std::string frame = name != nullptr ? name->s() : "";
    if (loop.frame->empty()) loop.frame = frame;
    if (*loop.frame == frame) return true;
    fail(invalid("node " + quoted(enter) + " enters the frame '" + printable(frame, 80) + "' inside of '" + printable(*loop.frame, 80) + "'"));
    return false;
  }
  Edge entered(Region& r, Edge e) {
    const auto constant = def(e).attribute("is_constant");
    if (constant == nullptr || !constant->b())
      return fail(invalid("node " + quoted(e.node) + " enters a loop, but neither as a constant nor as a variable"));
    return of_frame(*r.of, e.node) ? argument(r, e, input(e.node, 0)) : Edge();
  }

  // A Merge of the loop.
  Edge variable(Region& r, Edge merge) {
    if (!status_.ok()) return {};
    Control& loop = *r.of;
    if (const auto known = loop.arguments.find(merge); known != loop.arguments.end()) return {-1 - known->second, 0};
    const auto wrong = [&] {
      return fail(invalid("node " + quoted(merge.node) + " is no variable of a loop: a Merge of what enters and what comes back"));
    };
    if (merge.node < 0 || merge.output != 0 || !is_op(def(merge), "Merge"))
      return merge.node < 0 ? fail(invalid("a loop has a variable that is an argument")) : wrong();
    Edge enter, next;
    size_t inputs = 0;
    for (const Edge& e : graph_.inputs(merge.node)) {
      if (e.node < 0 || e.output == Edge::kControl) continue;
      if (is_op(def(e), "Enter")) enter = e;
      if (is_op(def(e), "NextIteration")) next = e;
      ++inputs;
    }
    if (enter.node < 0 || next.node < 0 || inputs != 2) return wrong();
    if (!of_frame(loop, enter.node)) return {};
    const Edge a = argument(r, merge, input(enter.node, 0));
    later(*loop.functions[1], -1, static_cast<size_t>(a.argument_number()), input(next.node, 0));
    return a;
  }

  Region& function(Control& c, const char* attribute, int32_t loop, int32_t chain) {
    Region& r = regions_.emplace_back();
    r.of = &c;
    r.depth = c.in->depth + 1;
    r.loop = loop;
    r.chain = chain;
    c.functions.push_back(&r);
    c.attributes.emplace_back(attribute);
    constexpr size_t kMostFunctions = size_t(1) << 13;
    if (regions_.size() > kMostFunctions) fail(unsupported("it has more than " + std::to_string(kMostFunctions / 2) + " branches and loops"));
    if (r.depth > Program::kMostDepth) {
      fail(unsupported("branches and loops lie more than " + std::to_string(Program::kMostDepth) + " deep in each other"));
    }
    return r;
  }
  Control& control(Region& r, const char* op, std::string_view name, size_t own) {
    NodeDef& d = functions_.add_node();
    d.set_op(op);
    d.set_name(std::string(name));
    return controls_.emplace_back(Control{&r, r.made.add(FileNode(d)), &d, own});
  }

  // What a loop leaves behind.
  Edge left(Region& r, Edge e) {
    const Edge sent = input(e.node, 0);
    if (!status_.ok()) return {};
    const int32_t condition = sent.node < 0 || !is_op(def(sent), "Switch") ? -1 : loop_of(sent.node);
    if (condition < 0 || sent.output != 0) return fail(invalid("node " + quoted(e.node) + " (Exit) leaves no loop"));
    for (const Region* around = &r; around != nullptr; around = around->of == nullptr ? nullptr : around->of->in) {
      if (around->loop == condition) return fail(invalid("the loop of " + quoted(condition) + " depends on what it leaves behind"));
    }
    Control*& loop = r.loops[condition];
    if (loop == nullptr) {
      loop = &control(r, "While", graph_.node(condition).name(), 0);
      loop->frame = "";
      Region& test = function(*loop, "cond", condition, Conditions::kAlways);
      function(*loop, "body", condition, Conditions::kAlways);
      later(test, -1, 0, input(condition, 0));
    }
    const Edge a = variable(*loop->functions[1], input(sent.node, 0));
    return status_.ok() ? Edge{loop->node, a.argument_number()} : Edge();
  }

  // What a Merge of branches gives, or (output 1) which one.
  Edge chosen(Region& r, Edge e, const Conditions::Joined& joined) {
    if (e.output != 0 && e.output != 1) return fail(invalid("output " + std::to_string(e.output) + " is read of a Merge"));
    Control*& branch = r.branches[joined];
    if (branch == nullptr) {
      branch = &control(r, "If", graph_.node(e.node).name(), 1);
      later(r, branch->node, 0, conditions_.chain(joined.yes).condition);
      function(*branch, "then_branch", -1, joined.yes);
      function(*branch, "else_branch", -1, joined.no);
    }
    const auto [at, fresh] = branch->outputs.try_emplace(e, static_cast<int32_t>(branch->outputs.size()));
    for (size_t k = 0; k < 2 && fresh; ++k) {
      const size_t i = k == 0 ? joined.yes_input : 1 - joined.yes_input;
      Region& side = *branch->functions[k];
      if (e.output == 0) later(side, -1, static_cast<size_t>(at->second), input(e.node, i));
      if (e.output == 1) side.made.returns().push_back({side.made.add(FileNode(number(i))), 0});
    }
    return {branch->node, at->second};
  }
  const NodeDef& number(size_t i) {
    NodeDef& d = functions_.add_node();
    d.set_op("Const");
    d.set_name("value_index");
    auto& attr = *d.add_attr();
    attr.set_key("value");
    auto& tensor = *attr.mutable_value()->mutable_tensor();
    tensor.set_dtype(3);  // int32
    tensor.mutable_shape();
    tensor.add_int_val(static_cast<int32_t>(i));
    return d;
  }

  // Functions get their names.
  void finish() {
    for (Control& c : controls_) {
      for (size_t k = 0; k < c.functions.size(); ++k) {
        Index& made = c.functions[k]->made;
        made.take_arguments(c.arguments.size());
        auto& attr = *c.def->add_attr();
        attr.set_key(c.attributes[k]);
        attr.mutable_value()->mutable_func()->set_name(functions_.add(c.def->name() + " " + c.attributes[k], std::move(made)));
      }
    }
  }

  const Index& graph_;
  const Conditions& conditions_;
  Functions& functions_;
  std::deque<Region> regions_;
  std::deque<Control> controls_;
  std::vector<Work> work_;
  Status status_;
};

}  // namespace

Result<Index> without_frames(const Index& graph, std::vector<Edge>& wanted, Functions& functions) {
  auto conditions = Conditions::of(graph, wanted);
  if (!conditions) return conditions.error();
  return Frames(graph, *conditions, functions).run(wanted);
}

}  // namespace tern::tensorflow
