// See keras.h.
#include "loaders/keras/keras.h"

#include <algorithm>

#include "loaders/keras/model/build.h"
#include "loaders/keras/weights/hdf5_weights.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using hdf5::File;
using Kind = Json::Kind;

std::string text_of(const Json& json, Json::Id object, std::string_view key) {
  const Json::Id id = json.get(object, key);
  return json.is(id, Kind::string) ? std::string(json.string(id)) : std::string();
}

// `told`: by the file. What the JSON says of itself comes first: it may be given with weights of another version. One that says nothing is
// told by how Keras 3 writes models. Errors: a version that is not read.
Result<Version> version_of(const std::string& told, std::string_view config, const Json& json) {
  Version v;
  v.text = text_of(json, json.root(), "keras_version");
  const bool like_keras3 = v.text.empty() && json.get(json.root(), "registered_name") != Json::kNothing;
  if (v.text.empty() && !(like_keras3 && told.starts_with('2'))) v.text = told;
  if (!v.text.empty()) v.major = v.text[0] >= '0' && v.text[0] <= '9' ? v.text[0] - '0' : 0;
  else v.major = like_keras3 ? 3 : config.find("\"W_regularizer\"") != config.npos ? 1 : 2;
  const std::string name = "Keras " + (v.text.empty() ? std::to_string(v.major) : printable(v.text, 20));
  if (v.major < 2) return unsupported("a model of " + name + ", whose layers were others: load it in Keras 2.2 and save it again");
  if (v.major > 3) return unsupported("a model of " + name + ": Keras 2 and 3 are read");
  return v;
}

// The bytes of a member, where they lie or inflated.
Result<Source> member(const Content& content, const std::string& name, int64_t budget) {
  const ZipArchive::Entry* entry = content.zip->find(name);
  if (entry == nullptr) return invalid(name + " is not in the archive");
  if (entry->method == 0) {
    auto bytes = content.zip->view(*entry);
    if (!bytes) return bytes.error();
    return content.source.part(*bytes);
  }
  auto bytes = content.zip->read(*entry, static_cast<uint64_t>(budget) + 16 * content.all.size());
  if (!bytes) return bytes.error();
  auto owned = std::make_shared<const std::vector<std::byte>>(std::move(*bytes));
  return Source{*owned, owned, content.source.directory, content.source.path, content.source.how};
}

std::string_view text_of(const Source& source) { return {reinterpret_cast<const char*>(source.bytes.data()), source.bytes.size()}; }

// The weights of an archive, and the files in its assets.
class ArchiveWeights : public TreeWeights {
 public:
  ArchiveWeights(hdf5::File file, const Content& content, int64_t budget) : TreeWeights(std::move(file)), content_(content), budget_(budget) {}
  Result<std::optional<std::string>> asset(const WeightPlace& place, std::string_view file) override {
    const std::string name = "assets/" + place.path + "/" + std::string(file);
    if (content_.zip->find(name) == nullptr) return std::optional<std::string>();
    auto bytes = member(content_, name, budget_);
    if (!bytes) return bytes.error();
    return std::optional<std::string>(text_of(*bytes));
  }

 private:
  const Content& content_;
  int64_t budget_;
};

bool has_any(const File& file, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) {
    auto id = file.find(file.root(), name);
    return id && *id != File::kNothing;
  });
}

}  // namespace

Result<Graph> graph_of_json(std::string_view config, const std::string& version, WeightSource& weights, const LoadOptions& options) {
  auto json = Json::parse(config);
  if (!json) return json.error();
  if (!json->is(json->root(), Kind::object)) return invalid("the model's JSON is no object");
  auto v = version_of(version, config, *json);
  if (!v) return v.error();
  Builder builder("keras");
  Net net(builder, *json, *v, weights, options.budget);
  auto graph = build_graph(net, json->root());
  if (!graph) return graph.error();
  graph->producer = "keras" + (v->text.empty() ? "" : " " + v->text);
  return graph;
}

bool looks_like_archive(const Content& content) {
  return content.has("config.json") && (content.has("metadata.json") || content.has("model.weights.h5"));
}

Result<Graph> load_archive(const Content& content, const LoadOptions& options) {
  auto config = member(content, "config.json", options.budget);
  if (!config) return config.error();
  std::string version;
  if (content.has("metadata.json")) {
    auto metadata = member(content, "metadata.json", options.budget);
    if (!metadata) return metadata.error();
    auto json = Json::parse(text_of(*metadata));
    if (!json) return json.error().within("metadata.json");
    version = text_of(*json, json->root(), "keras_version");
  }
  auto weights = member(content, "model.weights.h5", options.budget);
  if (!weights) return weights.error();
  auto file = File::open(*weights, options.budget);
  if (!file) return file.error().within("model.weights.h5");
  ArchiveWeights source(std::move(*file), content, options.budget);
  return graph_of_json(text_of(*config), version, source, options);
}

Result<Graph> load_hdf5(const Content& content, const LoadOptions& options) {
  auto file = File::open(content.source, options.budget);
  if (!file) return file.error();
  auto config = file->text(file->root(), "model_config");
  if (!config) return config.error();
  auto version = file->text(file->root(), "keras_version");
  if (!version) return version.error();
  auto listed = file->find(file->root(), "model_weights");
  if (!listed) return listed.error();
  if (*config && *listed == File::kNothing) return invalid("it has a model_config and no model_weights");
  if (*config) {
    ListedWeights source(*file, *listed);
    return graph_of_json(**config, version->value_or(""), source, options);
  }
  auto names = file->texts(file->root(), "layer_names");
  if (!names) return names.error();
  if (!*names && !has_any(*file, {"layers", "_layer_checkpoint_dependencies", "vars"})) {
    if (has_any(*file, {"optimizer", "optimizer_weights"}))
      return unsupported("a checkpoint that holds an optimizer only: name the model's own file");
    return unsupported("an HDF5 file without a model or weights of Keras; convert the model that it holds to ONNX");
  }
  if (options.architecture.empty()) {
    return unsupported("a file that holds weights only: give what model.to_json() writes in LoadOptions::architecture");
  }
  if (*names) {
    ListedWeights source(*file, file->root());
    return graph_of_json(options.architecture, version->value_or(""), source, options);
  }
  TreeWeights source(std::move(*file));
  return graph_of_json(options.architecture, version->value_or(""), source, options);
}

}  // namespace tern::keras
