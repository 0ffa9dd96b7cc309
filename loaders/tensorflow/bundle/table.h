// The index of a checkpoint: a table of keys and values in LevelDB's format, every block checked by its CRC. Next: table.cpp, then bundle.h.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "tern/status.h"

namespace tern::tensorflow {

using Table = std::map<std::string, std::string, std::less<>>;

// Errors: no such table, damaged, keys out of order (invalid); more than `budget` bytes beyond a small multiple of the file's size (invalid);
// compressed, and this build has no libsnappy (unsupported).
Result<Table> read_table(std::span<const std::byte> file, int64_t budget);

// How checkpoints store a CRC-32C: rotated and moved on, so that bytes which hold checksums have sound ones too.
constexpr uint32_t masked(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }

}  // namespace tern::tensorflow
