// See filters.h.
#include "loaders/hdf5/filters.h"

#include <cstring>

#include "loaders/hdf5/checksums.h"
#include "loaders/zip/inflate.h"

namespace tern::hdf5 {
namespace {

enum : uint16_t { kDeflate = 1, kShuffle = 2, kFletcher32 = 3 };

// The first bytes of all elements lie first, then the second ones, … ; what is left over stays at the end.
std::vector<std::byte> unshuffle(std::span<const std::byte> from, size_t element) {
  std::vector<std::byte> to(from.begin(), from.end());
  const size_t count = from.size() / element;
  for (size_t b = 0; b < element; ++b) {
    for (size_t i = 0; i < count; ++i) to[i * element + b] = from[b * count + i];
  }
  return to;
}

// Sums of old big-endian machines have the bytes of both halves exchanged.
bool sum_matches(std::span<const std::byte> data, std::span<const std::byte> sum) {
  uint32_t stated;
  std::memcpy(&stated, sum.data(), 4);
  const uint32_t is = fletcher32(data);
  return stated == is || stated == ((is & 0xff00ff) << 8 | (is >> 8 & 0xff00ff));
}

}  // namespace

Result<std::span<const std::byte>> unfilter(const Dataset& dataset, const Chunk& chunk, bool whole, std::span<const std::byte> stored,
                                            std::vector<std::byte>& buffer) {
  const uint64_t bytes = dataset.layout.chunks.bytes;
  const bool plain = dataset.layout.chunks.plain_edges && !whole;
  uint64_t sums = 0;  // of the filters that are still to undo
  const auto applied = [&](size_t i) { return !plain && (i >= 32 || (chunk.mask >> i & 1) == 0); };
  for (size_t i = 0; i < dataset.filters.size(); ++i) sums += applied(i) && dataset.filters[i].id == kFletcher32;
  for (size_t i = dataset.filters.size(); i-- > 0;) {
    const Filter& f = dataset.filters[i];
    if (!applied(i)) continue;
    if (f.id == kFletcher32) {
      if (stored.size() < 4 || !sum_matches(stored.first(stored.size() - 4), stored.last(4))) {
        return invalid("has a chunk that is corrupt: its checksum does not match");
      }
      stored = stored.first(stored.size() - 4);
      --sums;
    } else if (f.id == kShuffle && f.value > 1 && stored.size() >= f.value) {
      buffer = unshuffle(stored, f.value);
      stored = buffer;
    } else if (f.id == kDeflate) {
      const uint64_t size = bytes + 4 * sums;
      if (size / kDeflateMost > stored.size()) return invalid("has a chunk that cannot decompress to its size");
      std::vector<std::byte> out(size);
      if (Status s = inflate_exactly(stored, out, true); !s) return s.error().within("has a damaged chunk");
      buffer = std::move(out);
      stored = buffer;
    }
  }
  if (stored.size() != bytes) return invalid("has a chunk of " + std::to_string(stored.size()) + " bytes instead of " + std::to_string(bytes));
  return stored;
}

}  // namespace tern::hdf5
