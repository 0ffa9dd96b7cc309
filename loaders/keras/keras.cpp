// See keras.h.
#include "loaders/keras/keras.h"

#include "loaders/keras/model/build.h"
#include "loaders/keras/weights/hdf5_weights.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using hdf5::File;
using Kind = Json::Kind;

// "3.15.1" and "2.2.4-tf" have a major version; a model's JSON without any is told by how Keras 3 writes it.
Version version_of(const std::string& text, const Json& json) {
  Version v;
  v.text = text;
  if (!text.empty()) v.major = text[0] - '0';
  else v.major = json.get(json.root(), "registered_name") == Json::kNothing ? 2 : 3;
  return v;
}

std::string text_of(const Json& json, Json::Id object, std::string_view key) {
  const Json::Id id = json.get(object, key);
  return json.is(id, Kind::string) ? std::string(json.string(id)) : std::string();
}

// `version`: of the writer; else the JSON's own.
Result<Graph> build(std::string_view config, std::string version, WeightSource& weights, const LoadOptions& options) {
  auto json = Json::parse(config);
  if (!json) return json.error();
  if (!json->is(json->root(), Kind::object)) return invalid("the model's JSON is no object");
  if (version.empty()) version = text_of(*json, json->root(), "keras_version");
  const Version v = version_of(version, *json);
  if (v.major < 2) return unsupported("a model of Keras " + printable(v.text, 20) + ", which has other layers: load and save it with Keras 2");
  Builder builder("keras");
  Net net(builder, *json, v, weights, options.budget);
  auto graph = build_graph(net, json->root());
  if (!graph) return graph.error();
  graph->producer = "keras" + (v.text.empty() ? "" : " " + v.text);
  return graph;
}

// The bytes of a member, where they lie or inflated.
Result<Source> member(const Content& content, const char* name, int64_t budget) {
  const ZipArchive::Entry* entry = content.zip->find(name);
  if (entry == nullptr) return invalid(std::string(name) + " is not in the archive");
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

}  // namespace

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
  TreeWeights source(std::move(*file));
  return build(text_of(*config), version, source, options);
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
    return build(**config, version->value_or(""), source, options);
  }
  if (options.architecture.empty()) {
    return unsupported("a file that holds weights only: give what model.to_json() writes in LoadOptions::architecture");
  }
  auto names = file->texts(file->root(), "layer_names");
  if (!names) return names.error();
  if (*names) {
    ListedWeights source(*file, file->root());
    return build(options.architecture, version->value_or(""), source, options);
  }
  TreeWeights source(std::move(*file));
  return build(options.architecture, version->value_or(""), source, options);
}

}  // namespace tern::keras
