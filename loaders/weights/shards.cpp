// See shards.h.
#include "loaders/weights/shards.h"

#include <algorithm>
#include <map>
#include <set>

#include "loaders/json/json.h"

namespace tern {
namespace {

constexpr size_t kLook = size_t(64) << 10;  // where weight_map must begin for a text to be an index
constexpr size_t kMostDepth = 16;           // of the index's metadata, which anybody may fill
constexpr std::string_view kKey = "\"weight_map\"";

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

// A look at the keys of the outermost object, without parsing what may be any JSON.
bool looks_like_shard_index(std::span<const std::byte> bytes) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size()), text = all.substr(0, kLook);
  size_t at = 0, depth = 0;
  auto skip_blanks = [&](size_t i) {
    while (i < all.size() && is_blank(all[i])) ++i;
    return i;
  };
  at = skip_blanks(0);
  if (at >= text.size() || text[at] != '{') return false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    depth += c == '{' || c == '[';
    if ((c == '}' || c == ']') && --depth == 0) return false;
    if (c != '"') continue;
    if (depth == 1 && all.substr(at).starts_with(kKey)) {
      const size_t colon = skip_blanks(at + kKey.size());
      if (colon < all.size() && all[colon] == ':') {
        const size_t value = skip_blanks(colon + 1);
        return value < all.size() && all[value] == '{';
      }
    }
    for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\';
  }
  return false;
}

Result<StateDict> load_shards(const Source& source, Result<StateDict> (*open)(const Source&)) {
  auto json = Json::parse({reinterpret_cast<const char*>(source.bytes.data()), source.bytes.size()}, {.depth = kMostDepth});
  if (!json) return json.error();
  const Json::Id map = json->get(json->root(), "weight_map");
  if (!json->is(map, Json::Kind::object)) return invalid("the index has no weight_map");
  std::map<std::string, std::set<std::string_view>, std::less<>> files;  // in the order of their numbers, which their names hold
  for (size_t i = 0; i < json->size(map); ++i) {
    const Json::Id file = json->item(map, i);
    if (!json->is(file, Json::Kind::string)) return invalid("weight_map has a value that is no file name");
    files[std::string(json->string(file))].insert(json->key(map, i));
  }
  StateDict out;
  const Json::Id metadata = json->get(json->root(), "metadata");
  for (size_t i = 0; json->is(metadata, Json::Kind::object) && i < json->size(metadata); ++i) {
    const Json::Id item = json->item(metadata, i);
    if (json->is(item, Json::Kind::string)) out.metadata.emplace_back(json->key(metadata, i), json->string(item));
    if (json->is(item, Json::Kind::integer)) out.metadata.emplace_back(json->key(metadata, i), std::to_string(json->integer(item)));
  }
  for (auto& [file, names] : files) {
    auto shard = map_sibling(source, file);
    if (!shard) return shard.error();
    auto tensors = open(*shard);
    if (!tensors) return tensors.error().within(file);
    for (StateDict::Entry& e : tensors->entries) {  // what the index does not map is not the model's
      if (names.erase(e.name) > 0) out.entries.push_back(std::move(e));
    }
    if (!names.empty()) return invalid("the index says that " + file + " holds " + std::string(*names.begin()) + ", and it does not");
  }
  return out;
}

}  // namespace tern
