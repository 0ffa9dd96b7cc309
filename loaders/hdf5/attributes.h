// Attributes: small named arrays on an object, in its header or, where they are many or large, in a fractal heap. Next: hdf5.cpp.
#pragma once
#include <string_view>

#include "loaders/hdf5/datatype.h"
#include "loaders/hdf5/object_header.h"

namespace tern::hdf5 {

struct Attribute {
  std::string_view name;  // in the file
  Fields rest;            // of its message, from the datatype on
  uint8_t version = 0, flags = 0;
  uint16_t type_bytes = 0, space_bytes = 0;
};

// All of an object's, in no order; what they hold is not looked at. Errors: damaged (invalid); of versions that are not read (unsupported).
Result<std::vector<Attribute>> read_attributes(Space& space, const std::vector<Message>& header);

// Null when there is none.
const Attribute* find_attribute(const std::vector<Attribute>& all, std::string_view name);

struct AttributeValue {
  Datatype type;
  Dataspace space;
  uint64_t count = 0;               // elements
  std::span<const std::byte> data;  // at least so many
};
Result<AttributeValue> read_value(Space& space, const Attribute& attribute);

}  // namespace tern::hdf5
