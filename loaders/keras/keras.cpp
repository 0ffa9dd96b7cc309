// See keras.h.
#include "loaders/keras/keras.h"

#include <algorithm>

#include "loaders/keras/model/build.h"
#include "loaders/keras/weights/sharded_weights.h"
#include "loaders/weights/shards.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using hdf5::File;
using Kind = Json::Kind;

// A value of JSON takes more memory than its text: a list of digits twelve times as much.
Status check_size(std::string_view json, int64_t budget) {
  constexpr int64_t kBytes = 24;  // of a value, and of its place in a list while that grows
  const auto separators = std::count_if(json.begin(), json.end(), [](char c) { return c == ',' || c == ':' || c == '[' || c == '{'; });
  if (separators <= budget / kBytes) return {};
  return unsupported("the model's JSON has " + std::to_string(separators) + " values, for which LoadOptions::budget is too small");
}

std::string text_of(const Json& json, Json::Id object, std::string_view key) {
  const Json::Id id = json.get(object, key);
  return json.is(id, Kind::string) ? std::string(json.string(id)) : std::string();
}

// What the JSON says of itself, and how it looks: Keras 3 names no version in it.
std::string version_in(std::string_view config, const Json& json) {
  const std::string text = text_of(json, json.root(), "keras_version");
  if (!text.empty()) return text;
  if (config.find("\"W_regularizer\"") != config.npos) return "1";
  if (config.find("\"batch_input_shape\"") != config.npos) return "2";
  return json.get(json.root(), "registered_name") == Json::kNothing ? "" : "3";
}

// `told`: by the file that holds the JSON. Errors: a version that is not read.
Result<Version> version_of(const std::string& told, std::string_view config, const Json& json) {
  Version v;
  v.text = told.empty() ? version_in(config, json) : told;
  if (v.text.empty()) v.major = 2;
  else v.major = v.text[0] >= '0' && v.text[0] <= '9' ? v.text[0] - '0' : 0;
  const std::string name = "Keras " + (v.text.empty() ? std::to_string(v.major) : printable(v.text, 20));
  if (v.major < 2) return unsupported("a model of " + name + ", whose layers were others: load it in Keras 2.2 and save it again");
  if (v.major > 3) return unsupported("a model of " + name + ": Keras 2 and 3 are read");
  return v;
}

// The bytes of a member, where they lie or inflated. `once`: it is not asked for again.
Result<Source> member(const Content& content, const std::string& name, int64_t budget, bool once = false) {
  const ZipArchive::Entry* entry = content.zip->find(name);
  if (entry == nullptr) return invalid(name + " is not in the archive");
  if (entry->method == 0) {
    auto bytes = content.zip->view(*entry);
    if (!bytes) return bytes.error();
    return content.source.part(*bytes);
  }
  auto memory = content.zip->read_shared(*entry, static_cast<uint64_t>(budget) + 16 * content.all.size(), once);
  if (!memory) return memory.error();
  return Source{{memory->get(), entry->size}, *memory, content.source.directory, content.source.path, content.source.how};
}

std::string_view text_of(const Source& source) { return {reinterpret_cast<const char*>(source.bytes.data()), source.bytes.size()}; }

// The weights of an archive, and the files in its assets.
class ArchiveWeights : public WeightSource {
 public:
  ArchiveWeights(std::unique_ptr<WeightSource> weights, const Content& content, int64_t budget)
      : weights_(std::move(weights)), content_(content), budget_(budget) {}
  Status begin(const std::vector<std::string>& layers) override { return weights_->begin(layers); }
  Result<std::optional<StoredTensor>> find(const WeightPlace& place, std::string_view name, size_t index, const std::vector<int64_t>& dims) override {
    return weights_->find(place, name, index, dims);
  }
  Result<std::optional<std::string>> asset(const WeightPlace& place, std::string_view file) override {
    const std::string name = "assets/" + place.path + "/" + std::string(file);
    if (content_.zip->find(name) == nullptr) return std::optional<std::string>();
    auto bytes = member(content_, name, budget_);
    if (!bytes) return bytes.error();
    return std::optional<std::string>(text_of(*bytes));
  }

 private:
  std::unique_ptr<WeightSource> weights_;
  const Content& content_;
  int64_t budget_;
};

// One file, or several and their index.
Result<std::unique_ptr<WeightSource>> weights_of_archive(const Content& content, int64_t budget) {
  constexpr const char *kFile = "model.weights.h5", *kIndex = "model.weights.json", *kPickled = "model.weights.npz";
  if (!content.has(kFile) && content.has(kPickled)) {
    return unsupported(std::string(kPickled) + " holds pickled objects, which are not read: save the model with its weights in HDF5");
  }
  if (!content.has(kFile) && content.has(kIndex)) {
    auto index = member(content, kIndex, budget);
    if (!index) return index.error();
    auto files = open_shards(text_of(*index), budget, [&](const std::string& name) { return member(content, name, budget); });
    if (!files) return files.error().within(kIndex);
    return std::unique_ptr<WeightSource>(std::make_unique<ShardedWeights>(*files));
  }
  auto source = member(content, kFile, budget, content.source.once);
  if (!source) return source.error();
  auto file = File::open(*source, budget);
  if (!file) return file.error().within(kFile);
  return std::unique_ptr<WeightSource>(std::make_unique<TreeWeights>(std::move(*file)));
}

Error weights_only() { return unsupported("a file that holds weights only: give what model.to_json() writes in LoadOptions::architecture"); }

bool has_any(const File& file, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) {
    auto id = file.find(file.root(), name);
    return id && *id != File::kNothing;
  });
}

}  // namespace

bool looks_like_archive(const Content& content) {
  return content.has("config.json") && (content.has("metadata.json") || content.has("model.weights.h5"));
}

bool looks_like_index(const Content& content) {
  return looks_like_shard_index(content.source.bytes) && content.head.find(".weights.h5\"") != std::string_view::npos;
}

Result<Graph> graph_of_json(std::string_view config, const std::string& version, WeightSource& weights, const LoadOptions& options) {
  if (Status s = check_size(config, options.budget); !s) return s.error();
  auto json = Json::parse(config);
  if (!json) return json.error();
  if (!json->is(json->root(), Kind::object)) return invalid("the model's JSON is no object");
  auto v = version_of(version, config, *json);
  if (!v) return v.error();
  Builder builder("keras");
  Net net(builder, *json, *v, weights, options.budget);
  auto graph = build_graph(net, json->root(), options.inputs);
  if (!graph) return graph.error();
  graph->producer = "keras" + (v->text.empty() ? "" : " " + v->text);
  return graph;
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
  auto weights = weights_of_archive(content, options.budget);
  if (!weights) return weights.error();
  ArchiveWeights source(std::move(*weights), content, options.budget);
  return graph_of_json(text_of(*config), version, source, options);
}

Result<Graph> load_index(const Content& content, const LoadOptions& options) {
  if (options.architecture.empty()) return weights_only();
  auto files = open_shards(content.all, options.budget, [&](const std::string& name) { return map_sibling(content.source, name); });
  if (!files) return files.error();
  ShardedWeights weights(*files);
  return graph_of_json(options.architecture, "", weights, options);
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
  auto backend = file->text(file->root(), "backend");
  if (!backend) return backend.error();
  if (*config && backend->value_or("") == "theano" && (*config)->find("Conv") != std::string::npos) {
    return unsupported(
        "a model of Keras on Theano, whose convolutions turn their kernels around: load it in Keras 2.2 on TensorFlow and save it again");
  }
  if (*config) {
    ListedWeights source(*file, *listed);
    return graph_of_json(**config, version->value_or(""), source, options);
  }
  auto names = file->texts(file->root(), "layer_names");
  if (!names) return names.error();
  if (!*names && !TreeWeights::recognises(*file)) {
    if (has_any(*file, {"optimizer", "optimizer_weights"}))
      return unsupported("a checkpoint that holds an optimizer only: name the model's own file");
    return unsupported("an HDF5 file without a model or weights of Keras; convert the model that it holds to ONNX");
  }
  if (options.architecture.empty()) return weights_only();
  if (*names) {
    ListedWeights source(*file, file->root());
    return graph_of_json(options.architecture, "", source, options);
  }
  TreeWeights source(std::move(*file));
  return graph_of_json(options.architecture, "", source, options);
}

}  // namespace tern::keras
