// Text: what may go to a terminal. Literals are Text; every other string, of a file, an argument or the system, becomes one through shown(),
// which spells out what could move the cursor or reorder the line. A raw std::string does not compile where Text is wanted. Next: json.h.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>

#include "runtime/base/printable.h"

namespace tern::command {

class Text {
 public:
  Text() = default;
  template <size_t N>
  Text(const char (&literal)[N]) : text_(literal) {}  // NOLINT: implicit on purpose
  template <size_t N>
  Text(char (&buffer)[N]) = delete;  // shown(buffer)

  const std::string& str() const { return text_; }
  size_t size() const { return text_.size(); }
  size_t width() const {  // characters
    return static_cast<size_t>(std::count_if(text_.begin(), text_.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  }
  bool empty() const { return text_.empty(); }
  Text& operator+=(const Text& more) {
    text_ += more.text_;
    return *this;
  }
  friend Text operator+(Text a, const Text& b) { return a += b; }
  // Blanks before or after, up to so many characters.
  Text padded_left(size_t to) const { return safe(std::string(to - std::min(to, width()), ' ') + text_); }
  Text padded_right(size_t to) const { return safe(text_ + std::string(to - std::min(to, width()), ' ')); }
  // For those who escaped it themselves (printable, Json), and for our own texts.
  static Text safe(std::string text) {
    Text t;
    t.text_ = std::move(text);
    return t;
  }

 private:
  std::string text_;
};

inline Text shown(std::string_view foreign) { return Text::safe(printable(foreign)); }
// The same for several lines: newlines stay.
inline Text shown_lines(std::string_view foreign) { return Text::safe(printable(foreign, std::string_view::npos, '\n')); }
template <class T>
requires std::is_integral_v<T> Text shown(T n) { return Text::safe(std::to_string(n)); }

}  // namespace tern::command
