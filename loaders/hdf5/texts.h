// Texts as elements: of a fixed length, or in the global heap, collections of which lie anywhere in the file. Next: attributes.h.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "loaders/hdf5/datatype.h"

namespace tern::hdf5 {

class GlobalHeap {
 public:
  // The object of a number in the collection at `address`. Errors: damaged, none of that number (invalid).
  Result<std::span<const std::byte>> object(Space& space, uint64_t address, uint32_t index);

 private:
  struct Object {
    uint32_t index;
    std::span<const std::byte> bytes;
  };
  Result<std::vector<Object>> read(Space& space, uint64_t address);
  std::map<uint64_t, std::vector<Object>> collections_;  // by address; their objects by number
  uint64_t objects_ = 0;
};

// The first `count` elements of `data`. Errors: no texts, truncated, larger than allowed (invalid).
Result<std::vector<std::string>> read_texts(Space& space, GlobalHeap& heap, const Datatype& type, std::span<const std::byte> data, uint64_t count);

}  // namespace tern::hdf5
