// Strings of a few bytes, of which most texts consist: compared and copied in one or two words that may overlap, where a call for each would
// take longer than its work. Next: text.h.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tern {

template <class Word>
inline Word text_word(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}
// Words at the beginning and at the end of n bytes, sizeof(Word) <= n <= 2 sizeof(Word).
template <class Word>
inline bool same_ends(const char* a, const char* b, size_t n) {
  const size_t last = n - sizeof(Word);
  return ((text_word<Word>(a) ^ text_word<Word>(b)) | (text_word<Word>(a + last) ^ text_word<Word>(b + last))) == 0;
}
template <class Word>
inline void copy_ends(char* to, const char* from, size_t n) {
  const Word first = text_word<Word>(from), last = text_word<Word>(from + n - sizeof(Word));
  std::memcpy(to, &first, sizeof first);
  std::memcpy(to + n - sizeof(Word), &last, sizeof last);
}

inline bool same_text(std::string_view a, std::string_view b) {
  const size_t n = a.size();
  if (n != b.size()) return false;
  if (n == 0) return true;
  if (*a.data() != *b.data()) return false;  // most that differ do so here, and a branch that nearly always goes one way is free
  if (n > 16) return std::memcmp(a.data(), b.data(), n) == 0;
  if (n >= 8) return same_ends<uint64_t>(a.data(), b.data(), n);
  if (n >= 4) return same_ends<uint32_t>(a.data(), b.data(), n);
  return n == 1 || same_ends<uint16_t>(a.data(), b.data(), n);
}

// Precondition: they do not overlap.
inline void copy_text(char* to, std::string_view from) {
  const size_t n = from.size();
  if (n > 16) std::memcpy(to, from.data(), n);
  else if (n >= 8) copy_ends<uint64_t>(to, from.data(), n);
  else if (n >= 4) copy_ends<uint32_t>(to, from.data(), n);
  else if (n >= 2) copy_ends<uint16_t>(to, from.data(), n);
  else if (n == 1) *to = *from.data();
}

}  // namespace tern
