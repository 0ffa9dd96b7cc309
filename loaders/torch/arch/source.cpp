// See source.h.
#include "loaders/torch/arch/source.h"

#include <algorithm>

namespace tern::torch {

std::string SourceText::at(const Place& place) const {
  return (file.empty() ? "architecture" : file) + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

std::string SourceText::line(int number) const {
  size_t begin = 0;
  for (int i = 1; i < number && begin != text.npos; ++i) {
    begin = text.find('\n', begin);
    if (begin != text.npos) ++begin;
  }
  if (begin == text.npos) return {};
  begin = std::min(text.find_first_not_of(" \t", begin), text.size());
  const size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
  return printable(std::string_view(text).substr(begin, end - begin), 100);
}

Place SourceText::place_of(size_t offset) const {
  offset = std::min(offset, text.size());
  const auto lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  const size_t begin = offset == 0 ? text.npos : text.rfind('\n', offset - 1);
  return {static_cast<int>(lines) + 1, static_cast<int>(begin == text.npos ? offset : offset - begin - 1) + 1};
}

std::string printable(std::string_view text, size_t most) {
  std::string s(text.substr(0, most));
  std::replace_if(s.begin(), s.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > most ? s + "..." : s;
}

Error at(const SourceText& source, const Place& place, const std::string& message) { return invalid(source.at(place) + ": " + message); }

}  // namespace tern::torch
