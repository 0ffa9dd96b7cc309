// See treespec.h. Recursion is bounded by the depth that the JSON reader allows.
#include "loaders/torch/export/treespec.h"

#include <optional>

#include "loaders/json/json.h"
#include "loaders/torch/export/schema.h"

namespace tern::torch {
namespace {

constexpr size_t kDeepestSpec = 128;

// A dictionary's keys: "[\"a\", \"b\"]", and for a defaultdict "[factory, [\"a\"]]". Nothing: they are no texts.
std::optional<std::vector<std::string>> keys_of(std::string_view context, size_t count) {
  auto json = Json::parse(context, {.depth = 8});
  if (!json) return std::nullopt;
  Json::Id list = json->root();
  if (json->is(list, Json::Kind::array) && json->size(list) == 2 && json->is(json->item(list, 1), Json::Kind::array)) list = json->item(list, 1);
  if (!json->is(list, Json::Kind::array) || json->size(list) != count) return std::nullopt;
  std::vector<std::string> keys;
  for (size_t i = 0; i < count; ++i) {
    const Json::Id key = json->item(list, i);
    if (json->is(key, Json::Kind::string)) keys.emplace_back(json->string(key));
    else if (json->is(key, Json::Kind::integer)) keys.push_back(std::to_string(json->integer(key)));
    else return std::nullopt;
  }
  return keys;
}

class Unflattener {
 public:
  Unflattener(const Json& json, const IValues& leaves) : json_(json), leaves_(leaves) {}
  bool used_all() const { return next_ == leaves_.size(); }

  std::optional<IValue> node(Json::Id spec) {
    const Json::Id type = json_.get(spec, "type"), children = json_.get(spec, "children_spec");
    if (type == Json::kNothing || !json_.is(children, Json::Kind::array)) return std::nullopt;
    if (json_.is(type, Json::Kind::null)) {
      if (next_ == leaves_.size()) return std::nullopt;
      return leaves_[next_++];
    }
    IValues items;
    for (size_t i = 0; i < json_.size(children); ++i) {
      auto item = node(json_.item(children, i));
      if (!item) return std::nullopt;
      items.push_back(std::move(*item));
    }
    const std::string_view name = json_.string(type);
    if (name.find("dict") != name.npos || name.find("Dict") != name.npos) {
      auto keys = keys_of(text_of(json_, spec, "context"), items.size());
      if (!keys) return std::nullopt;
      IValue::Dict dict{std::make_shared<std::vector<std::pair<std::string, IValue>>>()};
      for (size_t i = 0; i < items.size(); ++i) dict.items->emplace_back(std::move((*keys)[i]), std::move(items[i]));
      return IValue(std::move(dict));
    }
    return name == "builtins.list" ? IValue::list(std::move(items)) : IValue::tuple(std::move(items));
  }

 private:
  const Json& json_;
  const IValues& leaves_;
  size_t next_ = 0;
};

std::string joined(const std::string& a, const std::string& b) { return a.empty() ? b : a + "_" + b; }

void add_paths(const IValue& value, const std::string& path, std::vector<std::string>& out) {
  if (const auto* dict = value.get<IValue::Dict>()) {
    for (const auto& [key, item] : *dict->items) add_paths(item, joined(path, key), out);
  } else if (const IValues* items = value.items()) {
    for (size_t i = 0; i < items->size(); ++i) add_paths((*items)[i], joined(path, std::to_string(i)), out);
  } else {
    out.push_back(path);
  }
}

}  // namespace

Result<IValue> unflatten(std::string_view spec, const IValues& leaves) {
  auto json = Json::parse(spec, {.depth = kDeepestSpec});
  if (!json) return json.error();
  if (!json->is(json->root(), Json::Kind::array) || json->size(json->root()) != 2) return invalid("a structure's text is damaged");
  Unflattener u(*json, leaves);
  auto value = u.node(json->item(json->root(), 1));
  if (!value || !u.used_all()) return invalid("a structure does not fit the number of its values");
  return std::move(*value);
}

std::vector<std::string> input_names(std::string_view spec, const std::vector<std::string>& arguments, size_t leaves) {
  auto both = unflatten(spec, IValues(leaves));
  const IValues* parts = both ? both->items() : nullptr;
  if (parts == nullptr || parts->size() != 2 || (*parts)[0].items() == nullptr) return {};
  std::vector<std::string> out;
  const IValues& args = *(*parts)[0].items();
  for (size_t i = 0; i < args.size(); ++i) {
    add_paths(args[i], i < arguments.size() ? arguments[i] : args.size() == 1 ? "input" : "input_" + std::to_string(i), out);
  }
  add_paths((*parts)[1], "", out);
  return out;
}

}  // namespace tern::torch
