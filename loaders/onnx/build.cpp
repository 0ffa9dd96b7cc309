// The model around its graph. See build.h.
#include "loaders/onnx/build.h"

#include "loaders/onnx/builder.h"
#include "loaders/onnx/functions.h"

namespace tern::onnx {

Result<Graph> build(onnx_pb::ModelProto& model, Sources& sources) {
  int64_t opset = 0;
  for (const auto& o : model.opset_import()) {
    if (canonical_domain(o.domain()).empty()) opset = o.version();
  }
  if (opset > kNewestOpset) {
    return unsupported("opset " + std::to_string(opset) + " of the standard operators is newer than " + std::to_string(kNewestOpset) +
                       ", the newest known; export the model for an older one");
  }
  Unsupported missing;
  GraphBuilder builder(nullptr, sources, missing);
  if (Status s = builder.build(*model.mutable_graph()); !s) return s.error();
  if (!missing.empty()) return missing.error();
  Graph graph = std::move(builder.graph);
  graph.format = "onnx";
  graph.producer = model.producer_name() + (model.producer_version().empty() ? "" : " " + model.producer_version());
  graph.opset = opset;
  compact(graph);
  return graph;
}

}  // namespace tern::onnx
