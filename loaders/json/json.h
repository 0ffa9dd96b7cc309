// JSON as model files hold it: an inert tree in one flat array, made without recursion; bare NaN, Infinity and -Infinity are read as
// Python's json writes them. Strict otherwise: UTF-8, whole surrogate pairs, no duplicate keys, no trailing commas, nothing after the
// value. Integers keep 64 bits; one beyond i64 is a real, so that whoever wants an integer refuses it. Reals beyond f64 are an error.
// Next: json.cpp, then ../safetensors/safetensors.h, ../torch/export/export.h.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace tern {

class Json {
 public:
  enum class Kind : uint8_t { null, boolean, integer, real, string, array, object };
  using Id = uint32_t;
  static constexpr Id kNothing = 0xffffffff;

  struct Limits {
    size_t depth = 256;                // of nested arrays and objects
    size_t bytes = size_t(256) << 20;  // of the text; at most this default
  };
  // `text` must outlive the result. Memory: at most 12 times the text's size, for a list of digits. Errors: invalid, naming the byte.
  static Result<Json> parse(std::string_view text, const Limits& limits);
  static Result<Json> parse(std::string_view text) { return parse(text, Limits{}); }

  Id root() const { return 0; }
  Kind kind(Id id) const;
  bool is(Id id, Kind k) const { return id != kNothing && kind(id) == k; }
  bool boolean(Id id) const;
  int64_t integer(Id id) const;          // precondition: an integer
  double number(Id id) const;            // an integer or a real
  std::string_view string(Id id) const;  // unescaped, UTF-8
  size_t size(Id id) const;              // items of an array, members of an object; 0 for others and for kNothing
  Id item(Id array, size_t i) const;     // of an array; the i-th value of an object
  std::string_view key(Id object, size_t i) const;
  Id get(Id object, std::string_view key) const;  // kNothing when there is none, or it is no object

 private:
  class Parser;
  struct Node {
    uint32_t at = 0;         // of its text in text_ (escaped strings: in unescaped_), of its children in children_
    uint32_t size : 28 = 0;  // bytes of text; items or members
    uint32_t kind : 3 = 0;
    uint32_t escaped : 1 = 0;
  };
  static_assert(sizeof(Node) == 8);
  const Node& node(Id id) const { return nodes_[id]; }
  std::string_view text_of(const Node& n) const;

  std::string_view text_;
  std::vector<Node> nodes_;   // numbers are read when they are asked for
  std::vector<Id> children_;  // of an array: its items. Of an object: key and value in turns, then the members' places sorted by key
  std::string unescaped_;
};

}  // namespace tern
