// Strings of others (names, metadata, paths) as a terminal may show them: what could move the cursor, change colours, reorder text or hide
// is spelt out. The one place that decides what is printable. Next: status.h.
#pragma once
#include <string>
#include <string_view>

namespace tern {

// One code point at text[at]: its value and its length in bytes; kNoCodePoint and 1 where the bytes are no UTF-8.
constexpr char32_t kNoCodePoint = 0xffffffff;
struct CodePoint {
  char32_t value;
  size_t bytes;
};
CodePoint code_point(std::string_view text, size_t at);

// False for controls (C0, DEL, C1), marks of direction, separators of lines and paragraphs, byte-order marks, and what is invisible by design
// (zero-width space, word joiner, interlinear marks, tags). Precondition: a code point.
bool is_printable(char32_t c);

// The text with those as \x1b (one byte, also of broken UTF-8), \u202e or \U000e0041; at most `most` bytes of it, then "...".
// What is printable already stays as it is, so that printing twice does no harm. `keep`: an ASCII character that stays too.
std::string printable(std::string_view text, size_t most = std::string_view::npos, char keep = '\0');

}  // namespace tern
