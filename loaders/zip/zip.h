// A hardened ZIP reader: .npz files, and later PyTorch's. Stored and deflated members, ZIP64, checksums verified. Next: npy/npy.h.
//   end record     PK\5\6  u16 disk ×2, u16 entries ×2, u32 directory bytes, u32 directory offset, u16 comment bytes
//   directory      PK\1\2  u16 made by, needs, flags, method, time, date; u32 crc, compressed, size; u16 name, extra, comment, …; u32 offset
//   local header   PK\3\4  u16 needs, flags, method, time, date; u32 crc, compressed, size; u16 name, extra; then the bytes
#pragma once
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
  // Reads the directory; `bytes` must outlive the archive. Errors: not a ZIP file, truncated, inconsistent (invalid).
  static Result<ZipArchive> open(std::span<const std::byte> bytes);
  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* find(std::string_view name) const;
  // The bytes of one member. Errors: encrypted or another method (unsupported); corrupt, or larger than `limit` (invalid).
  Result<std::vector<std::byte>> read(const Entry& entry, uint64_t limit) const;

 private:
  explicit ZipArchive(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
  std::vector<Entry> entries_;
};

}  // namespace tern
