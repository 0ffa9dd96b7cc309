// A hardened ZIP reader: .npz files and PyTorch's. Stored and deflated members, ZIP64, checksums verified; two readers of one archive must
// not see different things, so whatever is ambiguous is refused: names twice, members that overlap, headers that disagree. Next: npy/npy.h.
//   end record     PK\5\6  u16 disk ×2, u16 entries ×2, u32 directory bytes, u32 directory offset, u16 comment bytes
//   directory      PK\1\2  u16 made by, needs, flags, method, time, date; u32 crc, compressed, size; u16 name, extra, comment, …; u32 offset
//   local header   PK\3\4  u16 needs, flags, method, time, date; u32 crc, compressed, size; u16 name, extra; then the bytes
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tern/status.h"

namespace tern {

class ZipArchive {
 public:
  struct Entry {
    std::string name;
    uint16_t flags = 0, method = 0;  // method 0: stored, 8: deflated
    uint32_t crc = 0;
    uint64_t compressed = 0, size = 0, offset = 0;
  };
  struct Options {
    bool in_place = false;        // the bytes are a file in place: pages may be released once they are checked
    bool zero_crc_unset = false;  // a checksum of 0 was never computed (PyTorch can be told so)
  };
  // Reads the directory; `bytes` must outlive the archive. Errors: not a ZIP file, truncated, inconsistent, ambiguous (invalid).
  static Result<ZipArchive> open(std::span<const std::byte> bytes, const Options& options);
  static Result<ZipArchive> open(std::span<const std::byte> bytes) { return open(bytes, Options{}); }
  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* find(std::string_view name) const;
  std::span<const std::byte> bytes() const { return bytes_; }
  // A stored member in place, its checksum verified. Errors: deflated (unsupported); corrupt (invalid).
  Result<std::span<const std::byte>> view(const Entry& entry) const;
  // The bytes of one member. Errors: encrypted or another method (unsupported); corrupt, or larger than `limit` (invalid).
  Result<std::vector<std::byte>> read(const Entry& entry, uint64_t limit) const;
  // The same of a member of which parts are kept: a large one lies in a mapping, as weights do (runtime/base/mapping.h). `once`: the archive's bytes are
  // a mapping too, and nobody reads the member again: its pages go as it is inflated.
  Result<std::shared_ptr<const std::byte>> read_shared(const Entry& entry, uint64_t limit, bool once = false) const;

 private:
  ZipArchive(std::span<const std::byte> bytes, const Options& options) : bytes_(bytes), options_(options) {}
  Status check_members(uint64_t directory_offset);
  Result<std::span<const std::byte>> payload(const Entry& entry) const;
  Status check_size(const Entry& entry, uint64_t limit) const;
  Status read_into(const Entry& entry, std::span<std::byte> to, bool once) const;
  Status check_sum(const Entry& entry, std::span<const std::byte> data, bool in_place) const;
  std::span<const std::byte> bytes_;
  Options options_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> by_name_;  // indices of entries, sorted by name
};

// How many bytes behind an aligned address a file must begin so that its first large stored member is aligned, and can be read in place: 0 for what
// is no ZIP file. A guess from the first local headers; only speed depends on it.
size_t aligning_shift(int fd);

}  // namespace tern
