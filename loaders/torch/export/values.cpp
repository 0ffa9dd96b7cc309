// Arguments of nodes as Python values, and results under their names. See run.h.
#include <cmath>

#include "loaders/torch/export/run.h"
#include "loaders/torch/export/schema.h"
#include "loaders/torch/module/dtypes.h"

namespace tern::torch {
namespace {

bool is_float_tag(std::string_view tag) { return tag.starts_with("as_float") || tag.starts_with("as_sym_float"); }

}  // namespace

IValue Runner::named(Frame& f, std::string_view name) {
  if (!f.scope.contains(name) && f.outermost && lifted_.has(name)) f.scope[name] = lifted_.get(name);
  if (auto it = f.scope.find(name); it != f.scope.end()) {
    if (b_.changed() && it->second.is_tensor()) it->second = IValue::tensor(b_.current(it->second.id()));
    return it->second;
  }
  b_.fail(invalid("'" + std::string(name.substr(0, 100)) + "' is read before anything makes it"));
  return {};
}

// Recursion: as deep as the JSON, which is bounded.
IValue Runner::plain(Frame& f, std::string_view tag, Json::Id v) {
  switch (json_.kind(v)) {
    case Json::Kind::null: return {};
    case Json::Kind::boolean: return json_.boolean(v);
    case Json::Kind::integer: return is_float_tag(tag) ? IValue(json_.number(v)) : IValue(Int(json_.integer(v)));
    case Json::Kind::real: return json_.number(v);
    case Json::Kind::string: {
      const std::string text(json_.string(v));
      if (!is_float_tag(tag)) return text;
      if (text == "Infinity" || text == "-Infinity") return text[0] == '-' ? -INFINITY : INFINITY;
      if (text == "NaN") return std::nan("");
      break;
    }
    case Json::Kind::array: {
      IValues items;
      for (size_t i = 0; b_.ok() && i < json_.size(v); ++i) items.push_back(plain(f, tag, json_.item(v, i)));
      return IValue::list(std::move(items));
    }
    case Json::Kind::object: {
      for (const char* key : {"name", "as_name"}) {
        if (json_.is(json_.get(v, key), Json::Kind::string)) return named(f, text_of(json_, v, key));
      }
      return value_of(f, v);
    }
  }
  b_.fail(invalid("an argument is damaged"));
  return {};
}

IValue Runner::value_of(Frame& f, Json::Id argument) {
  const Tagged a = tagged(json_, argument);
  if (!b_.ok() || a.tag == "as_none" || a.tag == "as_memory_format" || a.tag == "as_layout" || a.tag == "as_device") return {};
  if (a.tag == "as_scalar_type") {
    const ElementType* type = json_.is(a.value, Json::Kind::integer) ? element_of_code(json_.integer(a.value)) : nullptr;
    if (type == nullptr || type->dtype == DType::none) {
      b_.fail(unsupported(std::string("the dtype ") + (type != nullptr ? type->name : "of an unknown number") + " is not supported"));
    }
    return type != nullptr ? type->dtype : DType::none;
  }
  constexpr std::string_view kPlain[] = {"as_tensor", "as_optional_tensor", "as_nested_tensor", "as_int",      "as_float",    "as_bool",
                                         "as_string", "as_sym_int",         "as_sym_float",     "as_sym_bool", "as_int_list", "as_float_list"};
  for (std::string_view tag : kPlain) {
    if (a.tag == tag || (a.tag.size() == tag.size() + 1 && a.tag.starts_with(tag) && a.tag.back() == 's')) return plain(f, a.tag, a.value);
  }
  b_.fail(a.tag.empty() ? invalid("an argument is damaged")
                        : unsupported("arguments of the kind " + std::string(a.tag.substr(0, 100)) + " are not supported"));
  return {};
}

void Runner::set(Frame& f, std::string_view name, IValue value) {
  if (!f.scope.insert_or_assign(name, std::move(value)).second) b_.fail(invalid("'" + std::string(name.substr(0, 100)) + "' is made twice"));
}

// Several outputs are the items of a tuple; one output is the value, or (as_tensors) a list of them.
void Runner::bind(Frame& f, Json::Id outputs, const IValue& result) {
  if (!b_.ok()) return;
  // A tensor that somebody reads must be one.
  auto bind_one = [&](Json::Id object, const IValue& value) {
    const Usage::Name* read = f.usage.find(text_of(json_, object, "name"));
    const auto* uncomputed = value.get<IValue::Uncomputed>();
    if ((uncomputed != nullptr || value.is_none()) && read != nullptr && read->last_read >= 0) {
      const std::string op = operator_of(json_, json_.item(f.nodes, f.now));
      b_.fail(unsupported(
          "the result '" + std::string(read->text.substr(0, 100)) + "' of " + op.substr(0, 200) + " is not computed: it gives no " +
          (uncomputed != nullptr && uncomputed->what != nullptr ? uncomputed->what : "such result here; export the model without its use")));
    }
    for (const char* key : {"name", "as_name"}) {
      if (json_.is(json_.get(object, key), Json::Kind::string)) set(f, text_of(json_, object, key), value);
    }
  };
  const IValues* items = result.items();
  auto item = [&](size_t i) { return items != nullptr && i < items->size() ? (*items)[i] : IValue::uncomputed(); };
  if (json_.size(outputs) != 1) {
    for (size_t i = 0; i < json_.size(outputs); ++i) bind_one(tagged(json_, json_.item(outputs, i)).value, item(i));
    return;
  }
  const Tagged only = tagged(json_, json_.item(outputs, 0));
  if (!json_.is(only.value, Json::Kind::array)) return bind_one(only.value, items != nullptr ? item(0) : result);
  if (items == nullptr || items->size() != json_.size(only.value)) {
    b_.fail(invalid("an operator gives " + std::to_string(items != nullptr ? items->size() : 1) + " values, the program takes " +
                    std::to_string(json_.size(only.value))));
    return;
  }
  for (size_t i = 0; i < items->size(); ++i) {
    const Json::Id object = json_.item(only.value, i);
    bind_one(tagged(json_, object).tag == "as_tensor" ? tagged(json_, object).value : object, (*items)[i]);
  }
}

}  // namespace tern::torch
