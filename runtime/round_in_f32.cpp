// See round_in_f32.h. One pass backwards (who would read f32), one forwards; then bounds, then epilogues.
#include "runtime/round_in_f32.h"

#include <algorithm>
#include <string_view>

#include "kernels/dtype_code.h"
#include "kernels/epilogue.h"
#include "runtime/base/half.h"
#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"
#include "runtime/infer_shapes.h"
#include "runtime/layout_query.h"
#include "runtime/simplify.h"

namespace tern {
namespace {

// These give one of the elements that they read, or the same with another sign.
constexpr std::string_view kPicks[] = {"Abs", "GlobalMaxPool", "Max", "MaxPool", "Min", "Neg", "Relu"};

// Does it only move elements, of any dtype, and zeros, which 16 bits hold?
bool moves(const Node& node) { return node.op->moves_data || std::string_view(node.op->name) == "Pad"; }
bool is_16_bits(DType t) { return t == DType::f16 || t == DType::bf16; }
float rounded_to(DType t, float x) { return t == DType::f16 ? to_f32(to_f16(x)) : to_f32(to_bf16(x)); }
bool is_round(const Node& node) {
  const std::string_view name = node.op->name;
  return name == "RoundF16" || name == "RoundBF16";
}

class Narrowed {
 public:
  explicit Narrowed(Graph& graph)
      : g_(graph), wants_f32_(graph.values.size(), false), f32_(graph.values.size(), kNone), rounded_(graph.values.size(), DType::none) {}

  void run() {
    for (size_t n = g_.nodes.size(); n-- > 0;) want(g_.nodes[n]);
    std::vector<Node> nodes = std::move(g_.nodes);
    g_.nodes.clear();
    for (Node& node : nodes) {
      for (ValueId& v : node.inputs) v = shown(v);
      if (node.op == cast_) place_cast(node);
      else if (!moves_f32(node)) place(std::move(node));
    }
    for (ValueId& v : g_.outputs) v = shown(v);
  }

 private:
  DType dtype(ValueId v) const { return v == kNone ? DType::none : g_.value(v).type.dtype; }
  bool is_narrow(ValueId v) const { return is_16_bits(dtype(v)); }
  // Of a narrow value: the f32 one with the same numbers. Of f32 that was cast from one: that.
  ValueId f32_of(ValueId v) const { return v == kNone ? kNone : f32_[static_cast<size_t>(v)]; }
  ValueId shown(ValueId v) const { return dtype(v) == DType::f32 && f32_of(v) != kNone ? f32_of(v) : v; }
  DType rounded(ValueId v) const { return v == kNone ? DType::none : rounded_[static_cast<size_t>(v)]; }

  // Is v read as f32, if need be behind what moves it?
  bool wanted(ValueId v) const { return v != kNone && wants_f32_[static_cast<size_t>(v)]; }
  void want(const Node& node) {
    const bool reads_f32 = node.op == cast_
                               ? dtype(node.outputs[0]) == DType::f32
                               : moves(node) && std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) { return wanted(v); });
    if (!reads_f32) return;
    for (ValueId v : node.inputs) {
      if (is_narrow(v)) wants_f32_[static_cast<size_t>(v)] = true;
    }
  }

  ValueId new_f32(ValueId like, const Shape& shape, const char* what, DType numbers) {
    const ValueId v = g_.add_value(g_.value(like).name + what, {DType::f32, shape});
    f32_.resize(g_.values.size(), kNone);
    wants_f32_.resize(g_.values.size(), false);
    rounded_.resize(g_.values.size(), DType::none);
    rounded_[static_cast<size_t>(v)] = numbers;
    return v;
  }

  void place_cast(Node& node) {
    const ValueId x = node.inputs[0], y = node.outputs[0];
    if (is_narrow(x) && dtype(y) == DType::f32) {
      if (f32_of(x) != kNone) {
        f32_[static_cast<size_t>(y)] = f32_of(x);
        return;
      }
      rounded_[static_cast<size_t>(y)] = dtype(x);
    } else if (dtype(x) == DType::f32 && is_narrow(y)) {
      if (rounded(x) == dtype(y)) {
        f32_[static_cast<size_t>(y)] = x;
      } else if (wanted(y)) {
        const ValueId r = new_f32(y, g_.value(y).type.shape, ".rounded", dtype(y));
        f32_[static_cast<size_t>(y)] = r;
        g_.nodes.push_back({find_op(dtype(y) == DType::f16 ? "RoundF16" : "RoundBF16"), node.name, {}, {x}, {r}, {}});
        node.inputs[0] = r;
      }
    }
    g_.nodes.push_back(std::move(node));
  }

  // The node on f32, where all that it reads in 16 bits is there so, and somebody reads that of it; a Cast gives the others what they read.
  bool moves_f32(const Node& node) {
    if (!moves(node) || !std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) { return wanted(v); })) return false;
    Node wide = node;
    DType numbers = DType::none;
    for (ValueId& v : wide.inputs) {
      if (!is_narrow(v)) continue;
      numbers = dtype(v);
      v = f32_of(v);
      if (v == kNone) return false;
    }
    auto types = infer_types(g_, wide);
    if (!types) return false;
    for (size_t o = 0; o < wide.outputs.size(); ++o) {
      if (!is_narrow(node.outputs[o]) || (*types)[o].dtype != DType::f32) return false;
    }
    std::vector<Node> casts;
    for (ValueId& v : wide.outputs) {
      const ValueId narrow = v;
      v = new_f32(narrow, g_.value(narrow).type.shape, ".f32", numbers);
      f32_[static_cast<size_t>(narrow)] = v;
      Node& cast = casts.emplace_back(Node{cast_, {}, {}, {v}, {narrow}, {}});
      cast.attrs.set("to", int64_t(code_of(dtype(narrow))));
    }
    g_.nodes.push_back(std::move(wide));
    for (Node& cast : casts) g_.nodes.push_back(std::move(cast));
    return true;
  }

  void place(Node node) {
    if (keeps_numbers(node)) rounded_[static_cast<size_t>(node.outputs[0])] = rounded(node.inputs[0]);
    g_.nodes.push_back(std::move(node));
  }
  // Is output 0 of numbers of 16 bits, as what it reads?
  bool keeps_numbers(const Node& node) const {
    if (node.inputs.empty() || node.outputs.empty() || node.outputs[0] == kNone || dtype(node.outputs[0]) != DType::f32) return false;
    const DType numbers = rounded(node.inputs[0]);
    if (numbers == DType::none) return false;
    if (std::find(std::begin(kPicks), std::end(kPicks), node.op->name) != std::end(kPicks))
      return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return rounded(v) == numbers; });
    const bool clips = std::string_view(node.op->name) == "Clip";
    const auto bounds = clips ? node.op->activation(layout_query(g_, node)) : std::nullopt;
    return bounds && rounded_to(numbers, bounds->alpha) == bounds->alpha && rounded_to(numbers, bounds->beta) == bounds->beta;
  }

  Graph& g_;
  const OpDef* cast_ = find_op("Cast");
  std::vector<bool> wants_f32_;
  std::vector<ValueId> f32_;
  std::vector<DType> rounded_;  // of f32 values: whose numbers all its elements are
};

// A Relu or Clip of what was rounded, and nobody else reads, is its bounds.
void bound_rounding(Rewriter& r, size_t n) {
  const Node* node = r.at(n);
  if (node == nullptr || node->inputs.empty() || !r.read_once(node->inputs[0])) return;
  const std::string_view name = node->op->name;
  const Node* round = r.producer(node->inputs[0]);
  if ((name != "Relu" && name != "Clip") || round == nullptr || !is_round(*round) || round->attrs.has("alpha")) return;
  const auto spec = node->op->activation(layout_query(r.graph, *node));
  if (!spec) return;
  Node bounded = *round;
  bounded.outputs = node->outputs;
  bounded.attrs.set("alpha", name == "Relu" ? 0.0f : spec->alpha);
  bounded.attrs.set("beta", name == "Relu" ? __builtin_inff() : spec->beta);
  r.replace(n, std::move(bounded));
}

}  // namespace

void round_in_f32(Graph& graph) {
  if (std::none_of(graph.values.begin(), graph.values.end(), [](const Value& v) { return is_16_bits(v.type.dtype); })) return;
  Narrowed(graph).run();
  remove_dead_nodes(graph);
  {
    Rewriter r(graph);
    for (size_t n = 0; n < r.size(); ++n) bound_rounding(r, n);
  }
  fuse_activations(graph);
}

}  // namespace tern
