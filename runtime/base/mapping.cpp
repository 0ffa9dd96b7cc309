// See mapping.h.
#include "runtime/base/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/base/guarded.h"

namespace tern {
namespace {

constexpr size_t kReadable = 64;  // behind the last byte: a full vector

struct UnmapMemory {
  size_t bytes;
  void operator()(const void* memory) const { ::munmap(const_cast<void*>(memory), bytes); }
};

// Where data begin at or after `at`, and where the next hole begins. A file system without holes says that all is data.
struct Extent {
  int64_t begin, end;
};
Extent next_extent(int fd, int64_t at, int64_t end) {
  const off_t begin = ::lseek(fd, at, SEEK_DATA);
  if (begin < 0) return errno == ENXIO ? Extent{end, end} : Extent{at, end};  // ENXIO: nothing but a hole is left
  const off_t hole = ::lseek(fd, begin, SEEK_HOLE);
  return {std::min<int64_t>(begin, end), hole < 0 ? end : std::min<int64_t>(hole, end)};
}

// A memfd of so many zeros; -1 where there is none to be had. Where files may not grow so large (ulimit -f), growing one is a deadly signal.
int anonymous_file(size_t bytes) {
  rlimit limit;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < bytes) return -1;
  constexpr unsigned kNoExec = 8;  // MFD_NOEXEC_SEAL, which older headers and kernels lack and some systems demand
  int fd = ::memfd_create("tern", MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExec);
  if (fd < 0) fd = ::memfd_create("tern", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd >= 0 && ::ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
    ::close(fd);
    fd = -1;
  }
  return fd;
}

}  // namespace

void Unmap::operator()(const void* mapped) const { ::munmap(const_cast<void*>(mapped), bytes); }

void release_pages(std::span<const std::byte> bytes) {
  static const auto kPage = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(bytes.data()) + kPage - 1) / kPage * kPage;
  const auto end = reinterpret_cast<uintptr_t>(bytes.data() + bytes.size()) / kPage * kPage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

Result<std::shared_ptr<const std::byte>> map_in_place(int fd, size_t bytes) {
  void* p = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) return invalid(std::string("cannot be mapped: ") + std::strerror(errno));
  return std::shared_ptr<const std::byte>(static_cast<const std::byte*>(p), Unmap{bytes});
}

int64_t bytes_in_holes(int fd, int64_t bytes) {
  int64_t data = 0;
  for (int64_t at = 0; at < bytes;) {
    const Extent e = next_extent(fd, at, bytes);
    data += e.end - e.begin;
    at = std::max(e.end, at + 1);
  }
  return bytes - data;
}

Result<SealedFile> SealedFile::make(size_t bytes) {
  SealedFile f;
  f.bytes_ = bytes + kReadable;
  f.fd_ = anonymous_file(f.bytes_);
  if (f.fd_ >= 0) return f;
  void* p = ::mmap(nullptr, f.bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return out_of_memory();
  f.memory_ = static_cast<std::byte*>(p);
  return f;
}

SealedFile::SealedFile(SealedFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), memory_(std::exchange(other.memory_, nullptr)), bytes_(other.bytes_) {}

SealedFile::~SealedFile() {
  if (fd_ >= 0) ::close(fd_);
  if (memory_ != nullptr) ::munmap(memory_, bytes_);
}

Status SealedFile::read(int fd, int64_t from, size_t to, size_t count) {
  const int64_t end = from + static_cast<int64_t>(count);
  for (int64_t at = from; at < end;) {
    const Extent e = next_extent(fd, at, end);
    if (Status s = copy(fd, e.begin, to + static_cast<size_t>(e.begin - from), static_cast<size_t>(e.end - e.begin)); !s) return s;
    at = std::max(e.end, at + 1);
  }
  return {};
}

// The kernel moves the bytes from file to file where it can; elsewhere they pass through a buffer, so that the process holds them once at most.
Status SealedFile::copy(int fd, int64_t from, size_t to, size_t count) {
  bool send = fd_ >= 0 && ::lseek(fd_, static_cast<off_t>(to), SEEK_SET) >= 0;
  std::byte buffer[16384];
  for (size_t done = 0; done < count;) {
    ssize_t n;
    if (send) {
      off_t at = from + static_cast<off_t>(done);
      n = ::sendfile(fd_, fd, &at, std::min(count - done, size_t(1) << 30));
      if (n < 0 && (errno == EINVAL || errno == ENOSYS)) {
        send = false;
        continue;
      }
    } else {
      n = ::pread(fd, buffer, std::min(count - done, sizeof buffer), from + static_cast<off_t>(done));
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == ENOSPC || errno == ENOMEM)) return out_of_memory();
    if (n < 0) return invalid(std::string("cannot be read: ") + std::strerror(errno));
    if (n == 0) return invalid("became shorter while it was read");
    if (!send) {
      if (Status s = write(buffer, to + done, static_cast<size_t>(n)); !s) return s;
    }
    done += static_cast<size_t>(n);
  }
  return {};
}

Status SealedFile::write(const std::byte* bytes, size_t to, size_t count) {
  if (memory_ != nullptr) {
    std::memcpy(memory_ + to, bytes, count);
    return {};
  }
  for (size_t done = 0; done < count;) {
    const ssize_t n = ::pwrite(fd_, bytes + done, count - done, static_cast<off_t>(to + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out_of_memory();
    done += static_cast<size_t>(n);
  }
  return {};
}

Result<std::shared_ptr<const std::byte>> SealedFile::seal() && {
  if (memory_ != nullptr) {
    ::mprotect(memory_, bytes_, PROT_READ);
    return std::shared_ptr<const std::byte>(std::exchange(memory_, nullptr), UnmapMemory{bytes_});
  }
  ::fcntl(fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);  // only for others: no name and no descriptor of it are left
  return map_in_place(fd_, bytes_);
}

}  // namespace tern
