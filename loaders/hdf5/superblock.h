// The superblock: where a file begins, how wide its addresses are, and which object is its root. Next: space.h.
#pragma once
#include <optional>

#include "loaders/hdf5/space.h"

namespace tern::hdf5 {

// Where it lies: at the begin, or at byte 512, 1024, 2048 …
std::optional<size_t> find_superblock(std::span<const std::byte> bytes);

// Sets the sizes of `space`, which begins with the superblock behind `before` other bytes, and gives the address of the root's header. Versions 0 to 3. Errors: damaged,
// truncated (invalid); other versions and sizes, a file that is one of several (unsupported).
Result<uint64_t> read_superblock(Space& space, size_t before);

}  // namespace tern::hdf5
