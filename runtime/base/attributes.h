// The attributes of a node: names with typed values, as a model file gives them; and the reader that knows what they are when it gives none.
// Next: byte_reader.h, then kernels/op.h.
#pragma once
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/tensor.h"

namespace tern {

enum class AttrKind : uint8_t { i, f, s, ints, floats, strings, tensor };

class Attributes {
 public:
  using Value = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, std::vector<std::string>, Tensor>;  // as AttrKind

  void set(std::string name, Value value);
  void erase(std::string_view name);
  const Value* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  static AttrKind kind(const Value& v) { return static_cast<AttrKind>(v.index()); }

  // The value, or the default when it is absent (or of another kind: verify has refused that).
  int64_t i(std::string_view name, int64_t fallback = 0) const { return get<int64_t>(name, fallback); }
  float f(std::string_view name, float fallback = 0) const { return get<float>(name, fallback); }
  std::string s(std::string_view name, std::string fallback = {}) const { return get<std::string>(name, std::move(fallback)); }
  std::vector<int64_t> ints(std::string_view name) const { return get<std::vector<int64_t>>(name, {}); }
  std::vector<float> floats(std::string_view name) const { return get<std::vector<float>>(name, {}); }
  std::vector<std::string> strings(std::string_view name) const { return get<std::vector<std::string>>(name, {}); }
  const Tensor* tensor(std::string_view name) const {
    const Value* v = find(name);
    return v ? std::get_if<Tensor>(v) : nullptr;
  }
  // Sorted by name.
  const std::vector<std::pair<std::string, Value>>& all() const { return entries_; }
  // Same names, kinds and contents (tensors by their bytes; strings tensors never equal).
  bool operator==(const Attributes& other) const;
  // "axis=1, mode=linear"; long lists and tensors abridged
  std::string text() const;

 private:
  template <class T>
  T get(std::string_view name, T fallback) const {
    const Value* v = find(name);
    const T* t = v ? std::get_if<T>(v) : nullptr;
    return t ? *t : std::move(fallback);
  }
  std::vector<std::pair<std::string, Value>> entries_;
};

// What a schema says of one attribute. A default of another kind does not compile.
//   {"axis", AttrKind::i, -1}         when the node does not give it, it is -1 (also 0.5f, "constant", an array of int64_t)
//   {"to", AttrKind::i, kRequired}    every node gives it
//   {"perm", AttrKind::ints}          it may be absent, which means something of its own
struct Required {};
inline constexpr Required kRequired;
struct AttrSpec {
  using Default = std::variant<std::monostate, Required, int64_t, float, const char*, std::span<const int64_t>>;
  consteval AttrSpec(const char* attribute, AttrKind its_kind, Default its_default = {}) : name(attribute), kind(its_kind), otherwise(its_default) {
    constexpr AttrKind kKinds[] = {AttrKind::i, AttrKind::f, AttrKind::s, AttrKind::ints};
    if (otherwise.index() > 1 && kKinds[otherwise.index() - 2] != kind) throw "the default is of another kind than the attribute";
  }
  template <std::same_as<bool> T>
  constexpr AttrSpec(const char* attribute, AttrKind its_kind, T its_default) = delete;  // ONNX has no kind for it: say 0 or 1

  bool required() const { return std::holds_alternative<Required>(otherwise); }
  // What the attribute is when a node does not give it; nothing when that has a meaning of its own, or cannot be.
  std::optional<Attributes::Value> default_value() const;
  bool is_default(const Attributes::Value& value) const;

  const char* name;
  AttrKind kind;
  Default otherwise;
};

// How code reads attributes: by name, what the node gives or else the schema's default. Asking for one that the schema does not list, or as
// another kind, is a mistake of that code: it ends the process, in every build.
class AttrReader {
 public:
  AttrReader() = default;
  AttrReader(std::span<const AttrSpec> schema, const Attributes& given) : schema_(schema), given_(&given) {}

  bool lists(std::string_view name) const { return spec(name) != nullptr; }
  // Whether it has a value: given, or a default.
  bool has(std::string_view name) const;
  // The value; 0 or empty where has() is false, or where the node gives another kind (verify refuses that).
  int64_t i(std::string_view name) const;
  float f(std::string_view name) const;
  std::string s(std::string_view name) const;
  std::vector<int64_t> ints(std::string_view name) const;
  std::vector<float> floats(std::string_view name) const;
  std::vector<std::string> strings(std::string_view name) const;
  const Tensor* tensor(std::string_view name) const;  // null when absent

 private:
  const AttrSpec* spec(std::string_view name) const;
  const AttrSpec& checked(std::string_view name) const;
  const Attributes::Value* given(const AttrSpec& spec, AttrKind kind) const;
  template <class T>
  T get(std::string_view name) const;

  std::span<const AttrSpec> schema_;
  const Attributes* given_ = nullptr;
};

}  // namespace tern
