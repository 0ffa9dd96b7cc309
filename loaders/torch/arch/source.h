// SourceText: the text of an architecture file, and errors that say where in it. Next: lexer.h.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "loaders/torch/module.h"

namespace tern::torch {

struct SourceText {
  std::string file;  // for messages: "net.txt"
  std::string text;

  // "net.txt:7:12"
  std::string at(const Place& place) const;
  // The line there without its indentation, printable, at most 100 characters.
  std::string line(int number) const;
  // The place of an offset; costs a walk over the text, for messages.
  Place place_of(size_t offset) const;
};

// Some text of the file as a message may show it: one line of printable characters, cut after `most`.
std::string printable(std::string_view text, size_t most = 60);
// "net.txt:7:12: …"
Error at(const SourceText& source, const Place& place, const std::string& message);

}  // namespace tern::torch
