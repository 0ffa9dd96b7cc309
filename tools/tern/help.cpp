// What --help says, from the rows of option_table.h. Next: manual.cpp.
#include <algorithm>

#include "tools/tern/option_table.h"

namespace tern::command {
namespace {

constexpr size_t kColumns = 100;

// Paragraphs broken at blanks; lines that begin with four blanks stay. The first line begins at column `from`, the others at `indent`.
std::string wrapped(std::string_view text, size_t indent, size_t from) {
  std::string s;
  for (size_t column = from; !text.empty(); column = 0) {
    const std::string_view paragraph = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), paragraph.size() + 1));
    if (paragraph.starts_with("    ")) {
      s += std::string(paragraph) + "\n";
      continue;
    }
    for (std::string_view word : words_of(paragraph)) {
      if (column < indent) {
        s.append(indent - column, ' ');
        column = indent;
      } else if (column > indent && column + 1 + word.size() > kColumns) {
        s += "\n" + std::string(indent, ' ');
        column = indent;
      } else if (column > indent) {
        s += ' ';
        ++column;
      }
      s += word;
      column += word.size();
    }
    s += '\n';
  }
  return s;
}

// "--input NAME=SOURCE"
std::string form(const OptionRow& o) { return std::string(o.name) + (*o.value ? " " : "") + o.value; }

std::string general() {
  std::string s = "tern: ";
  s += kWhatItIs;
  s += "\n\nusage: tern COMMAND [OPTION]...\n\n";
  for (const CommandRow& c : command_rows()) {
    std::string line = "  " + std::string(c.name) + (*c.arguments ? " " : "") + c.arguments;
    line.resize(std::max<size_t>(line.size() + 1, 23), ' ');
    s += line + c.summary + "\n";
  }
  s += "\n" + wrapped(
                  "MODEL is an ONNX file, or a file of PyTorch: a torch.export program, a whole module, or weights with --arch FILE. "
                  "tern COMMAND --help tells more; tern --version, the version.\n",
                  0, 0);
  for (const Section& section : sections()) {
    if (std::string_view(section.title) == "Exit status") s += wrapped(std::string("Exit codes: ") + section.text, 0, 0);
  }
  return s;
}

}  // namespace

std::string help(std::string_view name) {
  if (name.empty()) return general();
  const CommandRow* command = find_command(name);
  if (command == nullptr) return {};
  std::string s = "usage: tern " + std::string(name) + (*command->arguments ? " " : "") + command->arguments + " [OPTION]...\n\n" +
                  wrapped(command->text, 0, 0) + "\n";
  size_t widest = 0;
  for (const OptionRow& o : option_rows()) {
    if (takes(o, name)) widest = std::max(widest, form(o).size());
  }
  const size_t indent = std::min<size_t>(widest, 22) + 4;
  for (const OptionRow& o : option_rows()) {
    if (!takes(o, name)) continue;
    std::string line = "  " + form(o);
    if (line.size() + 2 > indent) {
      s += line + "\n";
      line.clear();
    }
    s += line + wrapped(o.text, indent, line.size());
  }
  for (const Section& section : sections()) {
    if (words_of(section.commands).empty() || std::string_view(section.commands).find(" " + std::string(name) + " ") == std::string_view::npos)
      continue;
    s += "\n" + wrapped(section.text, 0, 0);
  }
  return s;
}

}  // namespace tern::command
