// HDF5 files: groups of groups and datasets, with attributes on each. Keras keeps weights in them (.h5, and inside .keras). Our own reader,
// because libhdf5's record with hostile files is long: what a file says is checked before it is believed, nothing but its bytes is opened,
// and all work on one File is linear in its size. The bytes as tables: loaders/README.md. Next: hdf5.cpp, then space.h.
//   auto file = hdf5::File::open(source, options.budget);
//   auto kernel = file->find(file->root(), "model_weights/dense/dense/kernel:0");
//   auto tensor = file->read(*kernel);
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/source.h"
#include "loaders/weights/tensors.h"

namespace tern::hdf5 {

// Behind a block of other bytes (512, 1024, 2048 … of them) too.
bool looks_like_hdf5(std::span<const std::byte> bytes);

// Copies share what was read already, so a File and its copies belong to one thread at a time. Messages name no path: callers do (`path`).
class File {
 public:
  using Id = uint32_t;  // an object by one of its names
  static constexpr Id kNothing = 0xffffffff;
  enum class Kind : uint8_t { group, dataset, datatype, soft_link, external_link, user_link };

  // Reads every group, so that the tree of names is known. `budget`: bytes beyond what the file explains that all tensors and texts read from
  // it may need. Errors: damaged, groups that contain themselves or have two names (invalid); of a kind that is not read (unsupported).
  static Result<File> open(const Source& source, int64_t budget);

  Id root() const { return 0; }
  Kind kind(Id id) const;
  std::string_view name(Id id) const;     // in its group; as the file has it, which may be any bytes
  std::string path(Id id) const;          // from the root, "model_weights/dense", printable; "/" for the root
  std::vector<Id> children(Id id) const;  // of a group, in the order of their names' bytes
  size_t objects() const;                 // ids are 0 to objects() - 1, parents before children
  // What lies at `path` ("a/b/c") below a group, and kNothing where nothing does. Errors: a link on the way, or at its end (unsupported).
  Result<Id> find(Id from, std::string_view path) const;

  // Attributes by name; nothing when the object has none of that name. Numbers and truth values are any integer, float or bool, one of them.
  // Errors: damaged, other types and shapes (invalid); what is not read (unsupported).
  Result<std::vector<std::string>> attribute_names(Id id) const;
  Result<std::optional<std::string>> text(Id id, std::string_view name) const;
  Result<std::optional<double>> number(Id id, std::string_view name) const;
  // A list of texts (an empty one may have any type), whole or split as Keras does: name0, name1, ….
  Result<std::optional<std::vector<std::string>>> texts(Id id, std::string_view name) const;

  // A dataset's dtype and sizes, with a refusal where it cannot be read; no storage. Opaque elements have dtype none and the name "opaque".
  Result<StoredTensor> describe(Id id) const;
  // With its elements: in place where they lie in one piece as the machine has them, else a copy (chunks, other byte order). Twice the same
  // storage for one dataset. Errors: damaged, beyond the budget (invalid); filters and kinds of storage that are not read (unsupported).
  Result<StoredTensor> read(Id id) const;
  // The elements of a dataset of strings, row-major.
  Result<std::vector<std::string>> strings(Id id) const;

 private:
  struct Body;
  explicit File(std::shared_ptr<Body> body) : body_(std::move(body)) {}
  std::shared_ptr<Body> body_;
};

}  // namespace tern::hdf5
