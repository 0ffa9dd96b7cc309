// See schema.h.
#include "loaders/torch/export/schema.h"

#include "loaders/torch/pickle/checkpoint.h"

namespace tern::torch {

Tagged tagged(const Json& json, Json::Id id) {
  if (!json.is(id, Json::Kind::object) || json.size(id) != 1) return {};
  return {json.key(id, 0), json.item(id, 0)};
}

std::string_view text_of(const Json& json, Json::Id object, std::string_view key) {
  const Json::Id value = json.get(object, key);
  return json.is(value, Json::Kind::string) ? json.string(value) : std::string_view();
}

const char* dtype_of_code(int64_t code) {
  constexpr const char* kFirst[] = {nullptr, "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex32", "complex64", "complex128", "bool", "bfloat16"};
  constexpr const char* kLater[] = {"uint16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "uint32", "uint64"};
  if (code > 0 && code <= 13) return kFirst[code];
  return code >= 28 && code <= 35 ? kLater[code - 28] : nullptr;
}

namespace {

// [{"as_int": 3}, …]
bool read_ints(const Json& json, Json::Id list, std::vector<int64_t>& out) {
  if (!json.is(list, Json::Kind::array)) return false;
  for (size_t i = 0; i < json.size(list); ++i) {
    const Tagged n = tagged(json, json.item(list, i));
    if (n.tag != "as_int" || !json.is(n.value, Json::Kind::integer)) return false;
    out.push_back(json.integer(n.value));
  }
  return true;
}

}  // namespace

Status read_meta(const Json& json, Json::Id meta, StoredTensor& t) {
  const Json::Id code = json.get(meta, "dtype");
  const char* dtype = json.is(code, Json::Kind::integer) ? dtype_of_code(json.integer(code)) : nullptr;
  if (dtype == nullptr || !element_type(dtype, t.dtype, t.dtype_name, t.element_size)) return invalid("its dtype is not known");
  const Tagged offset = tagged(json, json.get(meta, "storage_offset"));
  if (!read_ints(json, json.get(meta, "sizes"), t.sizes) || !read_ints(json, json.get(meta, "strides"), t.strides)) return invalid("its sizes or strides are no numbers");
  if (offset.tag != "as_int" || !json.is(offset.value, Json::Kind::integer)) return invalid("its storage_offset is no number");
  t.offset = json.integer(offset.value);
  return {};
}

}  // namespace tern::torch
