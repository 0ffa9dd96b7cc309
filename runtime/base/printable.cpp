// See printable.h.
#include "runtime/base/printable.h"

#include <algorithm>

namespace tern {
namespace {

constexpr char32_t kHidden[][2] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200b, 0x200b}, {0x200e, 0x200f},
                                   {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

std::string hex(char kind, uint32_t n, int digits) {
  std::string s = {'\\', kind};
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) s += "0123456789abcdef"[n >> shift & 15];
  return s;
}

}  // namespace

CodePoint code_point(std::string_view text, size_t at) {
  constexpr CodePoint kBroken{kNoCodePoint, 1};
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t n = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (n == 0 || text.size() - at < n) return kBroken;
  char32_t c = first & (0x7fu >> n);
  for (size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kBroken;
    c = c << 6 | (byte(i) & 0x3fu);
  }
  const bool overlong = (n == 3 && c < 0x800) || (n == 4 && c < 0x10000), surrogate = c >= 0xd800 && c < 0xe000;
  return overlong || surrogate || c > 0x10ffff ? kBroken : CodePoint{c, n};
}

bool is_printable(char32_t c) {
  return std::none_of(std::begin(kHidden), std::end(kHidden), [&](const auto& range) { return c >= range[0] && c <= range[1]; });
}

std::string printable(std::string_view text, size_t most, char keep) {
  std::string s;
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = code_point(text, i);
    if (i + c.bytes > most) return s + "...";
    if (c.value == kNoCodePoint) s += hex('x', static_cast<unsigned char>(text[i]), 2);
    else if (is_printable(c.value) || (keep != '\0' && text[i] == keep)) s += text.substr(i, c.bytes);
    else if (c.value < 0x80) s += hex('x', c.value, 2);
    else if (c.value < 0x10000) s += hex('u', c.value, 4);
    else s += hex('U', c.value, 8);
    i += c.bytes;
  }
  return s;
}

}  // namespace tern
