// Control operators as ONNX spells them: the attributes that hold their subgraphs, in the order of Node::subgraphs, and what else the
// loader must know of them. Of a node's inputs those that it captures are not in the file: its subgraphs read them by name. Next:
// builder.cpp, graph_writer.cpp.
#pragma once
#include <span>
#include <string_view>

#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

struct ControlForm {
  const char* op;
  std::span<const char* const> subgraphs;
  size_t conditions;  // outputs of a subgraph before those that are the node's: 1 of a Loop
  bool repeats;       // its subgraph is a body with inputs of its own, as runtime/control/iteration.h says
  Rule normalize;     // to the newest form, before its subgraphs are built; null: nothing changed
};

// Null: no control operator.
const ControlForm* control_form(std::string_view op);

// The types, as far as rules need them, of the inputs of a body before those that it captures: dtypes and ranks, which do not change.
std::vector<TypeInfo> body_inputs(const OnnxNode& node, Emitter& to);
// The same of the outputs of the node.
std::vector<TypeInfo> node_outputs(const OnnxNode& node, Emitter& to, std::span<const TypeInfo> body_outputs);

// Scan of opset 8 has a batch as the first axis of everything: it is a Scan over the batch around one of today. Its body, closed over `captured`
// values, becomes the outer one's, and `node` the outer node.
bool scans_batches(const OnnxNode& node);
Graph scan_of_one_sample(OnnxNode& node, Graph body, size_t captured);

}  // namespace tern::onnx
