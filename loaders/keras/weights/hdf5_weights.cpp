// See hdf5_weights.h.
#include "loaders/keras/weights/hdf5_weights.h"

#include <algorithm>

#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using hdf5::File;

constexpr std::string_view kLayers = "layers", kOldLayers = "_layer_checkpoint_dependencies";

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

// "dense_1_W" and "dense_1_b": how Keras 1 called weights.
bool is_of_keras_1(std::string_view name) { return name.find('/') == name.npos && (name.ends_with("_W") || name.ends_with("_b")); }

}  // namespace

Result<StoredTensor> read_weight(const File& file, File::Id dataset) {
  auto tensor = file.read(dataset);
  if (!tensor) return tensor.error().within(file.path(dataset));
  if (tensor->dtype_name == "opaque" && tensor->element_size == 2) {
    auto dtype = file.text(dataset, "dtype");
    if (!dtype) return dtype.error().within(file.path(dataset));
    if (dtype->value_or("bfloat16") == "bfloat16") {
      tensor->dtype = DType::bf16;
      tensor->dtype_name = name(DType::bf16);
    }
  }
  return tensor;
}

bool TreeWeights::recognises(const File& file) {
  const auto top = file.children(file.root());
  return std::any_of(top.begin(), top.end(), [&](File::Id id) {
    const std::string_view name = file.name(id);
    return name == "vars" || name.starts_with(kLayers) || name.starts_with(kOldLayers);
  });
}

Result<std::optional<StoredTensor>> TreeWeights::find(const WeightPlace& place, std::string_view name, size_t index, const std::vector<int64_t>&) {
  auto group = vars(place);
  if (!group) return group.error();
  if (*group == File::kNothing) return std::optional<StoredTensor>();
  auto id = file_.find(*group, std::to_string(index));
  if (id && *id == File::kNothing) id = file_.find(*group, name);  // of layers that write their own: "idf_weights"
  if (!id) return id.error();
  if (*id == File::kNothing) return std::optional<StoredTensor>();
  auto tensor = read_weight(file_, *id);
  if (!tensor) return tensor.error();
  return std::optional<StoredTensor>(std::move(*tensor));
}

// The group of a layer's own variables.
Result<File::Id> TreeWeights::vars(const WeightPlace& place) {
  if (const auto known = vars_.find(place.path); known != vars_.end()) return known->second;
  auto object = resolve(file_.root(), place.path);
  if (!object) return object.error();
  const size_t begin = place.path.find('/') + 1, end = std::min(place.path.find('/', begin), place.path.size());  // of the outermost layer's
  if (*object == File::kNothing && begin > 0 && !place.names.empty()) {
    if (Status s = note_names(); !s) return s.error();
    const auto layer = by_name_->find(place.names[0]);
    if (layer != by_name_->end() && layer->second != File::kNothing) object = resolve(layer->second, place.path.substr(end));
    if (!object) return object.error();
  }
  auto group = *object == File::kNothing ? object : file_.find(*object, "vars");
  if (group) vars_.emplace(place.path, *group);
  return group;
}

Result<File::Id> TreeWeights::resolve(File::Id from, std::string_view path) const {
  const std::vector<std::string> steps = split(path);
  if (steps.size() > 1) {
    for (const std::string_view layers : {kLayers, kOldLayers}) {
      std::string windows;
      for (const std::string& step : steps) windows += (windows.empty() ? "" : "\\") + (step == kLayers ? std::string(layers) : step);
      auto whole = file_.find(from, windows);
      if (!whole || *whole != File::kNothing) return whole;
    }
  }
  for (const std::string& step : steps) {
    auto next = file_.find(from, step);
    if (next && *next == File::kNothing) next = file_.find(from, step == kLayers ? std::string(kOldLayers) : "_" + step);
    if (!next || *next == File::kNothing) return next;
    from = *next;
  }
  return from;
}

// Each group of variables notes the name of its layer; those of the outermost model's layers count here.
Status TreeWeights::note_names() {
  if (by_name_) return {};
  by_name_.emplace();
  for (const std::string_view top : {kLayers, kOldLayers}) {
    auto layers = file_.find(file_.root(), top);
    if (!layers) return layers.error();
    if (*layers == File::kNothing) continue;
    for (const File::Id layer : file_.children(*layers)) {
      auto group = file_.find(layer, "vars");
      if (!group) return group.error();
      if (*group == File::kNothing) continue;
      auto its_name = file_.text(*group, "name");
      if (!its_name) return its_name.error().within(file_.path(*group));
      if (!*its_name) continue;
      const auto [at, is_new] = by_name_->emplace(**its_name, layer);
      if (!is_new) at->second = File::kNothing;
    }
  }
  return {};
}

bool ListedWeights::recognises(const File& file) {
  auto names = file.texts(file.root(), "layer_names");
  return !names || names->has_value();  // damaged ones are said to be when they are read
}

// By names when the model has all layers that have weights in the file; else the n-th layer of one is the n-th of the other.
Status ListedWeights::begin(const std::vector<std::string>& layers) {
  auto listed = file_.texts(group_, "layer_names");
  if (!listed) return listed.error();
  if (!*listed) return {};
  bool by_name = true;
  for (const std::string& name : **listed) {
    if (std::find(layers.begin(), layers.end(), name) != layers.end()) continue;
    auto weights = group(name);
    if (!weights) return weights.error();
    by_name = by_name && (*weights)->empty();
  }
  if (by_name) return {};
  if ((*listed)->size() != layers.size()) {
    return invalid("the file's layers are not the model's: it has " + std::to_string((*listed)->size()) + ", among them " +
                   printable((*listed)->back(), 100) + ", and the model " + std::to_string(layers.size()));
  }
  for (size_t i = 0; i < layers.size(); ++i) matched_.emplace(layers[i], (**listed)[i]);
  return {};
}

Result<ListedWeights::Group*> ListedWeights::group(const std::string& layer) {
  if (auto known = groups_.find(layer); known != groups_.end()) return &known->second;
  Group made;
  auto id = file_.find(group_, layer);
  if (!id) return id.error();
  if (*id != File::kNothing) {
    auto names = file_.texts(*id, "weight_names");
    if (!names) return names.error();
    for (const std::string& name : names->value_or(std::vector<std::string>())) {
      const std::string where = "weight_names of " + file_.path(*id);
      if (is_of_keras_1(name)) return unsupported("weights of Keras 1, whose layers had others: load them in Keras 2.2 and save them again");
      auto weight = file_.find(*id, name);
      if (!weight) return weight.error();
      if (*weight == File::kNothing) return invalid(where + " names " + printable(name, 100) + ", which is not there");
      Entry entry{split(name), *weight};
      if (entry.parts.empty()) return invalid(where + " has an empty name");
      std::string& last = entry.parts.back();
      if (const size_t colon = last.rfind(':'); colon != last.npos) last.resize(colon);
      made.push_back(std::move(entry));
    }
  }
  return &groups_.emplace(layer, std::move(made)).first->second;
}

// Of those that were not taken and have the name: the one whose path has most of the layers around it. None has it: the first that is left and has
// the dims.
// What LoRA adds to weights, of layers that have not asked for it: those inside of others, whose config does not tell, and quantised ones.
Status ListedWeights::finish() {
  for (const auto& [layer, entries] : groups_) {
    for (const Entry& e : entries) {
      if (e.used || !e.parts.back().starts_with("lora_")) continue;
      return unsupported("layer " + printable(layer, 80) +
                         " has weights of LoRA that are not read here, and .h5 keeps them apart: save the model as .keras, which adds them up");
    }
  }
  return {};
}

Result<std::optional<StoredTensor>> ListedWeights::find(const WeightPlace& place, std::string_view name, size_t, const std::vector<int64_t>& dims) {
  if (place.names.empty()) return std::optional<StoredTensor>();
  const auto matched = matched_.find(place.names[0]);
  auto layer = group(matched == matched_.end() ? place.names[0] : matched->second);
  if (!layer) return layer.error();
  Entry* best = nullptr;
  int64_t most = -1;
  for (Entry& e : **layer) {
    if (e.used || e.parts.back() != name) continue;
    int64_t score = 0;
    for (const std::string& n : place.names) score += std::find(e.parts.begin(), e.parts.end(), n) != e.parts.end();
    if (score > most) best = &e, most = score;
  }
  for (Entry& e : **layer) {
    if (best != nullptr || dims.empty()) break;
    if (e.used) continue;
    auto described = file_.describe(e.id);
    if (!described) return described.error().within(file_.path(e.id));
    if (fits(described->sizes, dims)) best = &e;
  }
  if (best == nullptr) return std::optional<StoredTensor>();
  best->used = true;
  auto tensor = read_weight(file_, best->id);
  if (!tensor) return tensor.error();
  return std::optional<StoredTensor>(std::move(*tensor));
}

}  // namespace tern::keras
