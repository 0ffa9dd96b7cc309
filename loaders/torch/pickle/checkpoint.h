// Checkpoint: a file that torch.save wrote, in its zip or legacy form, or a bare pickle. Objects stay inert; this says what the known
// ones mean: tensors, dictionaries, modules. Next: checkpoint.cpp (containers), rebuild.cpp (tensors), numpy.cpp (arrays), walk.cpp (what is where),
// modules.cpp (whole modules).
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "loaders/source.h"
#include "loaders/torch/module/module.h"
#include "loaders/torch/pickle/pickle.h"
#include "loaders/weights/tensors.h"
#include "loaders/zip/zip.h"

namespace tern::torch {

struct ElementType;  // module/dtypes.h

// Could these bytes be one? (A zip archive, the legacy magic number, a pickle.)
bool looks_like_checkpoint(std::span<const std::byte> bytes);

class Checkpoint {
 public:
  // Errors: damaged, or another kind of archive (invalid); big ZIP features (unsupported). TorchScript is refused before (formats.h).
  static Result<Checkpoint> open(const Source& source);
  // The same for an archive whose directory is already read.
  static Result<Checkpoint> open(const Source& source, std::shared_ptr<const ZipArchive> zip);

  const std::string& format() const { return format_; }  // "pytorch (zip)", "pytorch (legacy)", "pickle"
  const Pickle& pickle() const { return *pickle_; }
  ObjectId root() const { return pickle_->root(); }

  // ---- rebuild.cpp ----
  bool is_tensor(ObjectId id) const;
  // A tensor, or a NumPy array in a file that has no tensors.
  bool is_weight(ObjectId id) const;
  bool has_weights() const;
  // What the object rebuilds to; a refusal inside for what can be named but not used (sparse). Errors: damaged.
  Result<StoredTensor> tensor(ObjectId id) const;

  // ---- walk.cpp ----
  using Pairs = std::vector<std::pair<ObjectId, ObjectId>>;
  // Keys and values of a dict, OrderedDict, defaultdict …, as Python would hold them; nothing when it is none.
  bool is_dict(ObjectId id) const;
  Pairs pairs(ObjectId id) const;
  ObjectId get(ObjectId dict, std::string_view key) const;
  // Every tensor of the file: nested keys joined with dots. A tensor with two names is listed twice.
  Result<StateDict> list() const;
  // A key as the name of what it holds: 'a' as a, 0 as 0.
  std::string key_text(ObjectId key) const;
  // Dictionaries (and modules) that hold weights.
  struct Candidate {
    std::string path;  // keys joined with dots; empty: the file's root
    ObjectId id;
    size_t tensors;
  };
  std::vector<Candidate> candidates() const;
  // The one that `key` names (its path, or the last or first part of it); without a key the only one. Errors: none, several (usage), naming them.
  Result<Candidate> select(std::string_view key) const;
  // Its tensors, with what `_metadata` says of modules.
  Result<StateDict> state_dict(const Candidate& candidate) const;
  // Names of globals that are not in the table of known ones: what would have been imported and called elsewhere.
  std::vector<std::string> unknown_globals() const;

  // ---- modules.cpp ----
  bool is_module(ObjectId id) const;
  // The tree of a pickled module; DataParallel and torch.compile wrappers are taken off. Errors: damaged, too deep.
  Result<std::shared_ptr<Module>> module(ObjectId id) const;
  // The same with its wrappers.
  Result<std::shared_ptr<Module>> wrapped_module(ObjectId id) const;

 private:
  Checkpoint() = default;
  static Result<Checkpoint> open_legacy(const Source& source);
  static Result<Checkpoint> open_pickle(const Source& source);
  // rebuild.cpp
  Result<std::shared_ptr<const Storage>> storage(ObjectId persistent, const ElementType*& type) const;
  Result<std::shared_ptr<const Storage>> stored(const std::string& key, int64_t bytes) const;
  Result<const Checkpoint*> nested(ObjectId call) const;
  bool is_changed(ObjectId call) const;
  Result<StoredTensor> rebuild(ObjectId call, std::string_view name) const;
  Result<StoredTensor> view_of(ObjectId storage, ObjectId offset, ObjectId size, ObjectId stride) const;
  void swap_bytes(StoredTensor& tensor) const;
  bool read_ints(ObjectId id, std::vector<int64_t>& out) const;
  // numpy.cpp
  Result<std::shared_ptr<const Storage>> bytes_of(ObjectId id) const;
  bool is_array(ObjectId id) const;
  Result<StoredTensor> from_numpy(ObjectId array) const;
  std::optional<Literal> numpy_scalar(ObjectId id) const;
  // walk.cpp
  bool is_weights(ObjectId id, std::unordered_map<ObjectId, bool>& known) const;
  bool is_scalars(ObjectId id) const;
  // modules.cpp
  ObjectId class_of(ObjectId call) const;  // the global; kNoObject when the callable is none
  Literal literal(ObjectId id, int depth, int& room) const;
  Status read_module(ObjectId id, Module& module) const;
  Status read_hooks(ObjectId hooks, Module& module) const;
  // A tree as it unfolds: modules may be shared, and then a small file can stand for a tree of any size.
  struct Tree {
    std::shared_ptr<Module> module;  // null: not finished
    int height = 1;
    size_t names = 1, tensors = 0, bytes = 0;  // of everything in it: modules and tensors, those of the state_dict, their names' bytes
    std::optional<Error> error;
  };
  Result<const Tree*> tree(ObjectId id) const;
  ObjectId unwrapped(ObjectId id) const;

  std::string format_;
  Source source_;
  std::shared_ptr<const ZipArchive> zip_;
  std::string prefix_;  // "archive/"
  bool big_endian_ = false;
  std::shared_ptr<const std::vector<std::byte>> inflated_;  // what the pickle's texts may point into
  mutable uint64_t room_for_inflated_ = 0;                  // bytes that storages may still decompress to
  std::shared_ptr<const Pickle> pickle_;
  std::map<std::string, std::span<const std::byte>, std::less<>> legacy_;  // storages by key
  mutable std::map<std::string, std::shared_ptr<const Storage>, std::less<>> storages_;
  mutable std::unordered_map<const void*, std::shared_ptr<const Checkpoint>> nested_;  // storages inside a bare pickle, by their place
  mutable std::unordered_map<ObjectId, Tree> trees_;                                   // of modules
  mutable std::optional<std::map<std::string, std::string>> sources_;                  // of classes
  mutable std::optional<bool> arrays_;                                                 // is_weight: NumPy's arrays too?
  std::vector<std::string> more_globals_;                                              // unknown ones of a legacy file's other pickles
};

// Is a global's meaning known (reference table of rebuild.cpp), so that nothing strange would have run?
bool is_known_global(const Pickle::Global& global);
// Strides of a dense array: the last axis varies fastest, or the first in Fortran's order.
std::vector<int64_t> dense_strides(const std::vector<int64_t>& sizes, bool fortran);

}  // namespace tern::torch
