// The model around its graph. See build.h.
#include "loaders/onnx/build.h"

#include "loaders/onnx/builder.h"
#include "loaders/onnx/functions.h"

namespace tern::onnx {

namespace {

// What the file says of itself, under ONNX's names of the fields.
std::vector<std::pair<std::string, std::string>> metadata_of(onnx_pb::ModelProto& model, std::string graph_doc) {
  std::vector<std::pair<std::string, std::string>> out;
  if (!model.domain().empty()) out.emplace_back("domain", model.domain());
  if (model.model_version() != 0) out.emplace_back("model_version", std::to_string(model.model_version()));
  if (!model.doc_string().empty()) out.emplace_back("doc_string", std::move(*model.mutable_doc_string()));
  if (!graph_doc.empty()) out.emplace_back("graph.doc_string", std::move(graph_doc));
  for (auto& entry : *model.mutable_metadata_props()) out.emplace_back(std::move(*entry.mutable_key()), std::move(*entry.mutable_value()));
  return out;
}

// Up to IR 3 every initializer had to be an input too, which said nothing of who may replace it.
constexpr int64_t kFirstWithDefaults = 4;

}  // namespace

Result<Graph> build(onnx_pb::ModelProto& model, Sources& sources, std::span<const std::string> overridable) {
  int64_t opset = 0;
  for (const auto& o : model.opset_import()) {
    if (canonical_domain(o.domain()).empty()) opset = o.version();
  }
  if (opset > kNewestOpset) {
    return unsupported("opset " + std::to_string(opset) + " of the standard operators is newer than " + std::to_string(kNewestOpset) +
                       ", the newest known; export the model for an older one");
  }
  std::string graph_doc = std::move(*model.mutable_graph()->mutable_doc_string());
  MissingOperators missing;
  const bool defaults = model.ir_version() >= kFirstWithDefaults;
  Builder builder(nullptr, sources, missing, defaults ? overridable : std::span<const std::string>());
  if (Status s = builder.build(*model.mutable_graph()); !s) return s.error();
  if (!missing.empty()) return missing.error();
  Graph graph = builder.take();
  if (!defaults) graph.overridable.clear();
  graph.format = "onnx";
  graph.producer = model.producer_name() + (model.producer_version().empty() ? "" : " " + model.producer_version());
  graph.opset = opset;
  graph.metadata = metadata_of(model, std::move(graph_doc));
  compact(graph);
  return graph;
}

}  // namespace tern::onnx
