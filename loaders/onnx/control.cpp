// The table of control operators, and their older forms. See control.h.
#include "loaders/onnx/control.h"

namespace tern::onnx {
namespace {

constexpr const char* kBranches[] = {"then_branch", "else_branch"};
constexpr const char* kBody[] = {"body"};

// Whatever a file leaves out is written: as often as there are numbers, and going on.
Status loop_limits(OnnxNode& node, Emitter& to) {
  if (node.input(0) == kNone) node.set_input(0, to.constant(Tensor::scalar(INT64_MAX)));
  if (node.input(1) == kNone) node.set_input(1, to.constant(Tensor::scalar(true)));
  return {};
}

// Of opset 8: [lengths of the sequences, states..., scan inputs...].
Status scan_of_batches(OnnxNode& node, Emitter&) {
  if (!scans_batches(node)) return {};
  if (node.input(0) != kNone) return unsupported("sequence_lens, of opset 8 alone, is not supported: export the model for opset 9 or newer");
  if (!node.inputs.empty()) node.inputs.erase(node.inputs.begin());
  if (node.attrs.has("directions")) node.attrs.set("scan_input_directions", node.attrs.ints("directions"));
  node.attrs.erase("directions");
  return {};
}

constexpr ControlForm kForms[] = {
    {"If", kBranches, 0, false, nullptr},
    {"Loop", kBody, 1, true, loop_limits},
    {"Scan", kBody, 0, true, scan_of_batches},
    {"SequenceMap", kBody, 0, false, nullptr},
};

// Of a value of this rank, about whose extents nothing is said.
Shape of_rank(int rank) { return Shape(std::vector<Dim>(static_cast<size_t>(rank), Dim::symbol("?"))); }

size_t scan_inputs(const OnnxNode& node) {
  return static_cast<size_t>(std::clamp<int64_t>(node.attrs.i("num_scan_inputs"), 0, static_cast<int64_t>(node.inputs.size())));
}

}  // namespace

const ControlForm* control_form(std::string_view op) {
  for (const ControlForm& form : kForms) {
    if (op == form.op) return &form;
  }
  return nullptr;
}

std::vector<TypeInfo> body_inputs(const OnnxNode& node, Emitter& to) {
  std::vector<TypeInfo> types;
  for (ValueId v : node.inputs) {
    TypeInfo type = to.type(v);
    if (type.shape.ranked()) type.shape = of_rank(type.shape.rank());
    types.push_back(std::move(type));
  }
  if (node.op == "Loop") {
    types[0] = {DType::i64, of_rank(0)};
    types[1] = {DType::boolean, of_rank(0)};
  }
  for (size_t k = 0; k < types.size(); ++k) {
    const int sliced = (scans_batches(node) ? 1 : 0) + (k >= types.size() - scan_inputs(node) ? 1 : 0), rank = types[k].shape.rank();
    if (sliced > 0) types[k].shape = rank >= sliced ? of_rank(rank - sliced) : Shape();
  }
  return types;
}

std::vector<TypeInfo> node_outputs(const OnnxNode& node, Emitter& to, std::span<const TypeInfo> body_outputs) {
  const size_t first = node.op == "Loop" ? 2 : 0, carried = node.inputs.size() - first - scan_inputs(node);
  std::vector<TypeInfo> types(body_outputs.begin(), body_outputs.end());
  for (size_t o = 0; o < types.size(); ++o) {
    if (o < carried) types[o] = to.type(node.inputs[first + o]);
    if (!types[o].shape.ranked()) continue;
    const int rank = types[o].shape.rank() + (o < carried ? 0 : scans_batches(node) ? 2 : 1);
    types[o].shape = rank > kMaxRank ? Shape() : of_rank(rank);
  }
  return types;
}

bool scans_batches(const OnnxNode& node) { return node.op == "Scan" && node.version < 9; }

Graph scan_of_one_sample(OnnxNode& node, Graph body, size_t captured) {
  Graph outer;
  outer.name = body.name;
  outer.next_symbol = body.next_symbol;
  Node inner{find_op("Scan"), node.name, node.attrs, {}, {}, {0}, static_cast<int32_t>(captured)};
  for (ValueId v : body.inputs) outer.inputs.push_back(outer.add_value(body.value(v).name));
  for (ValueId v : body.outputs) outer.outputs.push_back(outer.add_value(body.value(v).name));
  outer.output_names = body.output_names;
  inner.inputs = outer.inputs;
  inner.outputs = outer.outputs;
  node.attrs = {};
  node.attrs.set("num_scan_inputs", static_cast<int64_t>(body.inputs.size() - captured));
  outer.nodes.push_back(std::move(inner));
  outer.subgraphs.push_back(std::move(body));
  return outer;
}

}  // namespace tern::onnx
