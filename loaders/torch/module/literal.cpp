// The text of a Python literal, as repr() writes it. See module.h.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "loaders/torch/module/module.h"

namespace tern::torch {
namespace {

// The fewest digits that read back the same; an exponent below -4 and from 16 on.
std::string text_of(double d) {
  if (std::isnan(d)) return "nan";
  if (std::isinf(d)) return d < 0 ? "-inf" : "inf";
  char buffer[64];
  const std::string scientific(buffer, std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific).ptr);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (exponent < -4 || exponent >= 16) return scientific;
  std::string fixed(buffer, std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::fixed).ptr);
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

std::string quoted(const std::string& s) {
  const char quote = s.find('\'') != s.npos && s.find('"') == s.npos ? '"' : '\'';
  std::string out(1, quote);
  for (char c : s) {
    if (c == '\n') out += "\\n";
    else if (c == quote || c == '\\') out += {'\\', c};
    else out += c;
  }
  return out + quote;
}

}  // namespace

std::string Literal::text() const {
  switch (kind()) {
    case Kind::none: return "None";
    case Kind::boolean: return std::get<bool>(value) ? "True" : "False";
    case Kind::integer: return std::to_string(std::get<int64_t>(value));
    case Kind::real: return text_of(std::get<double>(value));
    case Kind::string: return quoted(std::get<std::string>(value));
    case Kind::name: return std::get<Name>(value).text;
    default: break;
  }
  const Literals& items = std::get<Literals>(value);  // as deep as the reader that made them allows
  std::string s(1, list ? '[' : '(');
  for (size_t i = 0; i < items.size(); ++i) s += (i > 0 ? ", " : "") + items[i].text();
  if (!list && items.size() == 1) s += ",";
  return s + (list ? ']' : ')');
}

}  // namespace tern::torch
