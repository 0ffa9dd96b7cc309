// The links of a group, however it keeps them: a symbol table (the old way), messages in its header, or a fractal heap. Next: datatype.h.
#pragma once
#include <string_view>
#include <vector>

#include "loaders/hdf5/object_header.h"

namespace tern::hdf5 {

struct Link {
  enum class Kind : uint8_t { hard, soft, external, user };
  std::string_view name;          // in the file
  uint64_t address = kUndefined;  // of the object's header, if hard
  Kind kind = Kind::hard;
};

bool is_group(const std::vector<Message>& header);

constexpr size_t kMostLinks = size_t(1) << 18;  // of all groups; forty times what the largest models have

// Appends the links in no order. Errors: damaged, more links than `left` (invalid); of versions that are not read (unsupported).
Status read_links(Space& space, const std::vector<Message>& header, size_t left, std::vector<Link>& out);

}  // namespace tern::hdf5
