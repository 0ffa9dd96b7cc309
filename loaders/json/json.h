// JSON as model files hold it: an inert tree in one flat array, made without recursion; bare NaN and Infinity are read as Python's json
// writes them. Strict otherwise: UTF-8, no duplicate keys, no trailing commas, nothing after the value. Integers keep 64 bits.
// Next: ../safetensors/safetensors.h, ../torch/export/export.h.
#pragma once
#include <cstdint>
#include <span>
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
    size_t depth = 256;              // of nested arrays and objects
    size_t bytes = size_t(1) << 30;  // of the text
  };
  // `text` must outlive the result. Memory is bounded by a multiple of the text's size. Errors: invalid, naming the byte.
  static Result<Json> parse(std::string_view text, const Limits& limits);
  static Result<Json> parse(std::string_view text) { return parse(text, Limits{}); }

  Id root() const { return 0; }
  Kind kind(Id id) const;
  bool is(Id id, Kind k) const { return id != kNothing && kind(id) == k; }
  bool boolean(Id id) const;
  int64_t integer(Id id) const;      // precondition: an integer
  double number(Id id) const;        // an integer or a real
  std::string_view string(Id id) const;  // unescaped, UTF-8
  size_t size(Id id) const;          // items of an array, members of an object; 0 for others
  Id item(Id array, size_t i) const; // of an array; the i-th value of an object
  std::string_view key(Id object, size_t i) const;
  Id get(Id object, std::string_view key) const;  // kNothing when there is none, or it is no object

 private:
  // …
};

}  // namespace tern
