// Filters of chunks, undone: deflate, shuffle, fletcher32. Next: read.h.
#pragma once
#include "loaders/hdf5/chunks.h"

namespace tern::hdf5 {

// The elements of a chunk: `stored` itself where no filter changed it, else in `buffer`; exactly the bytes of a chunk. `whole`: it does not reach
// beyond the dataset. Errors: does not decompress to that size, checksums (invalid).
Result<std::span<const std::byte>> unfilter(const Dataset& dataset, const Chunk& chunk, bool whole, std::span<const std::byte> stored,
                                            std::vector<std::byte>& buffer);

}  // namespace tern::hdf5
