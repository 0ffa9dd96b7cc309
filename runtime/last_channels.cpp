// See last_channels.h.
#include "runtime/last_channels.h"

#include <string_view>

namespace tern {
namespace {

bool is(const Node& node, std::string_view op) { return op == node.op->name; }
bool is_integer_conv(const Node& node) { return is(node, "QLinearConv"); }
bool is_pair(const Node& node) { return is(node, "QuantizedAdd") || is(node, "QuantizedMul"); }
bool is_map(const Node& node) { return is(node, "Lookup8") || is(node, "Clip") || is(node, "QuantizedMean"); }

class Turner {
 public:
  explicit Turner(Graph& graph)
      : graph_(graph), last_(graph.values.size(), kNone), wanted_(graph.values.size(), false), plain_(graph.values.size(), true) {}

  void run() {
    bool any = false;
    for (const Node& node : graph_.nodes) any = any || is_integer_conv(node);
    if (!any) return;
    for (size_t n = graph_.nodes.size(); n-- > 0;) want(graph_.nodes[n]);
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      if (!turned(node)) keep(std::move(node));
    }
    for (ValueId v : graph_.outputs) make_plain(v);
  }

 private:
  const Shape& shape(ValueId v) const { return graph_.value(v).type.shape; }
  bool is_map_of_bytes(ValueId v) const {
    const DType t = graph_.value(v).type.dtype;
    return (t == DType::u8 || t == DType::i8) && shape(v).known() && shape(v).rank() >= 3 && shape(v).rank() <= 5;
  }
  // The operands of a node that may have their channels last, if it has a form for them.
  size_t operands(const Node& node) const {
    if (is_integer_conv(node) || is_map(node)) return 1;
    if (is(node, "MaxPool")) return node.outputs.size() == 1 && shape(node.inputs[0]).rank() == 4 && node.read().i("storage_order") == 0 ? 1 : 0;
    if (is(node, "Concat")) return node.read().i("axis") == 1 ? node.inputs.size() : 0;
    return is_pair(node) ? 2 : 0;
  }
  ValueId operand(const Node& node, size_t i) const { return node.inputs[is_pair(node) ? 3 * i : i]; }

  // Readers come before: a convolution wants its input so, the others when their own readers do.
  void want(const Node& node) {
    if (node.outputs.size() != 1 || node.outputs[0] == kNone || !is_map_of_bytes(node.outputs[0])) return;
    if (!is_integer_conv(node) && !wanted_[static_cast<size_t>(node.outputs[0])]) return;
    for (size_t i = 0; i < operands(node); ++i) {
      if (const ValueId v = operand(node, i); v != kNone) wanted_[static_cast<size_t>(v)] = true;
    }
  }

  static Shape channels_last(const Shape& s) {
    std::vector<Dim> dims(s.dims().begin(), s.dims().end());
    dims.push_back(dims[1]);
    dims.erase(dims.begin() + 1);
    return Shape(std::move(dims));
  }
  ValueId new_last(ValueId v) {
    const Value& plain = graph_.value(v);
    const ValueId made = graph_.add_value(plain.name + ".last", {plain.type.dtype, channels_last(plain.type.shape), plain.type.kind});
    last_[static_cast<size_t>(v)] = made;
    plain_[static_cast<size_t>(v)] = false;
    return made;
  }
  bool has_last(ValueId v) const { return v != kNone && static_cast<size_t>(v) < last_.size() && last_[static_cast<size_t>(v)] != kNone; }

  // Pushes the form of `node` that reads or gives channels last; false when it has none here.
  bool turned(Node& node) {
    if (node.outputs.size() != 1 || node.outputs[0] == kNone || !is_map_of_bytes(node.outputs[0])) return false;
    const size_t n = operands(node);
    bool all = n > 0;
    for (size_t i = 0; i < n; ++i) all = all && has_last(operand(node, i));
    if (is_integer_conv(node)) return turn_conv(node);
    if (!all) return false;
    Node made = node;
    for (size_t i = 0; i < n; ++i) made.inputs[is_pair(node) ? 3 * i : i] = last_[static_cast<size_t>(operand(node, i))];
    if (is(node, "QuantizedMean")) made.attrs.set("channels_last", int64_t(1));
    if (is(node, "Concat")) made.attrs.set("axis", int64_t(shape(node.outputs[0]).rank() - 1));
    if (is(node, "MaxPool")) {
      made.op = find_op("MaxPoolLast");
      made.attrs.erase("storage_order");
    }
    made.outputs = {new_last(node.outputs[0])};
    graph_.nodes.push_back(std::move(made));
    return true;
  }
  bool turn_conv(Node& node) {
    const bool x = has_last(node.inputs[0]), y = wanted_[static_cast<size_t>(node.outputs[0])];
    if (!x && !y) return false;
    Node made = node;
    made.op = find_op("FusedQLinearConv");
    made.attrs.set("channels_last", int64_t(x) + 2 * int64_t(y));
    if (x) made.inputs[0] = last_[static_cast<size_t>(node.inputs[0])];
    else make_plain(node.inputs[0]);
    if (y) made.outputs = {new_last(node.outputs[0])};
    graph_.nodes.push_back(std::move(made));
    return true;
  }

  void keep(Node node) {
    for (ValueId v : node.inputs) make_plain(v);
    graph_.nodes.push_back(std::move(node));
  }
  // v as it was, for readers from here on.
  void make_plain(ValueId v) {
    if (v == kNone || static_cast<size_t>(v) >= plain_.size() || plain_[static_cast<size_t>(v)]) return;
    plain_[static_cast<size_t>(v)] = true;
    const int rank = shape(v).rank();
    std::vector<int64_t> perm = {0, rank - 1};
    for (int64_t i = 1; i < rank - 1; ++i) perm.push_back(i);
    Node back{find_op("Transpose"), "", {}, {last_[static_cast<size_t>(v)]}, {v}, {}};
    back.attrs.set("perm", perm);
    graph_.nodes.push_back(std::move(back));
  }

  Graph& graph_;
  std::vector<ValueId> last_;  // of values that were there: the same with its channels last
  std::vector<bool> wanted_;   // some reader takes it so
  std::vector<bool> plain_;    // it is there as it was
};

}  // namespace

void last_channels(Graph& graph) { Turner(graph).run(); }

}  // namespace tern
