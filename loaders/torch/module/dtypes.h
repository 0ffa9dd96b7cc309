// The element types of PyTorch: one table of their names, storages and numbers. Next: graph/value.h.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "loaders/weights/tensors.h"

namespace tern::torch {

struct ElementType {
  const char* name;     // "float64"
  const char* alias;    // "double": as torch has both; empty for none
  const char* storage;  // "Double" of torch.DoubleStorage and torch.DoubleTensor; empty for none
  int code;             // of torch.export's ScalarType; 0 for none
  DType dtype;          // none: tern does not compute with it
  int64_t bytes;

  const char* text() const { return dtype == DType::none ? name : tern::name(dtype); }  // "f64", "complex64"
};

// The rows of a name ("float64", without torch.), of a storage class ("DoubleStorage"), of a number. Null: not known.
const ElementType* element_named(std::string_view name);
const ElementType* element_of_storage(std::string_view cls);
const ElementType* element_of_code(int64_t code);
// The row of a dtype of tern; null for strings and none.
const ElementType* element_of(DType dtype);
void set_type(StoredTensor& t, const ElementType& type);

// "float32", "torch.float32", "float", "f32", "int64", "long", "bool" …; nothing for other names and for types that tern does not compute
// with.
std::optional<DType> dtype_named(std::string_view name);

}  // namespace tern::torch
