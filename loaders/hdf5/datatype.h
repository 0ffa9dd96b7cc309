// What elements are, and how many: the messages datatype and dataspace. Next: layout.h.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "loaders/hdf5/space.h"
#include "tern/dtype.h"

namespace tern::hdf5 {

struct Datatype {
  DType dtype = DType::none;  // string for texts; none: tern does not compute with it
  std::string name;           // "f32", "string"; "opaque", "compound", "f24" … where there is no dtype
  int64_t size = 0;           // bytes of an element
  bool big_endian = false;
  // Of texts.
  bool variable = false;  // an element says where in the global heap it lies
  bool spaces = false;    // padded with spaces; otherwise it ends at the first zero byte, if there is one
};

struct Dataspace {
  bool null = false;  // no elements, not even one without dimensions
  std::vector<int64_t> sizes;
  std::vector<int64_t> most;  // that sizes may grow to; -1 without a limit. As many
};

// Errors: damaged (invalid); versions that are not read (unsupported). A type without a dtype is no error.
Result<Datatype> read_datatype(Fields message);
Result<Dataspace> read_dataspace(Fields message);

}  // namespace tern::hdf5
