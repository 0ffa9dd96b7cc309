// See list.h.
#include "loaders/keras/weights/list.h"

#include "loaders/keras/keras.h"
#include "loaders/keras/weights/sharded_weights.h"

namespace tern::keras {
namespace {

using hdf5::File;

// All datasets of a file; those that are not read with the reason.
Status append(const File& file, StateDict& out) {
  for (File::Id id = 0; id < file.objects(); ++id) {
    if (file.kind(id) != File::Kind::dataset) continue;
    auto tensor = read_weight(file, id);
    if (!tensor && tensor.error().code() == Code::kUnsupported) tensor = file.describe(id);
    if (!tensor) return tensor.error();
    out.entries.push_back({file.path(id), std::move(*tensor)});
  }
  return {};
}

Status append_metadata(const File& file, StateDict& out) {
  auto names = file.attribute_names(file.root());
  if (!names) return names.error();
  for (const std::string& name : *names) {
    auto text = file.text(file.root(), name);
    if (text && *text) out.metadata.emplace_back(name, std::move(**text));
  }
  return {};
}

}  // namespace

Result<std::optional<WeightList>> list_weights(const Content& content, const LoadOptions& options) {
  WeightList list;
  if (looks_like_index(content)) {
    list.format = "weights of Keras (HDF5, several files)";
    auto files = open_shards(content.all, options.budget, [&](const std::string& name) { return map_sibling(content.source, name); });
    if (!files) return files.error();
    for (const File& file : *files) {
      if (Status s = append(file, list.tensors); !s) return s.error();
    }
    return std::optional(std::move(list));
  }
  if (!hdf5::looks_like_hdf5(content.source.bytes)) return std::optional<WeightList>();
  auto file = File::open(content.source, options.budget);
  if (!file) return file.error();
  auto model = file->text(file->root(), "model_config");
  if (!model) return model.error();
  if (*model) return std::optional<WeightList>();
  list.format = TreeWeights::recognises(*file) || ListedWeights::recognises(*file) ? "weights of Keras (HDF5)" : "HDF5";
  if (Status s = append(*file, list.tensors); !s) return s.error();
  if (Status s = append_metadata(*file, list.tensors); !s) return s.error();
  return std::optional(std::move(list));
}

}  // namespace tern::keras
