// OpenFile: a regular file that is open for reading. What a caller names opens as any program would open it; what a model names opens only
// beneath the model's folder, and through no link. Next: source.cpp.
#pragma once
#include <cstdint>
#include <string>

#include "tern/status.h"

namespace tern {

class OpenFile {
 public:
  OpenFile() = default;
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();

  int fd() const { return fd_; }  // -1: none
  int64_t size() const { return size_; }
  // Whether its size or its time of change are others than when it was opened.
  bool changed() const;

 private:
  friend Result<OpenFile> checked(OpenFile, bool);
  int fd_ = -1;
  int64_t size_ = 0, seconds_ = 0, nanoseconds_ = 0;
};

// A file that the caller names. Errors (invalid): missing, unreadable, a directory, not a regular file.
Result<OpenFile> open_file(const std::string& path);

// A file that a model names, `name` below `directory` ('/' between components, no ".." among them: the caller has checked that). Errors also:
// a symbolic link on the way, a hard link (other names may be anywhere), unless follow_links.
// Symbolic links of a hub's cache are opened: when the folder lies in ROOT/snapshots/REVISION, ROOT/blobs is there and the link leads to a file
// beneath ROOT.
Result<OpenFile> open_beneath(const std::string& directory, const std::string& name, bool follow_links);

}  // namespace tern
