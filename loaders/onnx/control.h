// Control operators as ONNX spells them: the attributes that hold their subgraphs, in the order of Node::subgraphs. Of a node's inputs
// those that it captures are not in the file: its subgraphs read them by name. Next: builder.cpp, graph_writer.cpp.
#pragma once
#include <span>
#include <string_view>

namespace tern::onnx {

struct ControlForm {
  const char* op;
  std::span<const char* const> subgraphs;
};

// Null: no control operator.
const ControlForm* control_form(std::string_view op);

}  // namespace tern::onnx
