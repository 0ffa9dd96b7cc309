// See schema.h.
#include "loaders/torch/export/schema.h"

#include "loaders/torch/module/dtypes.h"

namespace tern::torch {

Tagged tagged(const Json& json, Json::Id id) {
  if (!json.is(id, Json::Kind::object) || json.size(id) != 1) return {};
  return {json.key(id, 0), json.item(id, 0)};
}

std::string_view text_of(const Json& json, Json::Id object, std::string_view key) {
  const Json::Id value = json.get(object, key);
  return json.is(value, Json::Kind::string) ? json.string(value) : std::string_view();
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
  const ElementType* type = json.is(code, Json::Kind::integer) ? element_of_code(json.integer(code)) : nullptr;
  if (type == nullptr) return invalid("its dtype is not known");
  set_type(t, *type);
  const Tagged offset = tagged(json, json.get(meta, "storage_offset"));
  if (!read_ints(json, json.get(meta, "sizes"), t.sizes) || !read_ints(json, json.get(meta, "strides"), t.strides))
    return invalid("its sizes or strides are no numbers");
  if (offset.tag != "as_int" || !json.is(offset.value, Json::Kind::integer)) return invalid("its storage_offset is no number");
  t.offset = json.integer(offset.value);
  return {};
}

}  // namespace tern::torch
