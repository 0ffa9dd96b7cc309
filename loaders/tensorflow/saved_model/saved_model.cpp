// From the folder of a SavedModel to a graph: the meta graph for serving, its tables filled, one signature called. See ../tensorflow.h.
#include <algorithm>
#include <map>

#include "loaders/tensorflow/inputs.h"
#include "loaders/tensorflow/run/frames.h"
#include "loaders/tensorflow/run/run.h"
#include "loaders/tensorflow/run/states.h"
#include "loaders/tensorflow/saved_model/binding.h"
#include "loaders/tensorflow/saved_model/layers.h"
#include "loaders/tensorflow/saved_model/signature.h"
#include "loaders/tensorflow/tensorflow.h"
#include "loaders/tensorflow/wire.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

Result<const tensorflow_pb::MetaGraph*> for_serving(const tensorflow_pb::SavedModel& model) {
  std::string tags;
  for (const auto& meta : model.meta_graphs()) {
    std::string own;
    for (const auto& tag : meta.meta_info_def().tags()) {
      if (tag == "serve") return &meta;
      own += (own.empty() ? "" : ",") + printable(tag, 80);
    }
    tags += (tags.empty() ? "[" : ", [") + own + "]";
  }
  if (model.meta_graphs_size() == 0) return invalid("the SavedModel holds no meta graph");
  return invalid("the SavedModel has no meta graph with the tag serve, but those with " + tags);
}

// What fills the tables: an operation that the file names in one of two ways.
Edge initializer(const tensorflow_pb::MetaGraph& meta, const Index& graph) {
  for (const auto& s : meta.signature_def()) {
    if (s.key() == "__saved_model_init_op" && s.value().outputs_size() > 0) return graph.resolve(s.value().outputs(0).value().name());
  }
  for (const auto& c : meta.collection_def()) {
    const bool main = c.key() == "saved_model_main_op" || c.key() == "legacy_init_op";
    if (main && c.value().node_list().value_size() > 0) return graph.resolve(c.value().node_list().value(0));
  }
  return {};
}

// A model that needs no table does not fail by what fills them.
void fill_tables(Program& program, Runner& runner, const Index& graph, const std::unordered_map<int32_t, Values>& preset, Edge from) {
  if (from.node < 0) return;
  Builder apart(program);
  runner.initializing = true;
  runner.run_effects(apart, graph, {.preset = &preset}, std::span(&from, 1));
  runner.initializing = false;
  program.tables_filled = apart.status();
}

// Constants that name files of the model. TensorFlow 1 has them in a collection.
Result<std::unordered_map<int32_t, Values>> assets_of(const tensorflow_pb::MetaGraph& meta, const Index& graph) {
  std::unordered_map<int32_t, Values> preset;
  auto add = [&](const tensorflow_pb::AssetFile& asset) {
    const Edge e = graph.resolve(asset.tensor_info().name());
    if (e.node >= 0 && e.output == 0) preset[e.node] = {Value(Value::Asset{asset.filename()})};
  };
  for (const auto& asset : meta.asset_file_def()) add(asset);
  for (const auto& c : meta.collection_def()) {
    if (c.key() != "saved_model_assets") continue;
    for (const auto& any : c.value().any_list().value()) {
      auto asset = read_asset(std::as_bytes(std::span(any.value())));
      if (!asset) return asset.error();
      add(*asset);
    }
  }
  // TensorFlow 2 assigns them to variables, which the initialisers read.
  std::unordered_map<int32_t, int32_t> assigned;
  for (int32_t i = 0; i < static_cast<int32_t>(graph.size()); ++i) {
    const auto& inputs = graph.inputs(i);
    if (graph.node(i).op() == "AssignVariableOp" && inputs.size() > 1 && preset.contains(inputs[1].node))
      assigned.emplace(inputs[0].node, inputs[1].node);
  }
  for (int32_t i = 0; i < static_cast<int32_t>(graph.size()) && !assigned.empty(); ++i) {
    if (graph.node(i).op() != "ReadVariableOp" || graph.inputs(i).empty()) continue;
    const auto from = assigned.find(graph.inputs(i)[0].node);
    if (from != assigned.end()) preset.emplace(i, preset[from->second]);
  }
  return preset;
}

// Puts a value in place of what a node gives at an edge.
void put(std::unordered_map<int32_t, Values>& preset, Edge e, Value v) {
  Values& of = preset[e.node];
  of.resize(std::max(of.size(), static_cast<size_t>(e.output) + 1));
  of[static_cast<size_t>(e.output)] = std::move(v);
}

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 8;
  std::string all;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) all += (i > 0 ? ", " : "") + printable(names[i], 80);
  return names.size() > kMost ? all + " and " + std::to_string(names.size() - kMost) + " more" : all;
}

// What the open first size of each input is called: `batch`, one for all. Of a part of a ragged tensor it is no other's; and where the shapes that the
// caller tells begin with several sizes (nodes and edges of a graph), those that are equal are called after the first input of that size.
std::map<std::string, std::string> first_sizes(const ChosenSignature& signature, const LoadOptions& options) {
  std::map<std::string, std::string> called, told;  // told: by what the caller says
  for (const SignatureInput& in : signature.inputs) {
    if (in.ragged) called[in.name] = in.name + "_0";
    const auto given =
        std::find_if(options.inputs.begin(), options.inputs.end(), [&](const Port& p) { return p.name == in.name && !p.shape.empty(); });
    const auto& shape = in.info->shape();
    if (in.ragged || given == options.inputs.end() || shape.dim_size() == 0 || shape.dim(0).size() >= 0) continue;
    called[in.name] = told.try_emplace(given->shape[0], in.name + "_0").first->second;
  }
  for (const SignatureInput& in : signature.inputs) {
    if (!in.ragged && (told.size() < 2 || !called.contains(in.name))) called[in.name] = "batch";
  }
  return called;
}

Result<Value> input_of(Builder& b, const SignatureInput& in, const std::string& first, const LoadOptions& options, Contents& contents) {
  auto type = declared_type(in.name, in.info->dtype(), in.info->shape(), first);
  if (!type) return type.error();
  if (in.preset == nullptr) {
    auto v = add_input(b, in.name, std::move(*type), options);
    return v ? Result<Value>(*v) : v.error();
  }
  auto preset = to_tensor(*in.preset, contents);
  if (!preset) return preset.error();
  b.graph.overridable.push_back(in.name);
  if (std::find(options.overridable.begin(), options.overridable.end(), in.name) == options.overridable.end())
    return Value(b.constant(*preset, in.name));
  const ValueId v = b.input(in.name, {preset->dtype(), Shape(preset->dims())});
  b.graph.value(v).initial = std::move(*preset);
  return Value(v);
}

}  // namespace

Result<Graph> load_saved_model(const Content& content, const LoadOptions& options) {
  auto model = read_saved_model(content.source.bytes, options.budget);
  if (!model) return model.error();
  auto meta = for_serving(*model);
  if (!meta) return meta.error();
  auto signature = choose_signature(**meta, options.signature);
  if (!signature) return signature.error();
  auto graph = Index::of((*meta)->graph_def());
  if (!graph) return graph.error();
  Functions functions((*meta)->graph_def().library());
  SavedVariables variables(**meta, *graph, functions, content.source.directory, content.source.how);
  Program program(content.source, options.budget / 2, &variables);
  program.folder = content.source.directory;
  Runner runner(program, functions);
  auto assets = assets_of(**meta, *graph);
  if (!assets) return assets.error();
  std::unordered_map<int32_t, Values>& preset = *assets;
  fill_tables(program, runner, *graph, preset, initializer(**meta, *graph));

  Builder b(program);
  const std::string where = "signature " + printable(signature->name, 80);
  const std::map<std::string, std::string> first = first_sizes(*signature, options);
  for (const SignatureInput& in : signature->inputs) {
    const Edge e = graph->resolve(in.info->name());
    if (e.node < 0 || e.output < 0)
      return invalid(where + ": its input " + printable(in.name, 80) + " is " + printable(in.info->name(), 120) + ", which is not there");
    auto v = input_of(b, in, first.at(in.name), options, program.contents);
    if (!v) return v.error().within(where + ", input " + printable(in.name, 80));
    put(preset, e, std::move(*v));
  }
  std::vector<Edge> wanted;
  for (const auto& [name, info] : signature->outputs) {
    wanted.push_back(graph->resolve(info->name()));
    if (wanted.back().node < 0 || wanted.back().output < 0) {
      return invalid(where + ": its output " + printable(name, 80) + " is " + printable(info->name(), 120) + ", which is not there");
    }
  }
  std::vector<std::string> assigned;
  auto followed = with_states(*graph, wanted, functions, assigned);
  if (!followed) return followed.error();
  std::optional<Index>& flat = *followed;
  if (const Index& made = flat ? *flat : *graph; made.has_frames()) {
    auto without = without_frames(made, wanted, functions);
    if (!without) return without.error();
    flat = std::move(*without);
  }
  const Values made = runner.run(b, flat ? *flat : *graph, {.preset = &preset}, wanted);
  std::vector<std::pair<std::string, Value>> outputs;
  for (size_t i = 0; i < wanted.size(); ++i) outputs.emplace_back(signature->outputs[i].first, made[i]);
  const std::string& version = (*meta)->meta_info_def().tensorflow_version();
  auto out = finish(b, outputs, version.empty() ? "" : "TensorFlow " + printable(version, 40));
  if (!out) return out.error();
  out->format = "tensorflow savedmodel";
  out->summary = layers_of(**meta, content.source);
  out->signatures = all_signatures(**meta);
  if (!assigned.empty()) out->notes.push_back("what a call assigns to variables is not kept for the next call: " + listed(assigned));
  return out;
}

}  // namespace tern::tensorflow
