// See mapping.h.
#include "runtime/base/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "runtime/base/guarded.h"
#include "runtime/base/tensor.h"

namespace tern {

// How many hold what lies from a key up to the next one.
class HolderCounts {
 public:
  void add(uintptr_t begin, uintptr_t end) {
    if (begin == end) return;
    split(begin), split(end);
    for (auto at = counts_.find(begin); at->first != end; ++at) ++at->second;
  }
  // Calls free(begin, end) of what nobody holds any more. Allocates nothing: a holder's ends stay keys for as long as it is there.
  template <class Free>
  void remove(uintptr_t begin, uintptr_t end, Free free) {
    if (begin == end) return;
    for (auto at = counts_.find(begin); at->first != end; ++at) {
      if (--at->second == 0) free(at->first, std::next(at)->first);
    }
    for (auto at = counts_.find(begin), after = counts_.upper_bound(end); at != after;) {
      const bool inside_nothing = at->second == 0 && (at == counts_.begin() || std::prev(at)->second == 0);
      at = inside_nothing ? counts_.erase(at) : std::next(at);
    }
  }
  // Of a holder's range: is it the only one?
  bool alone(uintptr_t begin, uintptr_t end) const {
    for (auto at = counts_.find(begin); at != counts_.end() && at->first != end; ++at) {
      if (at->second != 1) return false;
    }
    return true;
  }

 private:
  void split(uintptr_t at) {
    const auto after = counts_.upper_bound(at);
    counts_.emplace(at, after == counts_.begin() ? 0 : std::prev(after)->second);
  }
  std::map<uintptr_t, int64_t> counts_;
};

// What any of some ranges covers.
class RangeUnion {
 public:
  bool meets(uintptr_t begin, uintptr_t end) const {
    const auto after = ends_.lower_bound(end);
    return after != ends_.begin() && std::prev(after)->second > begin;
  }
  bool holds(uintptr_t begin, uintptr_t end) const {
    const auto after = ends_.upper_bound(begin);
    return after != ends_.begin() && std::prev(after)->second >= end;
  }
  void add(uintptr_t begin, uintptr_t end) {
    auto at = ends_.emplace(begin, end).first;
    if (at != ends_.begin() && std::prev(at)->second >= begin) at = std::prev(at);
    uintptr_t last = std::max(at->second, end);
    auto next = std::next(at);
    for (; next != ends_.end() && next->first <= last; next = ends_.erase(next)) last = std::max(last, next->second);
    at->second = last;
  }

 private:
  std::map<uintptr_t, uintptr_t> ends_;  // by beginning; apart from each other
};

namespace {

uintptr_t address(const void* p) { return reinterpret_cast<uintptr_t>(p); }
uintptr_t begin_of(std::span<const std::byte> bytes) { return address(bytes.data()); }
uintptr_t end_of(std::span<const std::byte> bytes) { return address(bytes.data() + bytes.size()); }

}  // namespace

struct Held {
  std::mutex mutex;
  HolderCounts pages, bytes;  // pages go when nobody holds them; bytes tell who may write
  RangeUnion retired, resident;
  bool sealed = false;  // protect() was called, and unprotect_whole() not since

  void take(const Unmap& of) {
    std::lock_guard lock(mutex);
    pages.add(address(of.begin), address(of.begin) + of.bytes);
    bytes.add(begin_of(of.own), end_of(of.own));
  }
  void give_back(const Unmap& of) {
    std::lock_guard lock(mutex);
    pages.remove(address(of.begin), address(of.begin) + of.bytes,
                 [](uintptr_t begin, uintptr_t end) { ::munmap(reinterpret_cast<void*>(begin), end - begin); });
    bytes.remove(begin_of(of.own), end_of(of.own), [](uintptr_t, uintptr_t) {});
  }
  bool may_write(const Unmap& of) {
    std::lock_guard lock(mutex);
    const uintptr_t begin = begin_of(of.own), end = end_of(of.own);
    return !retired.meets(begin, end) && bytes.alone(begin, end);
  }
};

namespace {

constexpr size_t kWorthRetiring = size_t(64) << 10;

// The first extent that ends behind `at`. A file system without holes says that all is data.
Extent next_extent(int fd, int64_t at) {
  const off_t begin = ::lseek(fd, at, SEEK_DATA);
  if (begin < 0) return errno == ENXIO ? Extent{INT64_MAX, INT64_MAX} : Extent{at, INT64_MAX};  // ENXIO: nothing but a hole is left
  const off_t hole = ::lseek(fd, begin, SEEK_HOLE);
  return {begin, hole < 0 ? INT64_MAX : hole};
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

uintptr_t page() {
  static const auto size = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  return size;
}
uintptr_t page_before(uintptr_t at) { return at / page() * page(); }
uintptr_t page_behind(uintptr_t at) { return page_before(at + page() - 1); }

// The whole pages among some bytes.
struct Pages {
  uintptr_t begin, end;
  explicit Pages(std::span<const std::byte> bytes) {
    begin = page_behind(begin_of(bytes));
    end = std::max(begin, page_before(end_of(bytes)));
  }
  size_t size() const { return end - begin; }
  std::byte* data() const { return reinterpret_cast<std::byte*>(begin); }
};

Status write_all(int fd, const std::byte* bytes, size_t count) {
  for (size_t done = 0; done < count;) {
    const ssize_t n = ::write(fd, bytes + done, count - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out_of_memory();
    done += static_cast<size_t>(n);
  }
  return {};
}

// The pages become those of a sealed file, which others may only read: no name and no descriptor of it are left. Another thread that reads them
// meanwhile waits for the new ones; the system asks whether it may have one mapping more before it takes the old ones away.
bool move_to_file(const Pages& pages) {
  const int fd = anonymous_file(pages.size());
  if (fd < 0) return false;
  bool moved = write_all(fd, pages.data(), pages.size()).ok();
  if (moved) {
    ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    moved = ::mmap(pages.data(), pages.size(), PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) != MAP_FAILED;
  }
  ::close(fd);
  return moved;
}

}  // namespace

void Unmap::operator()(const void*) const {
  if (held == nullptr) ::munmap(begin, bytes);
  else held->give_back(*this);
}

std::byte* map_pages(size_t size) {
  const size_t before = size >= kHugePage ? kHugePage : 0;
  void* p = ::mmap(nullptr, size + before, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  auto* begin = static_cast<std::byte*>(p);
  if (before > 0) {  // of the address space that aligns it, what is left over goes back
    const size_t skip = (kHugePage - reinterpret_cast<uintptr_t>(p) % kHugePage) % kHugePage;
    if (skip > 0) ::munmap(begin, skip);
    if (skip < before) ::munmap(begin + skip + size, before - skip);
    begin += skip;
#ifdef MADV_HUGEPAGE
    ::madvise(begin, size, MADV_HUGEPAGE);
#endif
  }
  return begin;
}

// Where memory is in pieces the system moves others together before it gives a large page, for milliseconds, and a load took six times as long. After one
// that took so long the rest are small ones. (Zen 4, a virtual machine: 40 to 300 us, small ones of its size 460.)
constexpr auto kSlowPage = std::chrono::microseconds(1000);

void prefault(std::byte* zeros, size_t size) {
  if (size == 0) return;
  std::byte* at = zeros;
  std::byte* const end = zeros + size;
#ifdef MADV_POPULATE_WRITE
  const auto advise = [](std::byte* from, size_t bytes, int advice) {
    const uintptr_t begin = page_before(address(from));
    return ::madvise(reinterpret_cast<void*>(begin), page_behind(address(from) + bytes) - begin, advice) == 0;
  };
  for (bool large = true; at < end;) {
    const auto left = static_cast<size_t>(end - at), piece = large ? std::min(left, kHugePage - address(at) % kHugePage) : left;
    const auto start = std::chrono::steady_clock::now();
    if (!advise(at, piece, MADV_POPULATE_WRITE)) break;
    at += piece;
    if (!large || at == end || std::chrono::steady_clock::now() - start < kSlowPage) continue;
    large = false;
    advise(at, static_cast<size_t>(end - at), MADV_NOHUGEPAGE);
  }
#endif
  const auto touch = [](std::byte* byte) { *static_cast<volatile std::byte*>(byte) = std::byte{0}; };
  if (at < end) touch(end - 1);
  for (; at < end; at += std::min<size_t>(page(), static_cast<size_t>(end - at))) touch(at);
}

Result<std::shared_ptr<std::byte>> map_memory(size_t bytes, bool filled) {
  size_t size = page_behind(bytes + kAlignment);
  // One large page comes in the time of 50 small ones. Behind others its waste is of those who count bytes.
  if (filled && size % kHugePage >= (size < kHugePage ? kHugePage / 8 : kHugePage / 2)) size += kHugePage - size % kHugePage;
  const auto held = std::make_shared<Held>();
  std::byte* begin = map_pages(size);
  if (begin == nullptr) return out_of_memory();
  std::unique_ptr<std::byte, Unmap> whole(begin, Unmap{begin, size, nullptr});  // until it is held: taking may run out of memory
  const Unmap holder{begin, size, held, {begin, size}};
  held->take(holder);
  if (filled) prefault(begin, size);
  return std::shared_ptr<std::byte>(whole.release(), holder);
}

std::shared_ptr<const std::byte> hold(const std::shared_ptr<const void>& storage, std::span<const std::byte> bytes) {
  const Unmap* whole = std::get_deleter<Unmap>(storage);
  if (whole == nullptr || whole->held == nullptr) return {storage, bytes.data()};
  const uintptr_t begin = page_before(begin_of(bytes));
  const uintptr_t end = std::min(page_behind(end_of(bytes) + kAlignment), address(whole->begin) + whole->bytes);
  const Unmap holder{reinterpret_cast<void*>(begin), end - begin, whole->held, bytes};
  holder.held->take(holder);
  return {bytes.data(), holder};
}

Status read_into(int fd, int64_t from, std::byte* to, size_t count, Extent* known) {
  const int64_t end = from + static_cast<int64_t>(count);
  Extent own, &e = known != nullptr ? *known : own;
  for (int64_t at = from; at < end;) {
    if (at < e.begin || at >= e.end) e = next_extent(fd, at);
    const int64_t stop = std::min(e.end, end);
    for (at = std::max(at, e.begin); at < stop;) {
      const ssize_t n = ::pread(fd, to + (at - from), static_cast<size_t>(std::min<int64_t>(stop - at, int64_t(1) << 30)), at);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return invalid(std::string("cannot be read: ") + std::strerror(errno));
      if (n == 0) return invalid("became shorter while it was read");
      at += n;
    }
  }
  return {};
}

Result<std::shared_ptr<const std::byte>> map_in_place(int fd, size_t bytes) {
  void* p = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) return invalid(std::string("cannot be mapped: ") + std::strerror(errno));
  return std::shared_ptr<const std::byte>(static_cast<const std::byte*>(p), Unmap{p, bytes, nullptr});
}

void protect(const std::shared_ptr<const void>& memory) {
  const Unmap* mapping = std::get_deleter<Unmap>(memory);
  if (mapping == nullptr || mapping->held == nullptr) return;
  std::lock_guard lock(mapping->held->mutex);
  mapping->held->sealed = true;
  ::mprotect(mapping->begin, mapping->bytes, PROT_READ);
}

bool unprotect(const std::shared_ptr<const std::byte>& memory) {
  const Unmap* mapping = std::get_deleter<Unmap>(memory);
  if (mapping == nullptr || mapping->held == nullptr || memory.use_count() != 1 || !mapping->held->may_write(*mapping)) return false;
  return ::mprotect(mapping->begin, mapping->bytes, PROT_READ | PROT_WRITE) == 0;
}

bool unprotect_whole(const std::shared_ptr<const void>& memory) {
  const Unmap* mapping = std::get_deleter<Unmap>(memory);
  if (mapping == nullptr || mapping->held == nullptr) return false;
  std::lock_guard lock(mapping->held->mutex);
  bool& sealed = mapping->held->sealed;
  if (sealed) sealed = ::mprotect(mapping->begin, mapping->bytes, PROT_READ | PROT_WRITE) != 0;
  return !sealed;
}

void release_pages(std::span<const std::byte> bytes) {
  const Pages pages(bytes);
  if (pages.size() > 0) ::madvise(pages.data(), pages.size(), MADV_DONTNEED);
}

void retire(const std::shared_ptr<const void>& storage, std::span<const std::byte> bytes) {
  const Unmap* mapping = std::get_deleter<Unmap>(storage);
  if (mapping == nullptr) return;
  const Pages pages(bytes);
  if (mapping->held == nullptr) return release_pages(bytes);
  if (pages.size() < kWorthRetiring) return;
  std::lock_guard lock(mapping->held->mutex);
  if (mapping->held->resident.meets(pages.begin, pages.end)) return;
  RangeUnion& retired = mapping->held->retired;
  if (retired.holds(pages.begin, pages.end)) return release_pages(bytes);
  if (move_to_file(pages)) retired.add(pages.begin, pages.end);
}

bool keep_resident(const std::shared_ptr<const void>& storage, std::span<const std::byte> bytes) {
  const Unmap* mapping = std::get_deleter<Unmap>(storage);
  if (mapping == nullptr) return true;
  if (mapping->held == nullptr) return false;
  std::lock_guard lock(mapping->held->mutex);
  const uintptr_t begin = begin_of(bytes), end = end_of(bytes);
  if (mapping->held->retired.meets(begin, end)) return false;
  if (mapping->held->resident.holds(begin, end)) return true;
  mapping->held->resident.add(begin, end);
  volatile std::byte sink{};  // a hole of a file that was copied has no page yet
  for (uintptr_t at = begin; at < end; at = page_before(at) + page()) sink = *reinterpret_cast<const std::byte*>(at);
  static_cast<void>(sink);
  return true;
}

int64_t bytes_in_holes(int fd, int64_t bytes) {
  int64_t data = 0;
  for (int64_t at = 0; at < bytes;) {
    const Extent e = next_extent(fd, at);
    data += std::min(e.end, bytes) - std::min(e.begin, bytes);
    at = std::max(e.end, at + 1);
  }
  return bytes - data;
}

}  // namespace tern
