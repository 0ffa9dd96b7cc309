// What is computed element by element between DequantizeLinear and QuantizeLinear stays on bytes: a function of one value becomes a table of all 256
// results, which the operators themselves fill in, and what moves elements on the way moves bytes; Add and Mul of two become QuantizedAdd and
// QuantizedMul, or a table where both are functions of one value (x sigmoid(x)); pieces of a Concat are brought to the scale of the whole by tables. The
// bits are those of the plain graph. See passes.h.
#include <algorithm>

#include "kernels/evaluate.h"
#include "runtime/evaluator.h"
#include "runtime/fuse/passes.h"
#include "runtime/fuse/quantized.h"
#include "runtime/transposes/rules.h"

namespace tern {
namespace {

constexpr size_t kLongestChain = 16;

bool is_map(const Node& node) {
  return (transposes::is_elementwise(*node.op) || std::string_view(node.op->name) == "FastGelu") && node.outputs.size() == 1;
}

// The one input of a node that is no constant; kNone when another is no single number.
ValueId varying_input(const Rewriter& r, const Node& node) {
  ValueId found = kNone;
  for (ValueId v : node.inputs) {
    if (v == kNone) continue;
    if (r.graph.is_constant(v)) {
      if (r.graph.value(v).constant.count() != 1) return kNone;
    } else if (found != kNone) {
      return kNone;
    } else {
      found = v;
    }
  }
  return found;
}

Tensor every_byte(DType dtype) {
  Tensor x = *Tensor::allocate(dtype, {256});
  for (int i = 0; i < 256; ++i) x.mutable_raw()[i] = static_cast<std::byte>(i);
  return x;
}

// What every byte becomes by DequantizeLinear, `chain` and QuantizeLinear n: their own results.
std::optional<Tensor> table_of(const Rewriter& r, DType dtype, std::span<const NodeId> chain) {
  Tensor x = every_byte(dtype);
  for (NodeId n : chain) {
    const Node& node = r.graph.node(n);
    std::vector<Tensor> in;
    for (ValueId v : node.inputs) {
      if (v == kNone) in.emplace_back();
      else if (!r.graph.is_constant(v)) in.push_back(x);
      else in.push_back(r.graph.value(v).constant.count() == 1 ? r.graph.value(v).constant.reshaped({}) : r.graph.value(v).constant);
    }
    auto y = evaluate_node(r.graph, node, in, {.isa = best_isa()});
    if (!y || (*y)[0].count() != 256) return std::nullopt;
    x = (*y)[0];
  }
  return x;
}

// Does `node` only move elements of its first input?
bool moves(const Node& node) {
  const std::string_view op = node.op->name;
  if (node.outputs.size() != 1 || op == "Concat") return false;
  if (op != "Resize") return node.op->moves_data;
  return node.read().s("mode") == "nearest" && node.read().s("coordinate_transformation_mode") != "tf_crop_and_resize";
}

// From DequantizeLinear to QuantizeLinear: the functions of one value, and what moves elements between them, which could as well stand behind them.
struct Chain {
  ValueId data = kNone;  // bytes
  std::vector<NodeId> maps, moving;
};
std::optional<Chain> chain_of(const Rewriter& r, size_t n, ValueId v) {
  Chain c;
  c.maps.push_back(static_cast<NodeId>(n));
  while (!dequantized(r, v)) {
    const NodeId p = r.producer_id(v);
    const Node* node = p == kNone ? nullptr : r.at(static_cast<size_t>(p), r.graph.node(p).op->name);
    if (node == nullptr || !r.read_once(v) || c.maps.size() + c.moving.size() == kLongestChain) return std::nullopt;
    ValueId x = kNone;
    if (moves(*node)) {
      x = node->inputs[0];
      c.moving.push_back(p);
    } else if (is_map(*node)) {
      x = varying_input(r, *node);
      if (x == kNone || !(r.shape(x) == r.shape(v))) return std::nullopt;
      c.maps.push_back(p);
    }
    if (x == kNone) return std::nullopt;
    v = x;
  }
  c.data = dequantized(r, v)->data;
  c.maps.push_back(r.producer_id(v));
  std::reverse(c.maps.begin(), c.maps.end());
  std::reverse(c.moving.begin(), c.moving.end());
  return c;
}

bool is_identity(const Tensor& table, DType dtype) {
  if (table.dtype() != dtype) return false;
  for (int i = 0; i < 256; ++i) {
    if (table.raw()[i] != static_cast<std::byte>(i)) return false;
  }
  return true;
}
int64_t elements(const Shape& s) { return s.known() ? s.concrete().count() : 0; }

// One function of one value: a table, on the side of what moves elements where there are fewer of them.
bool unary(Rewriter& r, size_t n, const Quantized& y) {
  const auto chain = chain_of(r, n, y.data);
  auto table = chain ? table_of(r, r.dtype(chain->data), chain->maps) : std::nullopt;
  if (!table) return false;
  const ValueId out = r.graph.nodes[n].outputs[0];
  const std::string name = r.graph.value(out).name;
  const bool moved = !chain->moving.empty(), same = moved && is_identity(*table, r.dtype(chain->data)),
             first = moved && elements(r.shape(out)) > elements(r.shape(chain->data));
  const ValueId t = same ? kNone : r.add_constant(name + ".table", std::move(*table));
  ValueId v = chain->data;
  if (!same && first) v = r.insert_before(n, *find_op("Lookup8"), {}, {v, t}, name + ".scaled");
  for (size_t i = 0; i < chain->moving.size() && v != kNone; ++i) {
    Node move = r.graph.node(chain->moving[i]);
    move.inputs[0] = v;
    if (i + 1 == chain->moving.size() && (same || first)) {
      move.outputs = {out};
      return r.replace(n, std::move(move));
    }
    v = r.insert_before(n, *move.op, move.attrs, move.inputs, name + ".moved" + std::to_string(i));
  }
  return v != kNone && r.replace(n, Node{find_op("Lookup8"), "", {}, {v, t}, {out}, {}});
}

// What a value of bytes is a function of: another one, by a table, or itself.
struct Source {
  ValueId byte;
  const Tensor* table;
};
Source source_of(const Rewriter& r, ValueId v) {
  const Node* lookup = r.producer(v, "Lookup8");
  return lookup == nullptr ? Source{v, nullptr} : Source{lookup->inputs[0], &r.graph.value(lookup->inputs[1]).constant};
}

// The table of a QuantizedAdd or QuantizedMul of two functions of one value, within limits.
std::optional<Tensor> table_of_pair(const Rewriter& r, const char* op, std::span<const ValueId> inputs, const Limits& within) {
  const Source sides[] = {source_of(r, inputs[0]), source_of(r, inputs[3])};
  if (sides[0].byte != sides[1].byte) return std::nullopt;
  std::vector<Tensor> in;
  for (ValueId v : inputs) in.push_back(r.graph.value(v).constant);
  for (size_t i : {0u, 1u}) in[3 * i] = sides[i].table != nullptr ? *sides[i].table : every_byte(r.dtype(sides[i].byte));
  auto y = evaluate(*find_op(op), {}, in, 1, {.isa = best_isa()});
  if (!y) return std::nullopt;
  std::byte* bytes = (*y)[0].mutable_raw();
  for (int i = 0; i < 256; ++i) {
    const int32_t v = (*y)[0].dtype() == DType::i8 ? static_cast<int8_t>(bytes[i]) : static_cast<uint8_t>(bytes[i]);
    bytes[i] = static_cast<std::byte>(std::clamp(v, within.low, within.high));
  }
  return (*y)[0];
}

// Is b a number for each channel of a?
bool by_channel(const Shape& a, const Shape& b) {
  bool is = a.known() && b.known() && a.rank() == b.rank() && a.rank() >= 3;
  for (int d = 0; is && d < a.rank(); ++d) is = d < 2 ? a[d] == b[d] : b[d].is(1);
  return is;
}

// A sum or product of two, with the limits behind it.
bool pair(Rewriter& r, size_t n, const Quantized& y, DType dtype) {
  const auto within = limits(r, y, dtype);
  if (!within || !r.read_once(within->input)) return false;
  for (const auto& [op, fused] : {std::pair{"Add", "QuantizedAdd"}, std::pair{"Mul", "QuantizedMul"}}) {
    const Node* node = r.producer(within->input, op);
    if (node == nullptr) continue;
    const bool turned = by_channel(r.shape(node->inputs[1]), r.shape(node->inputs[0]));
    const ValueId first = node->inputs[turned], second = node->inputs[!turned];
    const auto a = dequantized(r, first), b = dequantized(r, second);
    if (!a || !b || !(r.shape(first) == r.shape(second) || by_channel(r.shape(first), r.shape(second)))) continue;
    const std::string name = node->name;
    const std::vector<ValueId> inputs = {a->data,
                                         a->scale,
                                         zero_or_none(r, a->zero, r.dtype(a->data)),
                                         b->data,
                                         b->scale,
                                         zero_or_none(r, b->zero, r.dtype(b->data)),
                                         y.scale,
                                         zero_or_none(r, y.zero, dtype)};
    if (auto table = table_of_pair(r, fused, inputs, *within)) {
      const ValueId t = r.add_constant(r.graph.value(r.graph.nodes[n].outputs[0]).name + ".table", std::move(*table));
      return r.replace(n, Node{find_op("Lookup8"), name, {}, {source_of(r, a->data).byte, t}, r.graph.nodes[n].outputs, {}});
    }
    put_within(r, n, Node{find_op(fused), name, {}, inputs, {}, {}}, *within, dtype);
    return true;
  }
  return false;
}

// The mean of windows, or of all that a channel holds, with the limits behind it.
bool mean(Rewriter& r, size_t n, const Quantized& y, DType dtype) {
  const auto within = limits(r, y, dtype);
  if (!within || !r.read_once(within->input)) return false;
  for (const auto& [op, fused] : {std::pair{"AveragePool", "QuantizedAveragePool"}, std::pair{"GlobalAveragePool", "QuantizedMean"}}) {
    const Node* pool = r.producer(within->input, op);
    const auto x = pool != nullptr ? dequantized(r, pool->inputs[0]) : std::nullopt;
    if (!x || !r.shape(x->data).known()) continue;
    const std::vector<ValueId> inputs = {x->data, x->scale, zero_or_none(r, x->zero, r.dtype(x->data)), y.scale, zero_or_none(r, y.zero, dtype)};
    put_within(r, n, Node{find_op(fused), pool->name, pool->attrs, inputs, {}, {}}, *within, dtype);
    return true;
  }
  return false;
}

// Pieces of several scales.
bool concat(Rewriter& r, size_t n, const Quantized& y) {
  const Node* node = r.read_once(y.data) ? r.producer(y.data, "Concat") : nullptr;
  if (node == nullptr) return false;
  Node joined = *node;
  for (ValueId v : joined.inputs) {
    if (!dequantized(r, v)) return false;
  }
  for (ValueId& v : joined.inputs) {
    const auto x = *dequantized(r, v);
    if (same_scale(r, x, y) && r.dtype(x.data) == r.dtype(r.graph.nodes[n].outputs[0])) {
      v = x.data;
      continue;
    }
    const NodeId chain[] = {r.producer_id(v), static_cast<NodeId>(n)};
    auto table = table_of(r, r.dtype(x.data), chain);
    if (!table) return false;
    const std::string name = r.graph.value(v).name + ".scaled";
    const ValueId t = r.add_constant(name + ".table", std::move(*table));
    v = r.insert_before(n, *find_op("Lookup8"), {}, {x.data, t}, name);
    if (v == kNone) return false;
  }
  joined.outputs = r.graph.nodes[n].outputs;
  return r.replace(n, std::move(joined));
}

}  // namespace

void fuse_quantized_maps(Graph& graph) {
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const auto y = quantizes(r, n);
    if (!y || r.dtype(y->data) != DType::f32) continue;
    const DType dtype = r.dtype(graph.nodes[n].outputs[0]);
    if (!unary(r, n, *y) && !pair(r, n, *y, dtype) && !mean(r, n, *y, dtype)) concat(r, n, *y);
  }
}

}  // namespace tern
