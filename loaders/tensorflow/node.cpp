// See node.h.
#include "loaders/tensorflow/node.h"

#include <unordered_map>

#include "loaders/tensorflow/graph/types.h"
#include "loaders/tensorflow/ops/operator.h"
#include "runtime/base/printable.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {
namespace {

// TensorFlow's number of a dtype.
int number_of(DType dtype) {
  for (int n = 1; n < 30; ++n) {
    auto known = dtype_of(n);
    if (known && *known == dtype) return n;
  }
  return 0;
}

struct Writer {
  tensorflow_pb::AttrValue& to;
  void operator()(int64_t v) const { to.set_i(v); }
  void operator()(double v) const { to.set_f(static_cast<float>(v)); }
  void operator()(bool v) const { to.set_b(v); }
  void operator()(const std::string& v) const { to.set_s(v); }
  void operator()(DType v) const { to.set_type(number_of(v)); }
  void operator()(const std::vector<int64_t>& v) const {
    to.mutable_list();
    for (int64_t n : v) to.mutable_list()->add_i(n);
  }
  void operator()(const std::vector<double>& v) const {
    for (double n : v) to.mutable_list()->add_f(static_cast<float>(n));
  }
  void operator()(const std::vector<std::string>& v) const {
    for (const std::string& text : v) to.mutable_list()->add_s(text);
  }
};

// The values of a graph in the making, and what each is in the graph that it moves to.
class Move {
 public:
  Move(GraphBuilder& to, Builder& from) : to_(to), from_(from) {}

  ValueId in(ValueId v) {
    if (v == kNone) return kNone;
    const Tensor* constant = to_.contents(v);
    const ValueId here = constant != nullptr ? from_.constant(*constant) : from_.input("input " + std::to_string(moved_.size()), to_.type(v));
    if (here != kNone) from_.graph.value(here).ints = to_.graph.value(v).ints;
    moved_[here] = v;
    return here;
  }
  void nodes() {
    for (const Node& node : from_.graph.nodes) {
      if (!node.subgraphs.empty()) to_.fail(unsupported("an operator that becomes a loop is not supported here"));
      std::vector<ValueId> inputs;
      for (ValueId v : node.inputs) inputs.push_back(out(v));
      if (!to_.ok()) return;
      const std::vector<ValueId> made = to_.emit(node.op->name, std::move(inputs), node.attrs, node.outputs.size());
      for (size_t i = 0; i < made.size(); ++i) moved_[node.outputs[i]] = made[i];
    }
  }
  ValueId out(ValueId v) {
    if (v == kNone) return kNone;
    if (const auto at = moved_.find(v); at != moved_.end()) return at->second;
    return moved_[v] = to_.constant(from_.graph.value(v).constant);
  }

 private:
  GraphBuilder& to_;
  Builder& from_;
  std::unordered_map<ValueId, ValueId> moved_;
};

}  // namespace

std::vector<NodeTensor> add_node(GraphBuilder& b, const NodeCall& call) {
  if (!b.ok()) return {};
  const Operator* op = find_operator(call.op);
  if (op == nullptr)
    return b.fail(unsupported("TensorFlow's operator " + printable(call.op, 80) + " is not supported here")), std::vector<NodeTensor>();
  tensorflow_pb::NodeDef def;
  def.set_op(call.op);
  def.set_name(call.name.empty() ? call.op : call.name);
  for (const auto& [name, value] : call.attributes) {
    auto* attr = def.add_attr();
    attr->set_key(name);
    std::visit(Writer{*attr->mutable_value()}, value);
  }
  constexpr int64_t kBudget = int64_t(1) << 30;  // of constants that lie in a file, of which there are none
  Program program(Source(), kBudget);
  Builder part(program);
  part.graph.next_symbol = b.graph.next_symbol;
  Move move(b, part);
  Values inputs;
  for (const NodeTensor& t : call.inputs) inputs.push_back(Value::complex(move.in(t.value), move.in(t.imaginary)));
  part.exchange_place({&def.name(), &def.op()});
  tensorflow::Call c(part, def, std::move(inputs));
  const Values made = op->apply(c);
  if (!part.ok()) return b.fail(part.status().error()), std::vector<NodeTensor>();
  b.graph.next_symbol = part.graph.next_symbol;
  move.nodes();
  std::vector<NodeTensor> out;
  for (const Value& v : made) {
    if (v.id() == kNone) b.fail(unsupported("TensorFlow's operator " + call.op + " makes " + v.kind() + ", which is not supported here"));
    out.emplace_back(move.out(v.id()), move.out(v.imaginary()));
  }
  return b.ok() ? out : std::vector<NodeTensor>();
}

}  // namespace tern::tensorflow
