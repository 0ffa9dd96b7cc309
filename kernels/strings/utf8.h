// UTF-8 as ICU reads it, which is how TensorFlow does: what is not well-formed becomes U+FFFD, one for each longest piece that could have begun a
// character. Next: case_table.h.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tern {

constexpr char32_t kReplacement = 0xFFFD;

struct Character {
  char32_t code = kReplacement;
  size_t bytes = 1;
  bool valid = false;
};
// The character that s begins with. Precondition: s is not empty.
Character first_character(std::string_view s);
// Appends a character; kReplacement for what is none (a surrogate, above 10FFFF).
void append_utf8(std::string& to, char32_t code);

constexpr bool is_trail(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
// Bytes that are no trail bytes: characters, when s is well-formed.
int64_t count_characters(std::string_view s);

// Unicode's full case mappings, no language's own (Turkish i); a sigma that ends a word is ς in lower case. Pieces that are not well-formed
// become U+FFFD.
std::string utf8_lower(std::string_view s);
std::string utf8_upper(std::string_view s);

}  // namespace tern
