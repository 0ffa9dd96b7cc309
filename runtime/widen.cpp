// See widen.h. One pass in topological order.
#include "runtime/widen.h"

#include <algorithm>

#include "kernels/dtype_code.h"
#include "kernels/evaluate.h"
#include "runtime/base/sealed.h"
#include "runtime/infer_shapes.h"

namespace tern {
namespace {

bool narrow(DType t) { return t == DType::f16 || t == DType::bf16; }

template <size_t N>
bool among(const std::string_view (&names)[N], const OpDef& op) {
  return std::find(std::begin(names), std::end(names), op.name) != std::end(names);
}
// These move, compare or round elements: they have nothing to gain in f32, or are about the element and not about the number.
constexpr std::string_view kStay[] = {
    "ArgMax",    "ArgMin",  "BitCast",         "Cast",           "CastLike", "Ceil",     "CenterCropPad", "Compress",
    "Concat",    "Dropout", "DepthToSpace",    "Equal",          "Expand",   "Flatten",  "Floor",         "Gather",
    "GatherND",  "Greater", "GreaterOrEqual",  "GatherElements", "Hardmax",  "Identity", "IsInf",         "IsNaN",
    "Less",      "Mod",     "LessOrEqual",     "NonZero",        "Pad",      "Reshape",  "Round",         "QuantizeLinear",
    "ScatterND", "Sign",    "ReverseSequence", "Slice",          "Split",    "Squeeze",  "SpaceToDepth",  "ScatterElements",
    "Tile",      "TopK",    "Transpose",       "Trilu",          "Unique",   "Where",    "Unsqueeze"};

bool has_f32(const OpDef& op) {
  return std::any_of(op.kernels.begin(), op.kernels.end(), [](const KernelRow* row) { return row->dtype == DType::f32; });
}

class Widening {
 public:
  explicit Widening(Graph& graph) : graph_(graph), read_(graph.values.size(), kNone) {}

  Status run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      if (wants(node)) {
        if (Status s = widen_node(node); !s) return s;
      }
      graph_.nodes.push_back(std::move(node));
      for (auto [from, to] : casts_) add_cast(from, to);
      casts_.clear();
    }
    return {};
  }

 private:
  DType dtype(ValueId v) const { return v == kNone ? DType::none : graph_.value(v).type.dtype; }
  bool is_narrow(ValueId v) const { return narrow(dtype(v)) && graph_.value(v).type.kind == ValueKind::tensor; }
  // Contents that bind must know stay what they are.
  bool takes(const Node& node, size_t i) const { return is_narrow(node.inputs[i]) && !node.op->value_inputs.has(i); }

  bool wants(const Node& node) const {
    bool any = false;
    for (size_t i = 0; i < node.inputs.size(); ++i) any = any || takes(node, i);
    return any && !among(kStay, *node.op) && has_f32(*node.op);
  }

  // Reads and gives f32, if then its outputs that were narrow are f32 and the others what they were; else it stays.
  Status widen_node(Node& node) {
    Node wide = node;
    for (size_t i = 0; i < wide.inputs.size(); ++i) {
      if (!takes(node, i)) continue;
      auto v = as_f32(wide.inputs[i]);
      if (!v) return v.error();
      wide.inputs[i] = *v;
    }
    auto types = infer_types(graph_, wide);
    if (!types) return {};
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      const ValueId v = node.outputs[o];
      if (v != kNone && (*types)[o].dtype != (is_narrow(v) ? DType::f32 : dtype(v))) return {};
    }
    for (ValueId& v : wide.outputs) {
      if (!is_narrow(v)) continue;
      const ValueId f32 = new_f32(v);
      casts_.emplace_back(f32, v);
      v = f32;
    }
    node = std::move(wide);
    return {};
  }

  // `v` in f32.
  Result<ValueId> as_f32(ValueId v) {
    const auto at = static_cast<size_t>(v);
    if (read_[at] != kNone) return read_[at];
    if (graph_.is_constant(v)) {
      auto f32 = widened(graph_.value(v).constant);
      if (!f32) return f32.error();
      read_[at] = graph_.add_constant(graph_.value(v).name, std::move(*f32));
      grow();
    } else {
      read_[at] = new_f32(v);
      add_cast(v, read_[at]);
    }
    return read_[at];
  }
  static Result<Tensor> widened(const Tensor& t) {
    Attributes to;
    to.set("to", int64_t(code_of(DType::f32)));
    auto f32 = evaluate(*find_op("Cast"), to, std::vector<Tensor>{t}, 1, {.isa = best_isa()});
    if (!f32) return f32.error();
    return sealed(std::move((*f32)[0]));
  }

  ValueId new_f32(ValueId like) {
    const Value& from = graph_.value(like);
    const ValueId v = graph_.add_value(from.name + ":f32", {DType::f32, from.type.shape});
    grow();
    return v;
  }
  void grow() { read_.resize(graph_.values.size(), kNone); }
  void add_cast(ValueId from, ValueId to) {
    Node node;
    node.op = find_op("Cast");
    node.attrs.set("to", int64_t(code_of(dtype(to))));
    node.inputs = {from};
    node.outputs = {to};
    graph_.nodes.push_back(std::move(node));
  }

  Graph& graph_;
  std::vector<ValueId> read_;                       // of each narrow value: the f32 that it is cast to
  std::vector<std::pair<ValueId, ValueId>> casts_;  // to come behind the node at hand
};

}  // namespace

Status widen(Graph& graph) {
  for (Graph& g : graph.subgraphs) {
    if (Status s = widen(g); !s) return s;
  }
  const bool any = std::any_of(graph.values.begin(), graph.values.end(), [](const Value& v) { return narrow(v.type.dtype); });
  return any ? Widening(graph).run() : Status();
}

}  // namespace tern
