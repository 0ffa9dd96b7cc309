// See hdf5_weights.h.
#include "loaders/keras/weights/hdf5_weights.h"

#include <algorithm>

namespace tern::keras {
namespace {

using hdf5::File;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

}  // namespace

Result<std::optional<StoredTensor>> TreeWeights::find(const WeightPlace& place, std::string_view, size_t index, const std::vector<int64_t>&) {
  auto id = file_.find(file_.root(), place.path + (place.path.empty() ? "vars/" : "/vars/") + std::to_string(index));
  if (!id) return id.error();
  if (*id == File::kNothing) return std::optional<StoredTensor>();
  auto tensor = file_.read(*id);
  if (!tensor) return tensor.error();
  return std::optional<StoredTensor>(std::move(*tensor));
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
      auto weight = file_.find(*id, name);
      if (!weight) return weight.error();
      if (*weight == File::kNothing) return invalid("weight_names of " + file_.path(*id) + " names a weight that is not there");
      Entry entry{split(name), *weight};
      if (entry.parts.empty()) return invalid("weight_names of " + file_.path(*id) + " has an empty name");
      std::string& last = entry.parts.back();
      if (const size_t colon = last.rfind(':'); colon != last.npos) last.resize(colon);
      made.entries.push_back(std::move(entry));
    }
  }
  return &groups_.emplace(layer, std::move(made)).first->second;
}

// Of those that were not taken and have the name: the one whose path has most of the layers around it. None has it: the first that is left.
Result<std::optional<StoredTensor>> ListedWeights::find(const WeightPlace& place, std::string_view name, size_t, const std::vector<int64_t>&) {
  if (place.names.empty()) return std::optional<StoredTensor>();
  auto layer = group(place.names[0]);
  if (!layer) return layer.error();
  Entry* best = nullptr;
  int64_t most = -1;
  for (Entry& e : (*layer)->entries) {
    if (e.used || e.parts.back() != name) continue;
    int64_t score = 0;
    for (const std::string& n : place.names) score += std::find(e.parts.begin(), e.parts.end(), n) != e.parts.end();
    if (score > most) best = &e, most = score;
  }
  for (Entry& e : (*layer)->entries) {
    if (best == nullptr && !e.used) best = &e;
  }
  if (best == nullptr) return std::optional<StoredTensor>();
  best->used = true;
  auto tensor = file_.read(best->id);
  if (!tensor) return tensor.error();
  return std::optional<StoredTensor>(std::move(*tensor));
}

}  // namespace tern::keras
