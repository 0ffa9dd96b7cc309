// See archive.h.
#include "loaders/torch/export/archive.h"

#include <vector>

#include "loaders/torch/export/schema.h"
#include "loaders/torch/pickle/checkpoint.h"

namespace tern::torch {
namespace {

constexpr std::string_view kOldProgram = "serialized_exported_program.json";
// torch stores members as they are; compressed ones may grow as texts and weights do.
constexpr uint64_t kFreeGrowth = uint64_t(8) << 20, kMostGrowth = 64;

using Entry = ZipArchive::Entry;

// "archive/", from the first member; "" when it lies in no folder.
std::string root_of(const ZipArchive& zip) {
  const std::string& first = zip.entries()[0].name;
  return first.substr(0, first.find('/') + 1);
}

// M of "ROOT/models/M.json".
std::vector<std::string> programs_of(const ZipArchive& zip, const std::string& root) {
  std::vector<std::string> names;
  const std::string folder = root + "models/";
  for (const Entry& e : zip.entries()) {
    if (e.name.starts_with(folder) && e.name.ends_with(".json") && e.name.size() > folder.size() + 5)
      names.push_back(e.name.substr(folder.size(), e.name.size() - folder.size() - 5));
  }
  return names;
}

class Reader {
 public:
  Reader(const Source& source, const ZipArchive& zip, std::string root) : source_(source), zip_(zip), root_(std::move(root)) {}
  ExportArchive out;

  Result<std::string> text(const std::string& name) const {
    const Entry* entry = zip_.find(name);
    if (entry == nullptr) return invalid(name + " is not in the archive");
    auto bytes = zip_.read(*entry, most(*entry));
    if (!bytes) return bytes.error();
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }

  // A dictionary of tensors that torch.save wrote. What is no tensor there (an opaque object) is no weight.
  Status pickled(const std::string& name) {
    auto checkpoint = open_checkpoint(name);
    if (!checkpoint) return checkpoint.error().within(name);
    if (!checkpoint->is_dict(checkpoint->root())) return invalid(name + " is no dictionary");
    auto tensors = checkpoint->state_dict({"", checkpoint->root(), 0});
    if (!tensors) return tensors.error().within(name);
    for (StateDict::Entry& e : tensors->entries) out.tensors.emplace(std::move(e.name), std::move(e.tensor));
    return {};
  }

  // {"config": {"fc.weight": {"path_name": "weight_0", "use_pickle": false, "tensor_meta": …}}}
  Status configured(const std::string& folder, const std::string& name) {
    auto json_text = text(name);
    if (!json_text) return json_text.error();
    auto json = Json::parse(*json_text);
    if (!json) return json.error().within(name);
    const Json::Id config = json->get(json->root(), "config");
    if (!json->is(config, Json::Kind::object)) return invalid(name + " has no config");
    for (size_t i = 0; i < json->size(config); ++i) {
      const std::string tensor(json->key(config, i));
      auto read = payload(*json, json->item(config, i), folder);
      if (!read) return read.error().within(tensor);
      if (*read) out.tensors.emplace(tensor, std::move(**read));
    }
    return {};
  }

 private:
  static uint64_t most(const Entry& entry) { return kFreeGrowth + kMostGrowth * entry.compressed; }

  Result<std::span<const std::byte>> view(const std::string& name, std::shared_ptr<const void>& owner) {
    const Entry* entry = zip_.find(name);
    if (entry == nullptr) return invalid(name + " is not in the archive");
    if (entry->method == 0) {
      owner = source_.owner;
      return zip_.view(*entry);
    }
    auto memory = zip_.read_shared(*entry, most(*entry));
    if (!memory) return memory.error();
    owner = *memory;
    return std::span(memory->get(), entry->size);
  }

  Result<Checkpoint> open_checkpoint(const std::string& name) {
    std::shared_ptr<const void> owner;
    auto bytes = view(name, owner);
    if (!bytes) return bytes.error();
    Source part = source_.part(*bytes);
    part.owner = owner;
    return Checkpoint::open(part);
  }

  // Nothing: an object that is no tensor, which matters only to a program that uses it.
  Result<std::optional<StoredTensor>> payload(const Json& json, Json::Id about, const std::string& folder) {
    const std::string path = folder + std::string(text_of(json, about, "path_name"));
    const Json::Id meta = json.get(about, "tensor_meta"), pickle = json.get(about, "use_pickle");
    if (json.is(pickle, Json::Kind::boolean) && json.boolean(pickle)) {
      auto checkpoint = open_checkpoint(path);
      if (!checkpoint) return checkpoint.error();
      if (!checkpoint->is_tensor(checkpoint->root())) return std::optional<StoredTensor>();
      auto tensor = checkpoint->tensor(checkpoint->root());
      if (!tensor) return tensor.error();
      return std::optional(std::move(*tensor));
    }
    if (!json.is(meta, Json::Kind::object)) return std::optional<StoredTensor>();
    StoredTensor t;
    if (Status s = read_meta(json, meta, t); !s) return s.error();
    auto storage = raw(path);
    if (!storage) return storage.error();
    t.storage = *storage;
    if (Status s = check_view(t); !s) return s.error();
    return std::optional(std::move(t));
  }

  // The bytes of a whole storage, which several tensors may share.
  Result<std::shared_ptr<const Storage>> raw(const std::string& path) {
    if (auto known = storages_.find(path); known != storages_.end()) return known->second;
    auto storage = std::make_shared<Storage>();
    auto bytes = view(path, storage->owner);
    if (!bytes) return bytes.error();
    storage->bytes = *bytes;
    storage->key = path;
    if (storage->owner == source_.owner) storage->readable_after = source_.bytes.data() + source_.bytes.size() - (bytes->data() + bytes->size());
    storages_.emplace(path, storage);
    return std::shared_ptr<const Storage>(storage);
  }

  const Source& source_;
  const ZipArchive& zip_;
  const std::string root_;
  std::map<std::string, std::shared_ptr<const Storage>, std::less<>> storages_;
};

Result<ExportArchive> open_old(const Source& source, const ZipArchive& zip) {
  Reader reader(source, zip, "");
  auto program = reader.text(std::string(kOldProgram));
  if (!program) return program.error();
  reader.out.program = std::move(*program);
  for (const char* name : {"serialized_state_dict.pt", "serialized_constants.pt"}) {
    if (zip.find(name) == nullptr) continue;  // the program tells what it misses
    if (Status s = reader.pickled(name); !s) return s.error();
  }
  return std::move(reader.out);
}

}  // namespace

bool looks_like_export(const ZipArchive& zip) {
  if (zip.entries().empty()) return false;
  if (zip.find(kOldProgram) != nullptr) return true;
  const std::string root = root_of(zip);
  return zip.find(root + "archive_format") != nullptr || !programs_of(zip, root).empty();
}

Result<ExportArchive> open_export(const Source& source, const ZipArchive& zip, const std::string& key) {
  if (zip.find(kOldProgram) != nullptr) return open_old(source, zip);
  const std::string root = root_of(zip);
  const std::vector<std::string> programs = programs_of(zip, root);
  if (programs.empty()) return unsupported("the archive holds no program (compiled code only?); save the exported program with torch.export.save");
  std::string name = programs[0], all;
  for (const std::string& p : programs) {
    all += (all.empty() ? "" : ", ") + p;
    if (p == key) name = p;
  }
  if (programs.size() > 1 && name != key) return usage("the archive holds several programs: " + all + "; choose one with LoadOptions::key");
  if (const Entry* order = zip.find(root + "byteorder")) {
    auto text = zip.read(*order, 64);
    if (!text) return text.error();
    if (std::string_view(reinterpret_cast<const char*>(text->data()), text->size()) != "little")
      return unsupported("weights of a big-endian machine are not supported");
  }
  Reader reader(source, zip, root);
  auto program = reader.text(root + "models/" + name + ".json");
  if (!program) return program.error();
  reader.out.program = std::move(*program);
  for (const char* kind : {"weights", "constants"}) {
    const std::string folder = root + "data/" + kind + "/", config = folder + name + "_" + kind + "_config.json", pickle = folder + name + ".pt";
    const bool configured = zip.find(config) != nullptr;
    if (!configured && zip.find(pickle) == nullptr) continue;
    if (Status s = configured ? reader.configured(folder, config) : reader.pickled(pickle); !s) return s.error();
  }
  return std::move(reader.out);
}

}  // namespace tern::torch
