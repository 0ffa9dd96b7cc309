// See utf8.h.
#include "kernels/strings/utf8.h"

#include <algorithm>

#include "kernels/strings/case_table.h"

namespace tern {

Character first_character(std::string_view s) {
  auto at = [&](size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const unsigned lead = at(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t bytes = lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
  if (bytes == 0) return {};
  // The second byte has a narrower range where another spelling would be shorter, a surrogate, or too large.
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (at(1) < low || at(1) > high) return {};
  char32_t code = lead & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if (at(i) < 0x80 || at(i) > 0xBF) return {kReplacement, i, false};
    code = code << 6 | (at(i) & 0x3F);
  }
  return {code, bytes, true};
}

void append_utf8(std::string& to, char32_t code) {
  if ((code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) code = kReplacement;
  auto trail = [&](int shift) { to += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | code >> 6), trail(0);
  } else if (code < 0x10000) {
    to += static_cast<char>(0xE0 | code >> 12), trail(6), trail(0);
  } else {
    to += static_cast<char>(0xF0 | code >> 18), trail(12), trail(6), trail(0);
  }
}

int64_t count_characters(std::string_view s) {
  return std::count_if(s.begin(), s.end(), [](char c) { return !is_trail(c); });
}

namespace {

// The other case of a code point by a table of ranges; itself where none has it.
template <size_t N>
char32_t mapped(const CaseRange (&ranges)[N], char32_t code) {
  const CaseRange* r = std::ranges::upper_bound(ranges, code, {}, &CaseRange::first);
  if (r == ranges) return code;
  --r;
  return code > r->last || (code - r->first) % r->step != 0 ? code : code + static_cast<char32_t>(r->delta);
}

bool is_cased(char32_t code) {
  return mapped(kToLower, code) != code || mapped(kToUpper, code) != code || std::ranges::any_of(kCased, [&](auto& r) { return r.holds(code); });
}
bool is_ignorable(char32_t code) {
  return std::ranges::any_of(kCaseIgnorable, [&](auto& r) { return r.holds(code); });
}

}  // namespace

std::string utf8_lower(std::string_view s) {
  constexpr char32_t kSigma = 0x3A3, kDottedI = 0x130;
  std::string out;
  bool after_letter = false;           // a cased one, but for what case ignores
  size_t pending = std::string::npos;  // the last byte of a sigma that ends a word unless a cased letter follows
  auto settle = [&](bool letter) {
    if (pending != std::string::npos && !letter) --out[pending];  // σ is CF 83, ς is CF 82
    pending = std::string::npos;
  };
  for (std::string_view rest = s; !rest.empty();) {
    const Character c = first_character(rest);
    rest.remove_prefix(c.bytes);
    const bool ignored = is_ignorable(c.code), letter = is_cased(c.code);
    if (!ignored) settle(letter);
    append_utf8(out, mapped(kToLower, c.code));
    if (c.code == kSigma && after_letter) pending = out.size() - 1;
    if (c.code == kDottedI) append_utf8(out, 0x307);
    if (!ignored) after_letter = letter;
  }
  settle(false);
  return out;
}

std::string utf8_upper(std::string_view s) {
  std::string out;
  for (std::string_view rest = s; !rest.empty();) {
    const Character c = first_character(rest);
    rest.remove_prefix(c.bytes);
    const auto* longer = std::ranges::lower_bound(kLongUpper, c.code, {}, &LongUpper::code);
    if (longer == std::end(kLongUpper) || longer->code != c.code) {
      append_utf8(out, mapped(kToUpper, c.code));
      continue;
    }
    for (char32_t upper : longer->upper) {
      if (upper != 0) append_utf8(out, upper);
    }
  }
  return out;
}

}  // namespace tern
