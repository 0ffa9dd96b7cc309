// A JSON writer: commas and escapes are its business, nesting is the caller's. Next: print.h.
//   Json j;  j.object().key("runs").value(3).key("shape").array().value(1).end().end();  j.text()
#pragma once
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "tools/tern/text.h"

namespace tern::command {

class Json {
 public:
  Json& object() { return open('{', '}'); }
  Json& array() { return open('[', ']'); }
  Json& end() {
    text_ += closers_.back();
    closers_.pop_back();
    comma_ = true;
    return *this;
  }
  Json& key(std::string_view name) {
    separate();
    quote(name);
    text_ += ": ";
    comma_ = false;
    return *this;
  }
  Json& null() { return raw("null"); }
  Json& value(std::string_view s) {
    separate();
    quote(s);
    comma_ = true;
    return *this;
  }
  Json& value(const std::string& s) { return value(std::string_view(s)); }
  Json& value(const char* s) { return value(std::string_view(s)); }
  // Numbers are numbers, in the fewest digits that read back the same; what JSON cannot say (NaN, infinities) is null.
  template <class T>
  requires std::is_arithmetic_v<T> Json& value(T n) {
    if constexpr (std::is_same_v<T, bool>) {
      return raw(n ? "true" : "false");
    } else {
      if constexpr (std::is_floating_point_v<T>) {
        if (!std::isfinite(n)) return null();
      }
      char buffer[40];
      return raw({buffer, static_cast<size_t>(std::to_chars(buffer, buffer + sizeof buffer, n).ptr - buffer)});
    }
  }
  // What was written so far.
  Text fragment() const { return Text::safe(text_); }
  // The whole document, with a newline.
  Text text() const { return Text::safe(text_ + "\n"); }

 private:
  Json& open(char opener, char closer) {
    separate();
    text_ += opener;
    closers_ += closer;
    comma_ = false;
    return *this;
  }
  Json& raw(std::string_view s) {
    separate();
    text_ += s;
    comma_ = true;
    return *this;
  }
  void separate() {
    if (comma_) text_ += ", ";
  }
  // What a terminal must not see raw is escaped, as are quotes; bytes that are no UTF-8 become U+FFFD: a file's names may hold anything, the
  // document must stay JSON.
  void quote(std::string_view s) {
    text_ += '"';
    for (size_t i = 0; i < s.size();) {
      const CodePoint c = code_point(s, i);
      if (c.value == kNoCodePoint) unit(0xfffd);
      else if (c.value == '"' || c.value == '\\') text_ += {'\\', s[i]};
      else if (is_printable(c.value)) text_ += s.substr(i, c.bytes);
      else if (c.value < 0x10000) unit(c.value);
      else unit(0xd7c0 + (c.value >> 10)), unit(0xdc00 + (c.value & 0x3ff));  // a pair of surrogates
      i += c.bytes;
    }
    text_ += '"';
  }
  void unit(uint32_t n) {
    text_ += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) text_ += "0123456789abcdef"[n >> shift & 15];
  }

  std::string text_, closers_;
  bool comma_ = false;
};

}  // namespace tern::command
