// The schema of torch.export's JSON, as far as it is shared: unions, element types, shapes of tensors. See the table in
// loaders/README.md. Next: archive.h.
#pragma once
#include <string>
#include <string_view>

#include "loaders/json/json.h"
#include "loaders/weights/tensors.h"

namespace tern::torch {

// A union is an object with one member: its name says what the value is. Empty: it is no union.
struct Tagged {
  std::string_view tag;
  Json::Id value = Json::kNothing;
};
Tagged tagged(const Json& json, Json::Id id);

// The text of a member; empty when there is none.
std::string_view text_of(const Json& json, Json::Id object, std::string_view key);

// TensorMeta with known sizes: dtype, sizes, strides and offset into `tensor`. Errors: invalid.
Status read_meta(const Json& json, Json::Id meta, StoredTensor& tensor);

}  // namespace tern::torch
