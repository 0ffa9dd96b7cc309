// FileParts: a file of which a loader wants parts that it learns of one by one. What nobody asks for is not copied: Keras writes each variable of an
// exported model twice. Next: file_parts.cpp.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "loaders/open_file.h"
#include "loaders/source.h"
#include "runtime/base/mapping.h"

namespace tern {

// A copy fills the holes of a sparse file, which take no place on the disk: how many bytes they are. Errors (unsupported): more than `budget`.
Result<int64_t> check_holes(const OpenFile& file, int64_t budget);

class FileParts {
 public:
  // As map_beneath (source.h): with the same errors, and the same copies or mapping as `how` says.
  static Result<FileParts> open(const std::string& directory, const std::string& name, const FileOptions& how);
  FileParts(FileParts&&) = default;
  FileParts& operator=(FileParts&&) = default;
  ~FileParts();

  int64_t size() const { return size_; }
  struct Part {
    std::span<const std::byte> bytes;
    const Source* source;  // keeps them, and goes on behind them; lives as long as this
  };
  // Bytes [offset, offset + size) of the file, copied once. Precondition: they are inside. Errors: changed while it was read; parts that lie over one
  // another until they are more than the file and the budget (invalid).
  // `visit` sees the bytes when they are in the cache, one piece after another, all but the last of whole elements: for checksums.
  using Visit = std::function<void(std::span<const std::byte>)>;
  Result<Part> part(int64_t offset, int64_t size, const Visit& visit = nullptr);

 private:
  OpenFile file_;
  Source whole_;  // in place
  bool in_place_ = false;
  int64_t size_ = 0, left_ = 0;
  FileParts() = default;
  struct Room;
  Result<std::shared_ptr<const std::byte>> read(int64_t offset, size_t size, const Visit& visit);
  Extent known_;                // of the file
  std::shared_ptr<Room> room_;  // of the larger parts, which lie side by side, on large pages
  std::map<std::pair<int64_t, int64_t>, Source> parts_;
};

}  // namespace tern
