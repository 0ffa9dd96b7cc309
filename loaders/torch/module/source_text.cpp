// See source_text.h.
#include "loaders/torch/module/source_text.h"

#include <algorithm>

#include "runtime/base/printable.h"

namespace tern::torch {

SourceText::SourceText(std::string file, std::string_view text) : file(std::move(file)), text(text), lines{0} {
  for (size_t i = text.find('\n'); i != text.npos; i = text.find('\n', i + 1)) lines.push_back(static_cast<uint32_t>(i + 1));
}

std::string SourceText::at(const Place& place) const {
  return (file.empty() ? "architecture" : file) + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

std::string SourceText::line(int number) const {
  if (number < 1 || static_cast<size_t>(number) > lines.size()) return {};
  const size_t begin = std::min(text.find_first_not_of(" \t", lines[static_cast<size_t>(number) - 1]), text.size());
  const size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
  return printable(std::string_view(text).substr(begin, end - begin), 100);
}

Place SourceText::place_of(size_t offset) const {
  const auto line = std::upper_bound(lines.begin(), lines.end(), std::min(offset, text.size())) - lines.begin();
  return {static_cast<int>(line), static_cast<int>(std::min(offset, text.size()) - lines[static_cast<size_t>(line) - 1]) + 1};
}

std::string printable(std::string_view text, size_t most) { return tern::printable(text, most); }

Error at(const SourceText& source, const Place& place, const std::string& message) { return invalid(source.at(place) + ": " + message); }

}  // namespace tern::torch
