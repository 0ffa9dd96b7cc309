// Equations of Einsum. See einsum.h.
#include <algorithm>

#include "kernels/einsum/einsum.h"

namespace tern {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string dots_of(size_t n) {
  std::string s;
  for (size_t i = n; i-- > 0;) s += static_cast<char>('0' + i);
  return s;
}

// "ab...c" with n axes for the dots; false when something else than letters and one "..." is in it.
bool spell_out(std::string& s, size_t n) {
  const size_t at = s.find("...");
  std::string letters = s;
  if (at != s.npos) letters.erase(at, 3);
  if (!std::all_of(letters.begin(), letters.end(), is_letter)) return false;
  if (at != s.npos) s.replace(at, 3, dots_of(n));
  return true;
}

}  // namespace

std::optional<EinsumTerms> parse_einsum(std::string text, const std::vector<int>& ranks) {
  std::erase(text, ' ');
  EinsumTerms t;
  const size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  for (size_t at = 0; at <= left.size();) {
    const size_t end = std::min(left.find(',', at), left.size());
    t.in.push_back(left.substr(at, end - at));
    at = end + 1;
    if (t.in.size() > ranks.size()) return std::nullopt;
  }
  if (t.in.size() != ranks.size()) return std::nullopt;
  size_t dots = 0;
  for (size_t i = 0; i < t.in.size(); ++i) {
    std::string& s = t.in[i];
    const auto rank = static_cast<size_t>(ranks[i]);
    const bool has_dots = s.find("...") != s.npos;
    if (rank > 9 || (has_dots ? rank + 3 < s.size() : s.size() != rank)) return std::nullopt;
    const size_t n = has_dots ? rank + 3 - s.size() : 0;
    if (!spell_out(s, n)) return std::nullopt;
    dots = std::max(dots, n);
  }
  if (arrow != text.npos) {
    t.out = text.substr(arrow + 2);
    if (!spell_out(t.out, dots)) return std::nullopt;
  } else {
    std::string all;
    for (char c : left) all += is_letter(c) ? std::string(1, c) : "";
    std::sort(all.begin(), all.end());
    t.out = dots_of(dots);
    for (char c : all) {
      if (std::count(all.begin(), all.end(), c) == 1) t.out += c;
    }
  }
  for (char c : t.out) {
    const bool known = std::any_of(t.in.begin(), t.in.end(), [&](const std::string& s) { return s.find(c) != s.npos; });
    if (!known || std::count(t.out.begin(), t.out.end(), c) != 1) return std::nullopt;
  }
  return t;
}

}  // namespace tern
