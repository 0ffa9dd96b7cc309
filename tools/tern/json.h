// A JSON writer: commas and escapes are its business, nesting is the caller's. Next: print.h.
//   Json j;  j.object().key("runs").value(3).key("shape").array().value(1).end().end();  j.text()
#pragma once
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

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
    requires std::is_arithmetic_v<T>
  Json& value(T n) {
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
  // The whole document, with a newline.
  std::string text() const { return text_ + "\n"; }

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
  // Bytes that are no UTF-8 become '?': a file's names may hold anything, the document must stay JSON.
  void quote(std::string_view s) {
    text_ += '"';
    for (size_t i = 0; i < s.size();) {
      const auto c = static_cast<unsigned char>(s[i]);
      const size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
      bool legal = n > 0 && i + n <= s.size();
      for (size_t k = 1; legal && k < n; ++k) legal = (static_cast<unsigned char>(s[i + k]) & 0xc0) == 0x80;
      if (legal && n == 3) legal = !(c == 0xe0 && static_cast<unsigned char>(s[i + 1]) < 0xa0) && !(c == 0xed && static_cast<unsigned char>(s[i + 1]) > 0x9f);
      if (legal && n == 4) legal = !(c == 0xf0 && static_cast<unsigned char>(s[i + 1]) < 0x90) && !(c == 0xf4 && static_cast<unsigned char>(s[i + 1]) > 0x8f);
      if (!legal) {
        text_ += '?';
        ++i;
        continue;
      }
      if (c == '"' || c == '\\') {
        text_ += {'\\', s[i]};
      } else if (c < 0x20) {
        constexpr char kHex[] = "0123456789abcdef";
        text_ += "\\u00";
        text_ += {kHex[c >> 4], kHex[c & 15]};
      } else {
        text_.append(s.substr(i, n));
      }
      i += n;
    }
    text_ += '"';
  }

  std::string text_, closers_;
  bool comma_ = false;
};

}  // namespace tern::command
