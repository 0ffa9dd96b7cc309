// See save.h.
#include "tools/tern/save.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>

namespace tern::command {
namespace {

Error cannot(const std::string& path) { return invalid(path + ": cannot be written: " + std::strerror(errno)); }

// Only a regular file is replaced: of a link, a device or a folder the caller may not know where it leads.
Status check_target(const std::string& path) {
  struct stat info;
  if (path.empty() || path.back() == '/') return invalid(path + ": not the name of a file");
  if (::lstat(path.c_str(), &info) != 0) return errno == ENOENT ? Status() : cannot(path);
  const char* kind = S_ISLNK(info.st_mode)   ? "a link"
                     : S_ISDIR(info.st_mode) ? "a folder"
                     : S_ISREG(info.st_mode) ? nullptr
                                             : "a device, a pipe or a socket";
  if (kind != nullptr) return invalid(path + ": is " + kind + ", which is not replaced; give another name");
  if (::access(path.c_str(), W_OK) != 0) return cannot(path);
  return {};
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// A name in the same folder that nobody has.
std::string name_beside(const std::string& path) {
  static int count = 0;
  return folder_of(path) + "/.tern-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

}  // namespace

Result<NewFile> NewFile::at(const std::string& path) {
  if (Status s = check_target(path); !s) return s.error();
  NewFile file(path);
#ifdef O_TMPFILE
  file.descriptor_ = ::open(folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  if (file.descriptor_ >= 0 && ::access(("/proc/self/fd/" + std::to_string(file.descriptor_)).c_str(), F_OK) != 0) {  // no way to name it later
    ::close(file.descriptor_);
    file.descriptor_ = -1;
  }
#endif
  if (file.descriptor_ < 0) {
    const std::string name = name_beside(path);
    file.descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file.descriptor_ < 0) return cannot(path);
    file.name_ = name;
  }
  return file;
}

NewFile::NewFile(NewFile&& other) noexcept : path_(std::move(other.path_)), name_(std::move(other.name_)), descriptor_(other.descriptor_) {
  other.name_.clear();
  other.descriptor_ = -1;
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!name_.empty()) ::unlink(name_.c_str());
}

Status NewFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot(path_);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return {};
}

Status NewFile::publish() {
  if (Status s = check_target(path_); !s) return s;
  if (name_.empty()) {
    const std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
    if (errno != EEXIST) return cannot(path_);
    const std::string name = name_beside(path_);
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0) return cannot(path_);
    name_ = name;
  }
  if (::rename(name_.c_str(), path_.c_str()) != 0) return cannot(path_);
  name_.clear();
  return {};
}

Status write_file(const std::string& path, std::string_view bytes) {
  auto file = NewFile::at(path);
  if (!file) return file.error();
  if (Status s = file->write(std::as_bytes(std::span(bytes))); !s) return s;
  return file->publish();
}

std::vector<std::string> file_names(const std::vector<std::string>& names, std::string_view extension) {
  constexpr size_t kMost = 200;  // a name has 255 bytes at most
  auto plain = [](const std::string& name) {
    std::string s = name.empty() ? "_" : name.substr(0, kMost);
    for (char& c : s) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!letter && std::string_view("._-").find(c) == std::string_view::npos) c = '_';
    }
    if (s[0] == '.') s[0] = '_';
    return s;
  };
  auto folded = [](std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    return s;
  };
  std::map<std::string, int> next;  // the number for the next one of a name
  auto take = [&](const std::string& file) { return next.emplace(folded(file), 2).second; };
  std::vector<std::string> out(names.size());
  for (size_t i = 0; i < names.size(); ++i) {  // names that need no change have the first choice
    if (plain(names[i]) == names[i] && take(names[i])) out[i] = names[i];
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (!out[i].empty()) continue;
    const std::string stem = plain(names[i]);
    std::string file = stem;
    while (!take(file)) file = stem + "-" + std::to_string(next[folded(stem)]++);
    out[i] = file;
  }
  for (std::string& name : out) name += extension;
  return out;
}

}  // namespace tern::command
