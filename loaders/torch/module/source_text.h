// SourceText: the text of an architecture file, and errors that say where in it. Next: arch/lexer.h.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/torch/module/module.h"

namespace tern::torch {

struct SourceText {
  SourceText(std::string file, std::string_view text);

  std::string file;  // for messages: "net.txt"
  std::string text;
  std::vector<uint32_t> lines;  // where each begins

  // "net.txt:7:12"
  std::string at(const Place& place) const;
  // The line there without its indentation, printable, at most 100 characters.
  std::string line(int number) const;
  Place place_of(size_t offset) const;
};

// Some text of the file as a message may show it: one line of printable characters, cut after `most`.
std::string printable(std::string_view text, size_t most = 60);
// "net.txt:7:12: …"
Error at(const SourceText& source, const Place& place, const std::string& message);

}  // namespace tern::torch
