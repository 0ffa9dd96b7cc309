// Mapping: pages of memory as the owner of what tensors alias, apart from the heap. There are two kinds.
//   memory    of the process's own: a copy that nobody outside can change. On 2 MB pages where it is large enough and the system grants them,
//             which makes filling it twice as fast.
//   in place  a file: it changes when somebody writes it; its pages leave the process when they are released and come back when they are read.
// retire() gives memory of the second kind's virtue: it moves into a sealed file without a name (memfd), at the same addresses. Reading what
// leaves may fault a page, so what a session reads in run() is packed, copied or kept resident (keep_resident) first. Next: mapping.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "tern/status.h"

namespace tern {

// Who holds which pages of a mapping of memory, and which of them have been retired; one for each mapping.
struct Held;

// The deleter of a mapping, or of a piece of one (hold), by which any storage that aliases it is told from the heap.
struct Unmap {
  void* begin;  // whole pages
  size_t bytes;
  std::shared_ptr<Held> held;           // null: a file in place
  std::span<const std::byte> own = {};  // what it is held for; of a whole mapping all of it
  void operator()(const void*) const;
};

template <class T>
bool is_mapped(const std::shared_ptr<T>& storage) {
  return std::get_deleter<Unmap>(storage) != nullptr;
}
template <class T>
bool is_in_place(const std::shared_ptr<T>& storage) {
  const Unmap* mapping = std::get_deleter<Unmap>(storage);
  return mapping != nullptr && mapping->held == nullptr;
}

// The system's large page, and `size` bytes of zeros (whole pages), which begin at a multiple of it when they are as many; on large pages but for a
// last part that would not fill one, where the system grants them. Null: no memory. munmap() ends them.
constexpr size_t kHugePage = size_t(2) << 20;
std::byte* map_pages(size_t size);
// Brings every page of these zeros into the process, so that no later access faults.
void prefault(std::byte* zeros, size_t size);

// `bytes` zeros, page-aligned, of which a multiple of kAlignment may be read behind the last. `filled`: all of them are written at once, so that their
// pages are there before, and a large one from an eighth of it on, behind others from half of it (a fourth of the time for what has a megabyte).
// Errors: no memory.
Result<std::shared_ptr<std::byte>> map_memory(size_t bytes, bool filled = false);
// Where data of a file begin, and where the next hole does.
struct Extent {
  int64_t begin = 0, end = 0;
};
// Bytes [from, from + count) of an open file to `to`, which holds zeros: what is a hole there is not touched. `known`: where the caller reads on, the
// extent that was found last. Errors (invalid): the file ends before, cannot be read.
Status read_into(int fd, int64_t from, std::byte* to, size_t count, Extent* known = nullptr);
// `bytes` of an open file in place, from its begin. Errors: invalid.
Result<std::shared_ptr<const std::byte>> map_in_place(int fd, size_t bytes);
// Memory from map_memory(), or a piece of it, that nobody shall write again; and what may be written all the same: false where anyone else holds a byte
// of it, where a part was retired, and for what is no such memory. Pages that a piece shares with its neighbours can be written meanwhile.
void protect(const std::shared_ptr<const void>& memory);
bool unprotect(const std::shared_ptr<const std::byte>& memory);
// The same of the whole mapping, whoever holds pieces of it: for a loader that alone reads the file and knows what it has given away.
bool unprotect_whole(const std::shared_ptr<const void>& memory);

// Some bytes of a mapping of memory, and kAlignment behind them, on their own: they stay when `storage` goes, and pages that nothing holds any more,
// neither the mapping as a whole nor a piece of it, go back to the system. Of a file in place and of the heap: as storage holds them.
std::shared_ptr<const std::byte> hold(const std::shared_ptr<const void>& storage, std::span<const std::byte> bytes);

// Tells the system that pages of a file in place are not needed soon. Other memory would lose its contents.
void release_pages(std::span<const std::byte> bytes);
// Bytes of a mapping that are not needed soon: their whole pages leave the process, and come back when they are read. Does nothing for the heap,
// for what is too little to be worth a mapping of its own, and where there is no memory or no mapping left. Any thread may call it while
// others read the bytes.
void retire(const std::shared_ptr<const void>& storage, std::span<const std::byte> bytes);

// Bytes that run() reads where they are: from now on retire() leaves them. False: reading them may fault a page, of a file in place or as they were
// retired before. True for the heap. Any thread may call it. Throws std::bad_alloc.
bool keep_resident(const std::shared_ptr<const void>& storage, std::span<const std::byte> bytes);

// A mapping of its own is worth this much; a process may have some 65,000.
constexpr size_t kWorthMapping = size_t(256) << 10;

// How many of the first `bytes` of an open file lie in holes: they take no place on the disk, and read as zeros.
int64_t bytes_in_holes(int fd, int64_t bytes);

}  // namespace tern
