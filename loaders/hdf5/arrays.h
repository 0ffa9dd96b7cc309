// The two arrays that index chunks since HDF5 1.10: of a fixed length, and one that grows in one dimension. Next: chunks.h.
#pragma once
#include <functional>

#include "loaders/hdf5/space.h"

namespace tern::hdf5 {

// Calls visit(index, element) for the elements of all blocks that were written, in any order. `filtered`: the elements are of filtered chunks.
// Errors: damaged, of another kind of chunks, of another length than `count` (invalid), and those of `visit`.
using VisitElement = std::function<Status(uint64_t index, Fields element)>;
Status walk_fixed_array(Space& space, uint64_t header, bool filtered, uint64_t count, const VisitElement& visit);
Status walk_extensible_array(Space& space, uint64_t header, bool filtered, const VisitElement& visit);

}  // namespace tern::hdf5
