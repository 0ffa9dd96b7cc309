// See config.h.
#include "loaders/keras/config.h"

#include "runtime/base/printable.h"

namespace tern::keras {

using Kind = Json::Kind;

template <class T>
T Config::fail(std::string_view name, const char* what, T otherwise) const {
  b_->fail(invalid("its config: " + printable(name, 80) + " is " + (has(name) ? "no " : "not there, which is to be ") + what));
  return otherwise;
}

bool Config::has(std::string_view name) const {
  const Json::Id id = at(name);
  return id != Json::kNothing && json_->kind(id) != Kind::null;
}

bool Config::is_number(std::string_view name) const { return json_->is(at(name), Kind::integer) || json_->is(at(name), Kind::real); }

bool Config::boolean(std::string_view name, bool otherwise) const {
  if (!has(name)) return otherwise;
  const Json::Id id = at(name);
  if (json_->is(id, Kind::integer)) return json_->integer(id) != 0;
  return json_->is(id, Kind::boolean) ? json_->boolean(id) : fail(name, "truth value", otherwise);
}

int64_t Config::integer(std::string_view name) const { return has(name) ? integer(name, 0) : fail(name, "integer", int64_t(0)); }

int64_t Config::integer(std::string_view name, int64_t otherwise) const {
  if (!has(name)) return otherwise;
  const Json::Id id = at(name);
  if (json_->is(id, Kind::integer)) return json_->integer(id);
  const double real = json_->is(id, Kind::real) ? json_->number(id) : 0.5;  // old files have 64.0
  if (real == static_cast<double>(static_cast<int32_t>(std::max(-2e9, std::min(2e9, real))))) return static_cast<int64_t>(real);
  return fail(name, "integer", otherwise);
}

double Config::number(std::string_view name, double otherwise) const {
  if (!has(name)) return otherwise;
  const Json::Id value = json_->get(at(name), "value");  // {type: "ndarray", value: 6.0}, of Keras 2.2
  if (json_->is(value, Kind::real) || json_->is(value, Kind::integer)) return json_->number(value);
  return is_number(name) ? json_->number(at(name)) : fail(name, "number", otherwise);
}

std::string Config::text(std::string_view name, std::string_view otherwise) const {
  if (!has(name)) return std::string(otherwise);
  return std::string(is_text(name) ? json_->string(at(name)) : fail(name, "text", otherwise));
}

std::vector<int64_t> Config::ints(std::string_view name, size_t count) const {
  if (!has(name)) return {};
  const Json::Id id = at(name);
  if (!json_->is(id, Kind::array)) return std::vector<int64_t>(std::max<size_t>(count, 1), integer(name, 0));
  std::vector<int64_t> out;
  for (size_t i = 0; i < json_->size(id); ++i) {
    const Json::Id item = json_->item(id, i);
    if (!json_->is(item, Kind::integer)) return fail(name, "list of integers", out);
    out.push_back(json_->integer(item));
  }
  if (count != 0 && out.size() != count)
    return fail(name, ("list of " + std::to_string(count) + " integers").c_str(), std::vector<int64_t>(count, 0));
  return out;
}

std::vector<double> Config::numbers(std::string_view name) const {
  if (!has(name)) return {};
  const Json::Id id = at(name);
  if (!json_->is(id, Kind::array)) return {number(name, 0)};
  std::vector<double> out;
  for (size_t i = 0; i < json_->size(id); ++i) {
    const Json::Id item = json_->item(id, i);
    if (!json_->is(item, Kind::integer) && !json_->is(item, Kind::real)) return fail(name, "list of numbers", out);
    out.push_back(json_->number(item));
  }
  return out;
}

std::vector<double> Config::flat_numbers(std::string_view name) const {
  std::vector<double> out;
  std::vector<Json::Id> open;  // what is still to be read, the next one last
  if (has(name)) open.push_back(at(name));
  while (!open.empty()) {
    const Json::Id id = open.back();
    open.pop_back();
    if (json_->is(id, Kind::array)) {
      for (size_t i = json_->size(id); i > 0; --i) open.push_back(json_->item(id, i - 1));
    } else if (json_->is(id, Kind::integer) || json_->is(id, Kind::real)) {
      out.push_back(json_->number(id));
    } else {
      return fail(name, "list of numbers", out);
    }
  }
  return out;
}

std::vector<std::string> Config::texts(std::string_view name) const {
  if (!has(name)) return {};
  const Json::Id id = at(name);
  std::vector<std::string> out;
  if (!json_->is(id, Kind::array)) return fail(name, "list of texts", out);
  for (size_t i = 0; i < json_->size(id); ++i) {
    const Json::Id item = json_->item(id, i);
    if (!json_->is(item, Kind::string)) return fail(name, "list of texts", out);
    out.emplace_back(json_->string(item));
  }
  return out;
}

std::string Config::called(Json::Id id) const {
  if (json_->is(id, Kind::string)) return std::string(json_->string(id));
  if (!json_->is(id, Kind::object)) return {};
  const Json::Id name = json_->get(id, "class_name"), config = json_->get(id, "config");
  if (!json_->is(name, Kind::string)) return {};
  if (json_->string(name) == "function" && json_->is(config, Kind::string)) return std::string(json_->string(config));
  return std::string(json_->string(name));
}

std::string Config::policy() const {
  if (!is_object("dtype")) return text("dtype");
  const Config policy = object("dtype"), settings = policy.object("config");
  if (settings.has("default_policy")) {  // of a layer's parts each its own
    if (json_->size(settings.at("policy_map")) > 0) return "DTypePolicyMap";
    return settings.is_object("default_policy") ? settings.object("default_policy").object("config").text("name") : settings.text("default_policy");
  }
  return settings.has("mode") ? settings.text("mode") + "_from_" + settings.text("source_name") : settings.text("name");
}

namespace {

struct Named {
  const char* name;
  DType dtype;
};
constexpr Named kDTypes[] = {
    {"float32", DType::f32}, {"float64", DType::f64}, {"float16", DType::f16},  {"bfloat16", DType::bf16}, {"int8", DType::i8},
    {"int16", DType::i16},   {"int32", DType::i32},   {"int64", DType::i64},    {"uint8", DType::u8},      {"uint16", DType::u16},
    {"uint32", DType::u32},  {"uint64", DType::u64},  {"bool", DType::boolean}, {"string", DType::string}, {"half", DType::f16},
    {"double", DType::f64},  {"float", DType::f32},   {"int", DType::i32},
};

}  // namespace

DType dtype_named(std::string_view name) {
  for (const Named& row : kDTypes) {
    if (name == row.name) return row.dtype;
  }
  return DType::none;
}

const char* name_of(DType dtype) {
  for (const Named& row : kDTypes) {
    if (dtype == row.dtype) return row.name;
  }
  return "none";
}

}  // namespace tern::keras
