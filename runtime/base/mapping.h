// Mapping: bytes that leave the process when they are released and come back when they are read, as the owner of what tensors alias. A
// sealed file is the safe kind: an anonymous copy that nobody can change. A file mapped in place changes when somebody writes it. Reading
// either may fault a page, so what a session reads in run() is packed or copied first. Next: mapping.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "tern/status.h"

namespace tern {

// The deleter of a mapping, by which any storage that aliases it is told from memory.
struct Unmap {
  size_t bytes;
  void operator()(const void* mapped) const;
};

template <class T>
bool is_mapped(const std::shared_ptr<T>& storage) {
  return std::get_deleter<Unmap>(storage) != nullptr;
}

// Tells the system that the pages of a mapping are not needed soon: they leave the process and come back when they are read. Only for
// bytes of a mapping: other memory would lose its contents.
void release_pages(std::span<const std::byte> bytes);

// `bytes` of an open file in place, from its begin. Errors: invalid.
Result<std::shared_ptr<const std::byte>> map_in_place(int fd, size_t bytes);

// A file without a name (memfd) that is filled once and then sealed. It holds its bytes in the system's memory, not in the process's, but
// for the pages that are being read. Where the system refuses such files: plain memory, which is_mapped() tells apart.
class SealedFile {
 public:
  // `bytes` zeros, of which a multiple of kAlignment may be read behind the last. Errors: no memory.
  static Result<SealedFile> make(size_t bytes);
  SealedFile(SealedFile&& other) noexcept;
  ~SealedFile();
  // Bytes [from, from + count) of an open file to [to, to + count); what is a hole there stays one here. Errors (invalid): the file ends before,
  // cannot be read; no memory.
  Status read(int fd, int64_t from, size_t to, size_t count);
  // `count` bytes of memory to [to, to + count). Errors: no memory.
  Status write(const std::byte* bytes, size_t to, size_t count);
  // Page-aligned. Errors: no memory.
  Result<std::shared_ptr<const std::byte>> seal() &&;

 private:
  SealedFile() = default;
  Status copy(int fd, int64_t from, size_t to, size_t count);
  int fd_ = -1;
  std::byte* memory_ = nullptr;  // instead of fd_
  size_t bytes_ = 0;
};

// How many of the first `bytes` of an open file lie in holes: they take no place on the disk, and read as zeros.
int64_t bytes_in_holes(int fd, int64_t bytes);

}  // namespace tern
