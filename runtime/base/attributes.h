// The attributes of a node: names with typed values, as a model file gives them. Next: byte_reader.h, then kernels/op.h.
#pragma once
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
  using Value =
      std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, std::vector<std::string>, Tensor>;  // as AttrKind

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

}  // namespace tern
