// Where and how a dataset's elements lie: the messages layout, filters and fill value. Next: chunks.h, read.h.
#pragma once
#include "loaders/hdf5/datatype.h"
#include "loaders/hdf5/object_header.h"

namespace tern::hdf5 {

struct Filter {
  uint16_t id = 0;
  uint32_t value = 0;  // the first of its values: bytes of an element for shuffle
};

// Where the index of a chunked dataset is, and of which kind.
struct ChunkIndex {
  enum class Kind : uint8_t { btree_v1, single, implicit, fixed_array, extensible_array, btree_v2 };
  Kind kind = Kind::btree_v1;
  uint64_t address = kUndefined;
  std::vector<int64_t> sizes;  // of a chunk, in elements; none is 0
  uint64_t bytes = 0;          // of a chunk before filters
  uint64_t stored_bytes = 0;   // of a single one, after filters
  uint32_t mask = 0;           // of a single one: which filters it went without
  bool plain_edges = false;    // chunks that reach beyond the dataset went without filters
};

struct Layout {
  enum class Kind : uint8_t { compact, contiguous, chunked };
  Kind kind = Kind::contiguous;
  std::span<const std::byte> compact;  // in the header
  uint64_t address = kUndefined;       // if contiguous; kUndefined: nothing was ever written
  uint64_t bytes = kUndefined;         // if contiguous; kUndefined: versions that do not say
  ChunkIndex chunks;
};

struct Dataset {
  Datatype type;
  Dataspace space;
  Layout layout;
  std::vector<Filter> filters;      // in the order in which they were applied
  std::span<const std::byte> fill;  // of an element that was never written; empty: zeros
  std::string refusal;              // not empty: why its elements cannot be read ("kept in other files")
};

// What the header of a dataset says. Errors: damaged (invalid). What is not read is a refusal and no error.
Result<Dataset> read_dataset(Space& space, const std::vector<Message>& header);

}  // namespace tern::hdf5
