// The two kinds of B-trees, as lists of what their leaves (and in version 2 all nodes) hold. Version 1: groups' tables and chunks. Version 2: links
// and attributes of large groups, huge objects, chunks without a limit in several dimensions. Next: fractal_heap.h.
#pragma once
#include <functional>

#include "loaders/hdf5/space.h"

namespace tern::hdf5 {

// Calls visit(key, child's address) for each entry of the leaves of a tree of version 1, in order. `type`: 0 groups, 1 chunks. Errors: damaged
// (invalid), and those of `visit`.
using VisitEntry = std::function<Status(Fields key, uint64_t child)>;
Status walk_btree_v1(Space& space, uint64_t root, uint8_t type, size_t key_bytes, const VisitEntry& visit);

// Calls visit(record) for each record of a tree of version 2, in no order. Errors: damaged, a tree of another type (invalid), and those of `visit`.
using VisitRecord = std::function<Status(Fields record)>;
Status walk_btree_v2(Space& space, uint64_t header, uint8_t type, const VisitRecord& visit);

}  // namespace tern::hdf5
