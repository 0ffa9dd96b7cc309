// Operators as ONNX spells them: the opset that each needs, and the few that are written as something else. See graph_writer.h.
#include <algorithm>
#include <limits>

#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/gemm.h"
#include "kernels/sequence/sequence.h"
#include "loaders/onnx/control.h"
#include "loaders/onnx/graph_writer.h"
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {
namespace {

constexpr uint32_t bit(DType t) { return 1u << static_cast<int>(t); }
constexpr uint32_t kHalf = bit(DType::f16), kBrain = bit(DType::bf16), kBool = bit(DType::boolean), kString = bit(DType::string),
                   k16 = bit(DType::i16) | bit(DType::u16), kSigned = bit(DType::i8) | k16 | bit(DType::i32) | bit(DType::i64);
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// What is newer than kLowestOpset. A row holds when the node has the attribute at a value that says more than its absence, and a value of
// one of the dtypes; an attribute that says no more is left out. kNever: it is about dtypes that tern does not have.
struct Row {
  const char* op;         // null: any
  const char* attribute;  // null: whatever they are
  uint32_t dtypes;        // 0: any
  int64_t opset;
};
constexpr Row kRows[] = {
    {nullptr, nullptr, kBrain, 22},
    {"Attention", nullptr, 0, 23},
    {"Attention", "left_window_size", 0, 25},
    {"Attention", "right_window_size", 0, 25},
    {"AveragePool", "ceil_mode", 0, 22},  // before it, also windows that begin in the padding
    {"AveragePool", "dilations", 0, 19},
    {"BitCast", nullptr, 0, 26},
    {"BitShift", nullptr, kSigned, 28},
    {"Cast", "saturate", 0, kNever},
    {"CastLike", "saturate", 0, kNever},
    {"Celu", nullptr, bit(DType::f64) | kHalf | kBrain, 28},
    {"Compress", nullptr, kBrain, 28},
    {"CumProd", nullptr, 0, 26},
    {"DequantizeLinear", nullptr, kHalf, 19},
    {"DequantizeLinear", nullptr, k16, 21},
    {"DequantizeLinear", "block_size", 0, 21},
    {"DequantizeLinear", "output_dtype", 0, 23},
    {"Einsum", nullptr, kBrain, 28},
    {"Equal", nullptr, kString, 19},
    {"Gelu", nullptr, 0, 20},
    {"GridSample", nullptr, 0, 20},  // whose modes had other names before
    {"GroupNormalization", nullptr, 0, 21},
    {"IsInf", nullptr, kHalf, 20},
    {"MaxPool", "ceil_mode", 0, 22},
    {"OneHot", nullptr, kBrain, 28},
    {"QLinearMatMul", nullptr, kHalf, 21},
    {"QuantizeLinear", nullptr, kHalf, 19},
    {"QuantizeLinear", nullptr, k16, 21},
    {"QuantizeLinear", "block_size", 0, 21},
    {"QuantizeLinear", "output_dtype", 0, 21},
    {"QuantizeLinear", "precision", 0, 23},
    {"QuantizeLinear", "saturate", 0, kNever},
    {"RMSNormalization", nullptr, 0, 23},
    {"Range", nullptr, kHalf | kBrain, 27},
    {"Range", "stash_type", 0, 27},
    {"ReduceMax", nullptr, kBool, 20},
    {"ReduceMin", nullptr, kBool, 20},
    {"ReverseSequence", nullptr, kBrain, 28},
    {"RotaryEmbedding", nullptr, 0, 23},
    {"SpaceToDepth", "mode", 0, 28},
    {"TopK", nullptr, kBrain, 24},
    {"Unique", nullptr, kBrain, 28},
};

// What is newer by an input or by the value of an attribute.
int64_t opset_of_use(const Graph& graph, const Node& node) {
  const std::string_view op = node.op->name;
  if (op == "Attention" && node.inputs.size() > 6) return 24;  // nonpad_kv_seqlen
  if (op == "Mod" && node.read().i("fmod") == 0 && is_float(graph.value(node.inputs[0]).type.dtype)) return 28;
  if (op == "Pad" && node.read().s("mode") == "wrap") return 19;
  if (op == "Resize" && node.read().s("coordinate_transformation_mode") == "half_pixel_symmetric") return 19;
  return kLowestOpset;
}

// The schema's default; and ones for dilations, which have none.
bool says_nothing(const Node& node, const std::string& name, const Attributes::Value& value) {
  for (const AttrSpec& spec : node.op->attrs) {
    if (name == spec.name && spec.is_default(value)) return true;
  }
  const auto* ints = std::get_if<std::vector<int64_t>>(&value);
  return ints != nullptr && std::all_of(ints->begin(), ints->end(), [](int64_t n) { return n == 1; });
}

uint32_t dtypes_of(const Graph& graph, const Node& node) {
  uint32_t set = 0;
  for (const auto& list : {node.inputs, node.outputs}) {
    for (ValueId v : list) set |= v == kNone ? 0 : bit(graph.value(v).type.dtype);
  }
  return set;
}

bool is_for(const Row& row, const Node& node) { return row.op == nullptr || std::string_view(row.op) == node.op->name; }

// The row of an attribute that is newer than kLowestOpset.
const Row* newer(const Node& node, const std::string& attribute) {
  const auto* at = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& r) { return r.attribute != nullptr && is_for(r, node) && attribute == r.attribute; });
  return at == std::end(kRows) ? nullptr : at;
}

bool transposed_weight(const Node& node) { return node.read().i("transB") != 0; }

bool has_rank(const Graph& graph, ValueId v, int rank) {
  const Shape& shape = graph.value(v).type.shape;
  return shape.ranked() && shape.rank() == rank;
}

// Recurrent operators take these; the catalog's take what any epilogue is.
Status check_activations(const Node& node) {
  constexpr std::string_view kActivations[] = {"affine",  "elu",      "hardsigmoid", "leakyrelu", "relu",           "scaledtanh",
                                               "sigmoid", "softplus", "softsign",    "tanh",      "thresholdedrelu"};
  if (!node.attrs.has("activations")) return {};
  for (std::string name : node.read().strings("activations")) {
    const std::string given = name;
    for (char& letter : name) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    if (std::find(std::begin(kActivations), std::end(kActivations), name) == std::end(kActivations))
      return unsupported("ONNX's recurrent operators have no activation '" + given + "'");
  }
  return {};
}

bool made_by_passes(const Node& node) {
  const std::string_view op = node.op->name;
  return op.starts_with("Fused") || op == "Reorder" || op == "ConcatBlocks" || op == "MapBlocks";
}

}  // namespace

// Gemm takes the weight as it lies, but only matrices; MatMul takes any rank, and no transposed weight.
bool transposes_weight(const Graph& graph, const Node& node) {
  return node.op == &kLinear && transposed_weight(node) && !has_rank(graph, node.inputs[0], 2);
}

Status GraphWriter::node(const Node& node) {
  const uint32_t dtypes = dtypes_of(graph_, node);
  for (const Row& row : kRows) {
    if (row.attribute == nullptr && is_for(row, node) && (row.dtypes == 0 || (row.dtypes & dtypes) != 0)) model_.require_opset(row.opset);
  }
  model_.require_opset(opset_of_use(graph_, node));
  if (node.op == &kLinear) return linear(node);
  if (std::string_view(node.op->name) == "Lookup") return lookup(node);
  if (made_by_passes(node)) return unsupported("an operator that fusing makes has no ONNX form; write the graph as it was before");
  if (node.op->tern_only) return unsupported("ONNX has no such operator");
  if (const ControlForm* form = control_form(node.op->name)) return control_node(node, *form);
  if (Status s = check_activations(node); !s) return s;
  if (other_form(node)) return {};
  if (node.op == &kSwish) swish(node);
  else if (node.op == &kOptional) optional(node);
  else if (node.attrs.has("layout") && node.read().i("layout") != 0) recurrent(node);
  else standard(node);
  return {};
}

std::vector<std::string> GraphWriter::names_of(const std::vector<ValueId>& values) {
  std::vector<std::string> names;
  for (ValueId v : values) names.push_back(name_of(v));
  return names;
}

void GraphWriter::standard(const Node& node) { write_attributes(node, emit(node.op->name, node.name, inputs_of(node), names_of(node.outputs))); }

// The type of an empty one is an attribute of a kind of its own.
void GraphWriter::optional(const Node& node) {
  onnx_pb::NodeProto& written = emit("Optional", node.name, names_of(node.inputs), names_of(node.outputs));
  if (!node.inputs.empty()) return;
  onnx_pb::Attribute& attribute = *written.add_attribute();
  attribute.set_name("type");
  attribute.set_type(13);  // a type
  const TypeInfo& type = graph_.value(node.outputs[0]).type;
  write_type({type.dtype, {}, type.kind == ValueKind::optional ? ValueKind::tensor : ValueKind::sequence}, *attribute.mutable_tp());
}

void GraphWriter::write_attributes(const Node& node, onnx_pb::NodeProto& written) {
  for (const auto& [name, value] : node.attrs.all()) {
    const Row* row = newer(node, name);
    if (row != nullptr && (says_nothing(node, name, value) || row->opset == kNever)) continue;
    if (row != nullptr) model_.require_opset(row->opset);
    write_attribute(name, value, *written.add_attribute());
  }
}

// x W + bias: Gemm for matrices, else MatMul and Add.
Status GraphWriter::linear(const Node& node) {
  if (node.attrs.has("activation") || (node.inputs.size() > 3 && node.inputs[3] != kNone)) {
    return unsupported("a product that was fused with an activation or a sum has no ONNX form; write the graph as it was before");
  }
  const ValueId x = node.inputs[0], w = node.inputs[1], bias = node.inputs.size() > 2 ? node.inputs[2] : kNone;
  const std::string y = name_of(node.outputs[0]);
  if (has_rank(graph_, x, 2)) {
    onnx_pb::NodeProto& gemm = emit("Gemm", node.name, {name_of(x), name_of(w)}, {y});
    if (bias != kNone) gemm.add_input(name_of(bias));
    if (transposed_weight(node)) write_attribute("transB", int64_t{1}, *gemm.add_attribute());
    return {};
  }
  const std::string matrix = transposed_weight(node) ? transposed(node, w) : name_of(w);
  if (bias == kNone) {
    emit("MatMul", node.name, {name_of(x), matrix}, {y});
    return {};
  }
  const std::string product = emit_before(node, "MatMul", {name_of(x), matrix});
  emit("Add", node.name, {product, name_of(bias)}, {y});
  return {};
}

// A constant is written transposed, unless it must be written as it is too: tied weights stay one, and runtimes fold the Transpose.
std::string GraphWriter::transposed(const Node& node, ValueId matrix) {
  if (graph_.is_constant(matrix) && !model_.read_as_it_is(graph_.value(matrix).constant)) {
    return model_.initializer(graph_.value(matrix).name, graph_.value(matrix).constant, true);
  }
  return emit_before(node, "Transpose", {name_of(matrix)});  // of a matrix, perm is [1,0] when not given
}

// RNN, GRU and LSTM with the batch first: onnxruntime has only the other layout, so their inputs and outputs are transposed.
//   X [batch,seq,input], initial_h and initial_c [batch,directions,hidden], Y [batch,seq,directions,hidden], Y_h and Y_c as initial_h
void GraphWriter::recurrent(const Node& node) {
  constexpr int64_t kExchange[] = {1, 0, 2}, kBatchFirst[] = {2, 0, 1, 3};
  std::vector<std::string> inputs = names_of(node.inputs), outputs = names_of(node.outputs);
  auto transpose = [&](std::span<const int64_t> perm, const std::string& x, const std::string& y) {
    write_attribute("perm", std::vector<int64_t>(perm.begin(), perm.end()), *emit("Transpose", node.name, {x}, {y}).add_attribute());
  };
  for (size_t i : {0, 5, 6}) {
    if (i >= inputs.size() || inputs[i].empty()) continue;
    const std::string y = model_.claim(inputs[i] + ":Transpose");
    transpose(kExchange, inputs[i], y);
    inputs[i] = y;
  }
  for (std::string& y : outputs) {
    if (!y.empty()) y = model_.claim(y + ":" + node.op->name);
  }
  Node sequence_first = node;
  sequence_first.attrs.erase("layout");
  write_attributes(sequence_first, emit(node.op->name, node.name, inputs, outputs));
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (!outputs[o].empty()) transpose(o == 0 ? std::span<const int64_t>(kBatchFirst) : kExchange, outputs[o], name_of(node.outputs[o]));
  }
}

// Swish is of opset 24, and what it is made of is older: x Sigmoid(alpha x).
void GraphWriter::swish(const Node& node) {
  const std::string x = name_of(node.inputs[0]);
  std::string scaled = x;
  if (const float alpha = node.read().f("alpha"); alpha != 1) {
    const Tensor factor = scalar_of(graph_.value(node.inputs[0]).type.dtype, alpha);
    scaled = emit_before(node, "Mul", {x, model_.initializer(name_of(node.outputs[0]) + ":alpha", factor)});
  }
  const std::string gate = emit_before(node, "Sigmoid", {scaled});
  emit("Mul", node.name, {x, gate}, {name_of(node.outputs[0])});
}

}  // namespace tern::onnx
