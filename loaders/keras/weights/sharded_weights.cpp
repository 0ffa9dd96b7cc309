// See sharded_weights.h. Which file has a layer is not looked up in the index: every file is asked, so that all spellings of a path are found.
#include "loaders/keras/weights/sharded_weights.h"

#include <set>

namespace tern::keras {
namespace {

constexpr size_t kMostFiles = 1024;

// The names of all files, sorted. Errors: a value that is neither a name nor a list of names.
Result<std::set<std::string>> file_names(const Json& json) {
  using Kind = Json::Kind;
  const Json::Id map = json.get(json.root(), "weight_map");
  if (!json.is(map, Kind::object)) return invalid("the index of the weights has no weight_map");
  std::set<std::string> names;
  for (size_t i = 0; i < json.size(map); ++i) {
    const Json::Id value = json.item(map, i);
    const bool list = json.is(value, Kind::array);
    for (size_t k = 0; k < (list ? json.size(value) : 1); ++k) {
      const Json::Id name = list ? json.item(value, k) : value;
      if (!json.is(name, Kind::string)) return invalid("weight_map has a value that is no file name");
      names.emplace(json.string(name));
    }
  }
  if (names.size() > kMostFiles) return invalid("weight_map names " + std::to_string(names.size()) + " files, at most 1024 are read");
  return names;
}

}  // namespace

Result<std::vector<hdf5::File>> open_shards(std::string_view index, int64_t budget, const std::function<Result<Source>(const std::string&)>& open) {
  auto json = Json::parse(index);
  if (!json) return json.error();
  auto names = file_names(*json);
  if (!names) return names.error();
  std::vector<hdf5::File> files;
  for (const std::string& name : *names) {
    auto source = open(name);
    if (!source) return source.error();
    auto file = hdf5::File::open(*source, budget / static_cast<int64_t>(names->size()));
    if (!file) return file.error().within(name);
    files.push_back(std::move(*file));
  }
  return files;
}

Result<std::optional<StoredTensor>> ShardedWeights::find(const WeightPlace& place, std::string_view name, size_t index,
                                                         const std::vector<int64_t>& dims) {
  for (TreeWeights& file : files_) {
    auto found = file.find(place, name, index, dims);
    if (!found || *found) return found;
  }
  return std::optional<StoredTensor>();
}

}  // namespace tern::keras
