// See file_parts.h.
#include "loaders/file_parts.h"

#include <unistd.h>

#include <cerrno>

#include "runtime/base/checked.h"
#include "runtime/base/mapping.h"
#include "runtime/base/sealed.h"

namespace tern {
namespace {

using Bytes = std::shared_ptr<const std::byte>;

// Small parts lie in memory, which needs no mapping of its own.
Result<Bytes> read_small(int fd, int64_t from, size_t size) {
  auto memory = allocate_aligned(size + kAlignment, true);
  for (size_t done = 0; done < size;) {
    const ssize_t n = ::pread(fd, memory.get() + done, size - done, from + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return invalid("became shorter while it was read");
    done += static_cast<size_t>(n);
  }
  return Bytes(memory);
}

Result<Bytes> read_large(int fd, int64_t from, size_t size) {
  auto copy = SealedFile::make(size + kAlignment);
  if (!copy) return copy.error();
  if (Status s = copy->read(fd, from, 0, size); !s) return s.error();
  return std::move(*copy).seal();
}

}  // namespace

Status check_holes(const OpenFile& file, int64_t budget) {
  const int64_t holes = bytes_in_holes(file.fd(), file.size());
  if (holes <= budget) return {};
  return unsupported(std::to_string(holes) + " of its " + std::to_string(file.size()) + " bytes are holes, more than the budget of " +
                     std::to_string(budget) + "; raise LoadOptions::budget if it is a model");
}

Result<FileParts> FileParts::open(const std::string& directory, const std::string& name, const FileOptions& how) {
  FileParts f;
  f.in_place_ = how.map;
  if (how.map) {
    auto whole = map_beneath(directory, name, how);
    if (!whole) return whole.error();
    f.whole_ = std::move(*whole);
    f.size_ = static_cast<int64_t>(f.whole_.bytes.size());
    return f;
  }
  const std::string path = directory + (directory.ends_with('/') ? "" : "/") + name;
  auto file = open_beneath(directory, name, how.follow_links);
  if (!file) return file.error().within(path);
  if (Status s = check_holes(*file, how.budget); !s) return s.error().within(path);
  f.file_ = std::move(*file);
  f.size_ = f.file_.size();
  f.left_ = checked_add(f.size_, how.budget).value_or(INT64_MAX);
  return f;
}

Result<FileParts::Part> FileParts::part(int64_t offset, int64_t size) {
  const auto bytes = static_cast<size_t>(size);
  if (in_place_) return Part{whole_.bytes.subspan(static_cast<size_t>(offset), bytes), &whole_};
  auto [at, fresh] = parts_.try_emplace({offset, size});
  Source& source = at->second;
  if (fresh) {
    auto read = [&]() -> Result<Bytes> {
      if (size > left_) return invalid("its parts lie over one another");
      left_ -= size;
      auto copy = bytes < kWorthSealing ? read_small(file_.fd(), offset, bytes) : read_large(file_.fd(), offset, bytes);
      if (copy && file_.changed()) return invalid("changed while it was read; load it again when it is whole");
      return copy;
    }();
    if (!read) {
      parts_.erase(at);
      return read.error();
    }
    source.bytes = {read->get(), bytes + kAlignment};
    source.owner = std::move(*read);
  }
  return Part{source.bytes.first(bytes), &source};
}

}  // namespace tern
