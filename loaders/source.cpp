// See source.h.
#include "loaders/source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tern {

namespace {

Result<Source> map(const std::string& path, int flags) {
  // O_NONBLOCK: opening a FIFO would wait for a writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | flags);
  if (fd < 0) return invalid(path + ": " + (errno == ELOOP && (flags & O_NOFOLLOW) ? "is a symbolic link; use a real file" : std::strerror(errno)));
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  struct stat info;
  if (::fstat(fd, &info) != 0) return invalid(path + ": " + std::strerror(errno));
  if (S_ISDIR(info.st_mode)) return invalid(path + ": is a directory, not a model file");
  if (!S_ISREG(info.st_mode)) return invalid(path + ": is not a regular file");
  const size_t slash = path.rfind('/');
  Source source{{}, nullptr, slash == std::string::npos ? "." : path.substr(0, slash + 1), path};
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return source;
  void* p = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) return invalid(path + ": cannot be mapped: " + std::strerror(errno));
  source.bytes = {static_cast<const std::byte*>(p), size};
  source.owner = std::shared_ptr<const void>(p, [size](const void* mapped) { ::munmap(const_cast<void*>(mapped), size); });
  return source;
}

}  // namespace

Result<Source> map_file(const std::string& path) { return map(path, 0); }

Result<Source> map_sibling(const Source& of, const std::string& name) {
  if (of.directory.empty()) return invalid("it names the file " + name + ", and was loaded from memory; name the folder in LoadOptions::directory");
  if (name.empty() || name == "." || name == ".." || name.find_first_of(std::string_view("/\\\0", 3)) != name.npos) {
    return invalid("it names the file '" + name + "', which is no plain file name");
  }
  return map(of.directory + (of.directory.ends_with('/') ? "" : "/") + name, O_NOFOLLOW);
}

void release_pages(std::span<const std::byte> bytes) {
  static const auto kPage = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(bytes.data()) + kPage - 1) / kPage * kPage;
  const auto end = reinterpret_cast<uintptr_t>(bytes.data() + bytes.size()) / kPage * kPage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace tern
