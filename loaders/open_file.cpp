// See open_file.h.
#include "loaders/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace tern {

OpenFile::OpenFile(OpenFile&& other) noexcept { *this = std::move(other); }

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  size_ = other.size_;
  seconds_ = other.seconds_;
  nanoseconds_ = other.nanoseconds_;
  return *this;
}

OpenFile::~OpenFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool OpenFile::changed() const {
  struct stat now;
  return ::fstat(fd_, &now) != 0 || now.st_size != size_ || now.st_mtim.tv_sec != seconds_ || now.st_mtim.tv_nsec != nanoseconds_;
}

Result<OpenFile> checked(OpenFile file, bool may_have_other_names) {
  struct stat info;
  if (::fstat(file.fd(), &info) != 0) return invalid(std::strerror(errno));
  if (S_ISDIR(info.st_mode)) return invalid("is a directory, not a regular file");
  if (!S_ISREG(info.st_mode)) return invalid("is not a regular file");
  if (info.st_nlink > 1 && !may_have_other_names) {
    return invalid("has other names, as a hard link has; use a copy, or set LoadOptions::follow_links when you trust the model");
  }
  file.size_ = info.st_size;
  file.seconds_ = info.st_mtim.tv_sec;
  file.nanoseconds_ = info.st_mtim.tv_nsec;
  return file;
}

namespace {

constexpr int kRead = O_RDONLY | O_NONBLOCK | O_CLOEXEC;  // O_NONBLOCK: opening a FIFO would wait for a writer

// The whole path of an existing file, without links; empty when there is none.
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? real.get() : "";
}

// Component after component, none of them a link. -1 and errno when that fails.
int walk(const std::string& directory, const std::string& name) {
  OpenFile at(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (size_t begin = 0; at.fd() >= 0 && begin < name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    OpenFile next(::openat(at.fd(), part.c_str(), kRead | O_NOFOLLOW | (end == name.size() ? 0 : O_DIRECTORY)));
    if (next.fd() < 0) return -1;
    at = std::move(next);
  }
  return at.fd() < 0 ? -1 : ::fcntl(at.fd(), F_DUPFD_CLOEXEC, 0);
}

// Where a link of a hub's cache leads: a path without links beneath the cache's folder.
struct InHub {
  std::string root, name;
};
std::optional<InHub> in_hub(const std::string& directory, const std::string& name) {
  constexpr std::string_view kSnapshots = "/snapshots/";
  const std::string folder = resolved(directory), target = resolved(directory + "/" + name);
  const size_t at = folder.rfind(kSnapshots);
  if (at == folder.npos || at == 0) return std::nullopt;
  const std::string root = folder.substr(0, at);
  struct stat blobs;
  if (::lstat((root + "/blobs").c_str(), &blobs) != 0 || !S_ISDIR(blobs.st_mode) || !target.starts_with(root + "/")) return std::nullopt;
  return InHub{root, target.substr(root.size() + 1)};
}

}  // namespace

Result<OpenFile> open_file(const std::string& path) {
  OpenFile file(::open(path.c_str(), kRead));
  if (file.fd() < 0) return invalid(std::strerror(errno));
  return checked(std::move(file), true);
}

Result<OpenFile> open_beneath(const std::string& directory, const std::string& name, bool follow_links) {
  if (follow_links) return open_file(directory + "/" + name);
  OpenFile file(walk(directory, name));
  if (file.fd() < 0 && errno == ELOOP) {
    const auto hub = in_hub(directory, name);
    if (hub) file = OpenFile(walk(hub->root, hub->name));
    if (!hub) return invalid("is a symbolic link; use a real file, or set LoadOptions::follow_links when you trust the model");
  }
  if (file.fd() < 0) return invalid(std::strerror(errno));
  return checked(std::move(file), false);
}

}  // namespace tern
