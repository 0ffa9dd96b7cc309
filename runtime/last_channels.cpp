// See last_channels.h.
#include "runtime/last_channels.h"

#include <algorithm>

#include "kernels/movement/movement.h"
#include "runtime/layout_query.h"

namespace tern {
namespace {

class Turner {
 public:
  explicit Turner(Graph& graph)
      : graph_(graph), last_(graph.values.size(), kNone), wanted_(graph.values.size(), false), plain_(graph.values.size(), true) {}

  void run() {
    forms_.reserve(graph_.nodes.size());
    for (const Node& node : graph_.nodes) forms_.push_back(form(node));
    if (std::none_of(forms_.begin(), forms_.end(), [](const auto& f) { return f && f->apart; })) return;
    for (size_t n = graph_.nodes.size(); n-- > 0;) want(graph_.nodes[n], forms_[n]);
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (size_t n = 0; n < nodes.size(); ++n) turn(std::move(nodes[n]), std::move(forms_[n]));
    for (ValueId v : graph_.outputs) make_plain(v);
  }

 private:
  const Shape& shape(ValueId v) const { return graph_.value(v).type.shape; }
  bool is_map_of_bytes(ValueId v) const {
    const DType t = graph_.value(v).type.dtype;
    return (t == DType::u8 || t == DType::i8) && shape(v).known() && shape(v).rank() >= 3 && shape(v).rank() <= 5;
  }
  // What the operator says of this node, if what it gives may have its channels last.
  std::optional<LastForm> form(const Node& node) const {
    if (node.op->channels_last == nullptr || node.outputs.size() != 1 || node.outputs[0] == kNone || !is_map_of_bytes(node.outputs[0]))
      return std::nullopt;
    return node.op->channels_last(layout_query(graph_, node));
  }

  // Readers come before: who can have one side so without the other wants its input so, the others when their own readers do.
  void want(const Node& node, const std::optional<LastForm>& form) {
    if (!form || (!form->apart && !wanted_[static_cast<size_t>(node.outputs[0])])) return;
    for (size_t i : form->takes) wanted_[static_cast<size_t>(node.inputs[i])] = true;
  }

  static Shape channels_last(const Shape& s) {
    std::vector<Dim> dims(s.dims().begin(), s.dims().end());
    std::rotate(dims.begin() + 1, dims.begin() + 2, dims.end());
    return Shape(std::move(dims));
  }
  ValueId new_last(ValueId v) {
    const Value& plain = graph_.value(v);
    const ValueId made = graph_.add_value(plain.name + ".last", {plain.type.dtype, channels_last(plain.type.shape), plain.type.kind});
    last_[static_cast<size_t>(v)] = made;
    plain_[static_cast<size_t>(v)] = false;
    return made;
  }
  bool has_last(ValueId v) const { return static_cast<size_t>(v) < last_.size() && last_[static_cast<size_t>(v)] != kNone; }

  // Pushes the form of `node` that reads or gives channels last; as it was when it has none here.
  void turn(Node node, std::optional<LastForm> form) {
    const bool x = form && std::all_of(form->takes.begin(), form->takes.end(), [&](size_t i) { return has_last(node.inputs[i]); });
    const bool y = form && (form->apart ? wanted_[static_cast<size_t>(node.outputs[0])] : x);
    if (x || y) {
      node.op = form->op;
      node.attrs = std::move(form->attrs);
      if (form->apart) node.attrs.set("channels_last", (x ? kLastX : 0) + (y ? kLastY : 0));
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      ValueId& v = node.inputs[i];
      if (x && std::find(form->takes.begin(), form->takes.end(), i) != form->takes.end()) v = last_[static_cast<size_t>(v)];
      else make_plain(v);
    }
    if (y) node.outputs = {new_last(node.outputs[0])};
    graph_.nodes.push_back(std::move(node));
  }

  // v as it was, for readers from here on.
  void make_plain(ValueId v) {
    if (v == kNone || static_cast<size_t>(v) >= plain_.size() || plain_[static_cast<size_t>(v)]) return;
    plain_[static_cast<size_t>(v)] = true;
    const int rank = shape(v).rank();
    std::vector<int64_t> perm = {0, rank - 1};
    for (int64_t i = 1; i < rank - 1; ++i) perm.push_back(i);
    Node back{&kTranspose, "", {}, {last_[static_cast<size_t>(v)]}, {v}, {}};
    back.attrs.set("perm", perm);
    graph_.nodes.push_back(std::move(back));
  }

  Graph& graph_;
  std::vector<std::optional<LastForm>> forms_;  // of the nodes as they were
  std::vector<ValueId> last_;                   // of values that were there: the same with its channels last
  std::vector<bool> wanted_;                    // some reader takes it so
  std::vector<bool> plain_;                     // it is there as it was
};

}  // namespace

void last_channels(Graph& graph) { Turner(graph).run(); }

}  // namespace tern
