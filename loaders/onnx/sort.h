// The nodes of one graph in an order in which every value is produced before it is read. Next: build.cpp.
#pragma once
#include <string>
#include <vector>

#include "tern/status.h"
#include "tern_onnx.pb.h"

namespace tern::onnx {

// "fc2 (Gemm)", "@y (Gemm)" when the node has no name; printable.
std::string describe(const onnx_pb::NodeProto& node);

// Positions of the nodes, in file order as far as the reads allow. What subgraphs read from outside counts as read by their node.
// Errors (invalid): a value that two nodes produce, a cycle, each naming node and value.
Result<std::vector<int>> sorted_nodes(const onnx_pb::GraphProto& graph);

}  // namespace tern::onnx
