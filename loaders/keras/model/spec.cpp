// See spec.h.
#include "loaders/keras/model/spec.h"

#include <algorithm>

#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using Kind = Json::Kind;

constexpr size_t kMostValues = 1 << 16;  // of one call; each becomes an Argument, which is larger than its text

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// ---- [layer, node, tensor] and [layer, node, tensor, kwargs]

bool is_reference(const Json& json, Json::Id id) {
  const size_t n = json.is(id, Kind::array) ? json.size(id) : 0;
  return (n == 3 || n == 4) && json.is(json.item(id, 0), Kind::string) && json.is(json.item(id, 1), Kind::integer) &&
         (json.is(json.item(id, 2), Kind::integer) || json.string(json.item(id, 0)) == "_CONSTANT_VALUE");
}

Reference reference(const Json& json, Json::Id id) {
  return {json.string(json.item(id, 0)), json.integer(json.item(id, 1)), json.integer(json.item(id, 2))};
}

// ---- inputs and outputs: a reference, or lists and dictionaries of them

Status read_ports(const Json& json, Json::Id id, const std::string& key, std::vector<ModelPort>& out) {
  if (is_reference(json, id)) {
    out.push_back({key, reference(json, id)});
    return {};
  }
  if (!json.is(id, Kind::array) && !json.is(id, Kind::object)) return invalid("what input_layers and output_layers name is no [layer, node, tensor]");
  for (size_t i = 0; i < json.size(id); ++i) {  // as deep as JSON may nest
    std::string inner = key;
    if (json.is(id, Kind::object)) inner += (inner.empty() ? "" : "_") + std::string(json.key(id, i));
    if (Status s = read_ports(json, json.item(id, i), inner, out); !s) return s;
  }
  return {};
}

// ---- layers

class SpecReader {
 public:
  SpecReader(const Json& json, const Version& version) : json_(json), version_(version) {}

  Result<ModelSpec> read(std::string_view class_name, Json::Id config) {
    const Json::Id layers = json_.is(config, Kind::array) ? config : json_.get(config, "layers");
    spec_.sequential = class_name == "Sequential";
    if (class_name == "FeatureSpace")
      return unsupported("a FeatureSpace alone, which has no calls: save keras.Model(space.get_inputs(), space.get_encoded_features())");
    if (!json_.is(layers, Kind::array) || (!spec_.sequential && json_.get(config, "output_layers") == Json::kNothing)) {
      return unsupported("a subclassed model (" + printable(class_name, 80) + "): such a file has weights and no graph; save it with model.export()");
    }
    spec_.layers.reserve(json_.size(layers));
    for (size_t i = 0; i < json_.size(layers); ++i) {
      if (Status s = add(json_.item(layers, i)); !s) return s.error();
    }
    if (spec_.sequential) return std::move(spec_);
    if (Status s = read_ports(json_, json_.get(config, "input_layers"), "", spec_.inputs); !s) return s.error();
    if (Status s = read_ports(json_, json_.get(config, "output_layers"), "", spec_.outputs); !s) return s.error();
    number_calls();
    return std::move(spec_);
  }

 private:
  std::string text(Json::Id object, const char* key) const {
    const Json::Id id = json_.get(object, key);
    return json_.is(id, Kind::string) ? std::string(json_.string(id)) : std::string();
  }

  Status add(Json::Id object) {
    ModelLayer layer;
    layer.object = object;
    layer.class_name = text(object, "class_name");
    layer.name = text(object, "name");  // as calls refer to it: a TensorFlowOpLayer's config has another
    if (layer.name.empty()) layer.name = text(json_.get(object, "config"), "name");
    if (layer.class_name.empty()) return invalid("a layer has no class_name");
    layer.input = layer.class_name == "InputLayer";
    if (!is_operation(json_, object) && !(spec_.sequential && layer.input)) {
      // Archives go by the name of the Python class, which this one alone does not have in configs.
      layer.leaf = snake_case(layer.class_name == "GroupQueryAttention" ? "GroupedQueryAttention" : layer.class_name);
      if (const int64_t k = leaves_[layer.leaf]++; k != 0) layer.leaf += "_" + std::to_string(k);
    }
    if (layer.name.empty()) layer.name = layer.leaf;  // of old Sequential models
    const Json::Id calls = json_.get(object, "inbound_nodes");
    for (size_t i = 0; i < json_.size(calls); ++i) layer.calls.push_back(json_.item(calls, i));
    spec_.layers.push_back(std::move(layer));
    const ModelLayer& added = spec_.layers.back();
    if (!spec_.by_name.emplace(added.name, spec_.layers.size() - 1).second) return invalid("two layers are called " + quoted(added.name));
    return {};
  }

  // A model that is a layer has a node from when it was made, if it was: Keras 2 counts it, Keras 3 of Functional models only, and not in
  // arguments. Which numbers are used tells more than the class does.
  void number_calls() {
    std::unordered_map<std::string_view, std::pair<int64_t, int64_t>> used;  // least and most
    auto note = [&](const Reference& r) {
      if (r.from_zero) return;
      auto [at, fresh] = used.emplace(r.layer, std::make_pair(r.node, r.node));
      at->second = {std::min(at->second.first, r.node), std::max(at->second.second, r.node)};
    };
    for (const ModelPort& port : spec_.outputs) note(port.from);
    GraphBuilder none;
    for (const ModelLayer& layer : spec_.layers) {
      for (Json::Id call : layer.calls) {
        read_call(none, json_, spec_, call, [&](const Reference& r) {
          note(r);
          return Flow();
        });
      }
    }
    for (ModelLayer& layer : spec_.layers) {
      const bool sequential = layer.class_name == "Sequential";
      if (!sequential && layer.class_name != "Functional" && layer.class_name != "Model") continue;
      const auto at = used.find(layer.name);
      const auto [least, most] = at == used.end() ? std::make_pair(int64_t(1), int64_t(1)) : at->second;
      layer.first_node = least == 0 ? 0 : most == static_cast<int64_t>(layer.calls.size()) ? 1 : !sequential || version_.major < 3;
    }
  }

  const Json& json_;
  const Version& version_;
  ModelSpec spec_;
  std::unordered_map<std::string, int64_t> leaves_;
};

// ---- calls

class CallReader {
 public:
  CallReader(GraphBuilder& b, const Json& json, const ModelSpec& spec, const std::function<Flow(const Reference&)>& tensor)
      : b_(b), json_(json), spec_(spec), tensor_(tensor) {}

  // Keras 3: {args: […], kwargs: {…}}. Keras 2: references in lists and dictionaries, the arguments by name beside each.
  Arguments read(Json::Id call) {
    Arguments out;
    if (const Json::Id args = json_.get(call, "args"); json_.is(args, Kind::array)) {
      for (size_t i = 0; i < json_.size(args); ++i) out.positional.push_back(argument(json_.item(args, i)));
      named(json_.get(call, "kwargs"), out);
      return out;
    }
    short_ = true;
    Argument first = argument(call);
    if (first.is(Argument::Kind::list) && first.items.size() == 1) first = Argument(first.items[0]);
    out.positional.push_back(std::move(first));
    named(kwargs_, out);
    return out;
  }

  Argument value(Json::Id id) { return argument(id); }

 private:
  void named(Json::Id kwargs, Arguments& out) {
    for (size_t i = 0; i < json_.size(kwargs); ++i) {
      if (json_.is(kwargs, Kind::object)) out.named.emplace_back(json_.key(kwargs, i), argument(json_.item(kwargs, i)));
    }
  }

  Argument argument(Json::Id id) {  // as deep as JSON may nest
    Argument a;
    if (++values_ > kMostValues) {
      b_.fail(unsupported("one call has more than " + std::to_string(kMostValues) + " arguments, constants counted by their elements"));
      return a;
    }
    switch (json_.kind(id)) {
      case Kind::null: break;
      case Kind::boolean:
        a.kind = Argument::Kind::boolean;
        a.flag = json_.boolean(id), a.integer = a.flag, a.real = a.flag;
        break;
      case Kind::integer:
        a.kind = Argument::Kind::integer;
        a.integer = json_.integer(id), a.real = json_.number(id);
        break;
      case Kind::real:
        a.kind = Argument::Kind::real;
        a.real = json_.number(id);
        break;
      case Kind::string:
        a.kind = Argument::Kind::text;
        a.text = std::string(json_.string(id));
        break;
      case Kind::array: return list(id);
      case Kind::object: return object(id);
    }
    return a;
  }

  Argument list(Json::Id id) {
    if (short_ && is_reference(json_, id)) {
      if (json_.size(id) == 4 && kwargs_ == Json::kNothing) kwargs_ = json_.item(id, 3);
      if (json_.string(json_.item(id, 0)) == "_CONSTANT_VALUE") return argument(json_.item(id, 2));
      if (spec_.find(json_.string(json_.item(id, 0))) != nullptr) return tensor_(reference(json_, id));
    }
    Argument a;
    a.kind = Argument::Kind::list;
    for (size_t i = 0; i < json_.size(id); ++i) a.items.push_back(argument(json_.item(id, i)));
    return a;
  }

  Argument slice(Json::Id from) {
    Argument a;
    a.kind = Argument::Kind::slice;
    for (const char* key : {"start", "stop", "step"}) {
      const Json::Id at = json_.get(from, key);
      a.items.push_back(at == Json::kNothing ? Argument() : argument(at));
    }
    return a;
  }

  Argument object(Json::Id id) {
    Argument a;
    const Json::Id name = json_.get(id, "class_name"), config = json_.get(id, "config");
    if (!json_.is(name, Kind::string)) {
      if (json_.size(id) == 3 && json_.get(id, "start") != Json::kNothing && json_.get(id, "stop") != Json::kNothing) return slice(id);
      a.kind = Argument::Kind::dict;
      for (size_t i = 0; i < json_.size(id); ++i) {
        a.keys.emplace_back(json_.key(id, i));
        a.items.push_back(argument(json_.item(id, i)));
      }
      return a;
    }
    const std::string_view cls = json_.string(name);
    const Json::Id history = json_.get(config, "keras_history");
    if (cls == "__keras_tensor__" && is_reference(json_, history)) {
      Reference r = reference(json_, history);
      r.from_zero = true;
      return tensor_(r);
    }
    if (cls == "__slice__") return slice(config);
    if (cls == "__ellipsis__") {
      a.kind = Argument::Kind::ellipsis;
      return a;
    }
    const Json::Id value = json_.get(config, "value");
    if ((cls == "__numpy__" || cls == "__tensor__" || cls == "__tuple__" || cls == "__bytes__") && value != Json::kNothing) return argument(value);
    if (json_.is(config, Kind::string)) {  // a function, a dtype
      a.kind = Argument::Kind::text;
      a.text = std::string(json_.string(config));
      return a;
    }
    if (json_.get(config, "name") != Json::kNothing) return argument(json_.get(config, "name"));  // a dtype policy
    b_.fail(unsupported("an argument of class " + printable(cls, 80) + " is not supported"));
    return a;
  }

  GraphBuilder& b_;
  const Json& json_;
  const ModelSpec& spec_;
  const std::function<Flow(const Reference&)>& tensor_;
  size_t values_ = 0;
  bool short_ = false;  // Keras 2's spelling
  Json::Id kwargs_ = Json::kNothing;
};

}  // namespace

std::string quoted(std::string_view name) { return "'" + printable(name, 80) + "'"; }

Result<ModelSpec> read_model(const Json& json, std::string_view class_name, Json::Id config, const Version& version) {
  return SpecReader(json, version).read(class_name, config);
}

Arguments read_call(GraphBuilder& b, const Json& json, const ModelSpec& spec, Json::Id call, const std::function<Flow(const Reference&)>& tensor) {
  return CallReader(b, json, spec, tensor).read(call);
}

Argument read_value(GraphBuilder& b, const Json& json, Json::Id id) {
  static const ModelSpec kNoLayers;
  return CallReader(b, json, kNoLayers, [](const Reference&) { return Flow(); }).value(id);
}

bool is_operation(const Json& json, Json::Id object) {
  const Json::Id module = json.get(object, "module"), config = json.get(object, "config");
  if (json.is(module, Kind::string)) return json.string(module).starts_with("keras.src.ops") || json.string(module).starts_with("keras.ops");
  const Json::Id calls = json.get(object, "inbound_nodes");
  const bool keras3 = json.size(calls) > 0 && json.get(json.item(calls, 0), "args") != Json::kNothing;
  if (!keras3 || json.get(config, "trainable") != Json::kNothing) return false;
  const Json::Id name = json.get(object, "class_name");  // a few layers do not write it either
  return json.is(name, Kind::string) && find_layer("ops." + std::string(json.string(name))) != nullptr;
}

// Python's re.sub("(.)([A-Z][a-z]+)", r"\1_\2"), then "([a-z])([A-Z])", then lower().
std::string snake_case(std::string_view class_name) {
  std::string first, out;
  for (size_t i = 0; i < class_name.size();) {
    size_t end = i + 1;
    while (is_upper(class_name[i]) && end < class_name.size() && is_lower(class_name[end])) ++end;
    const bool word = end > i + 1;
    if (word && i > 0) first += '_';
    first += class_name.substr(i, word ? end - i : 1);
    i = word ? end : i + 1;
  }
  for (size_t i = 0; i < first.size(); ++i) {
    if (i > 0 && is_lower(first[i - 1]) && is_upper(first[i])) out += '_';
    out += static_cast<char>(is_upper(first[i]) ? first[i] + 32 : first[i]);
  }
  return out;
}

}  // namespace tern::keras
