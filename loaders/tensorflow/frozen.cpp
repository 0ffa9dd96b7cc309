// A GraphDef alone. See tensorflow.h.
#include <algorithm>

#include "loaders/tensorflow/inputs.h"
#include "loaders/tensorflow/run/frames.h"
#include "loaders/tensorflow/run/run.h"
#include "loaders/tensorflow/tensorflow.h"
#include "loaders/tensorflow/wire.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

// Nodes that give something and that no other reads.
std::vector<std::string> unread(const Index& graph) {
  constexpr std::string_view kNoResult[] = {"NoOp", "Assert", "Const", "Placeholder", "SaveV2", "RestoreV2"};
  std::vector<bool> read(graph.size());
  for (size_t i = 0; i < graph.size(); ++i) {
    for (const Edge& e : graph.inputs(static_cast<int32_t>(i))) {
      if (e.node >= 0) read[static_cast<size_t>(e.node)] = true;
    }
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < graph.size(); ++i) {
    const auto& node = graph.node(static_cast<int32_t>(i));
    if (!read[i] && std::find(std::begin(kNoResult), std::end(kNoResult), node.op()) == std::end(kNoResult)) names.emplace_back(node.name());
  }
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 64;
  std::string all;
  for (size_t i = 0; i < names.size() && i < kMost; ++i) all += (i > 0 ? ", " : "") + printable(names[i], 120);
  return names.size() > kMost ? all + " and " + std::to_string(names.size() - kMost) + " more" : all;
}

Result<std::vector<Edge>> wanted_of(const Index& graph, const std::vector<std::string>& names) {
  std::vector<Edge> wanted;
  for (const std::string& name : names) {
    wanted.push_back(graph.resolve(name));
    if (wanted.back().node < 0 || wanted.back().output == Edge::kControl) {
      return usage("the graph has no node " + printable(name, 120) + "; nodes that no other reads: " + listed(unread(graph)));
    }
  }
  return wanted;
}

// Placeholders become inputs, in the order of the file.
Result<std::unordered_map<int32_t, Values>> inputs_of(Builder& b, const Index& graph, const LoadOptions& options, const std::vector<bool>& needed) {
  std::unordered_map<int32_t, Values> preset;
  for (size_t i = 0; i < graph.size(); ++i) {
    const auto& node = graph.node(static_cast<int32_t>(i));
    if (!needed[i] || !node.op().starts_with("Placeholder") || node.op() == "PlaceholderWithDefault") continue;
    const auto def = node.parsed();
    if (def == nullptr) return malformed(node);
    const Call c(b, *def, {});
    const tensorflow_pb::AttrValue* shape = c.attribute("shape");
    tensorflow_pb::ShapeProto unknown;
    unknown.set_unknown_rank(true);
    // Up to producer 23 a Placeholder's shape of no axes said that none is known.
    const bool told = shape != nullptr && (shape->shape().unknown_rank() || shape->shape().dim_size() > 0 || node.op() == "Placeholder");
    auto type = declared_type(def->name(), c.type_number("dtype"), told ? shape->shape() : unknown);
    if (!type) return type.error().within("input " + printable(node.name(), 80));
    auto v = add_input(b, def->name(), std::move(*type), options);
    if (!v) return v.error();
    preset.emplace(static_cast<int32_t>(i), Values{Value(*v)});
  }
  return preset;
}

// Nodes that these edges depend on.
std::vector<bool> needed_for(const Index& graph, std::vector<Edge> open) {
  std::vector<bool> needed(graph.size());
  while (!open.empty()) {
    const Edge e = open.back();
    open.pop_back();
    if (e.node < 0 || e.output == Edge::kControl || needed[static_cast<size_t>(e.node)]) continue;
    needed[static_cast<size_t>(e.node)] = true;
    const auto& inputs = graph.inputs(e.node);
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  return needed;
}

}  // namespace

Result<Graph> load_frozen_graph(const Content& content, const LoadOptions& options) {
  auto proto = read_graph_def(content.source.bytes, options.budget);
  if (!proto) return proto.error();
  auto graph = Index::of(*proto);
  if (!graph) return graph.error();
  std::vector<std::string> names = options.outputs;
  if (names.empty()) names = unread(*graph);
  if (names.empty()) return invalid("every node of the graph is read by another one; name those that are its outputs in LoadOptions::outputs");
  if (options.outputs.empty() && names.size() > 1) {
    return usage("several nodes are read by no other, and not all may be outputs; name those that are in LoadOptions::outputs: " + listed(names));
  }
  auto wanted = wanted_of(*graph, names);
  if (!wanted) return wanted.error();
  Functions functions(proto->library());
  std::optional<Index> flat;
  if (graph->has_frames()) {
    auto made = without_frames(*graph, *wanted, functions);
    if (!made) return made.error();
    flat = std::move(*made);
  }
  const Index& runs = flat ? *flat : *graph;
  Program program(content.source, options.budget / 2);
  Builder b(program);
  auto preset = inputs_of(b, *graph, options, needed_for(runs, *wanted));
  if (!preset) return preset.error();
  Runner runner(program, functions);
  const Values made = runner.run(b, runs, {.preset = &*preset}, *wanted);
  std::vector<std::pair<std::string, Value>> outputs;
  for (size_t i = 0; i < names.size(); ++i) outputs.emplace_back(names[i], made[i]);
  auto out =
      finish(b, outputs, proto->versions().producer() > 0 ? "a TensorFlow of GraphDef version " + std::to_string(proto->versions().producer()) : "");
  if (out) out->format = "tensorflow graph";
  return out;
}

}  // namespace tern::tensorflow
