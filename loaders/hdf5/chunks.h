// Where the chunks of a dataset lie, by whichever of the six indices it has. Next: filters.h, read.h.
#pragma once
#include <functional>

#include "loaders/hdf5/layout.h"

namespace tern::hdf5 {

struct Chunk {
  std::span<const uint64_t> place;  // in the grid of chunks, by dimension
  uint64_t address = kUndefined, stored_bytes = 0;
  uint32_t mask = 0;  // bit i: it went without filter i
};

// How many chunks there are along each dimension. Their product is at most that of the sizes.
std::vector<uint64_t> chunk_grid(const Dataset& dataset);

// Calls visit(chunk) for all chunks that were written and lie in the grid, each once. Errors: damaged, a chunk twice (invalid), and those of `visit`.
Status for_each_chunk(Space& space, const Dataset& dataset, const std::function<Status(const Chunk&)>& visit);

}  // namespace tern::hdf5
