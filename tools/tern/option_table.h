// The one list of commands and options. What --help, the manual, shell completion and the parser say is made from it.
// Next: option_table.cpp, the rows; options.cpp, the parser; help.cpp and manual.cpp, the texts.
#pragma once
#include <span>
#include <string_view>

#include "tools/tern/command.h"

namespace tern::command {

struct CommandRow {
  const char* name;
  const char* arguments;  // "MODEL DATA": exactly so many words
  const char* summary;    // its line in tern --help
  const char* text;       // paragraphs, for help and manual
  int (*main)(const Options&);
};

struct OptionRow {
  const char* name;      // "--threads"
  const char* value;     // "N"; "a|b|c": one of these words; "": a flag
  const char* commands;  // " run bench ": those that take it
  const char* text;      // a sentence or two
  bool repeats = false;  // may be given several times; of others the last one counts
};

// A part of the manual that belongs to no command. Lines that begin with four blanks are shown as they are.
struct Section {
  const char* title;
  const char* commands;  // whose --help shows it too
  const char* text;
};

std::span<const CommandRow> command_rows();
std::span<const OptionRow> option_rows();
std::span<const Section> sections();

const CommandRow* find_command(std::string_view name);
const OptionRow* find_option(std::string_view command, std::string_view name);
bool takes(const OptionRow& option, std::string_view command);
std::vector<std::string_view> words_of(std::string_view text, char between = ' ');
// The words between the bars of a value that is a choice; nothing for others.
std::vector<std::string_view> choices(const OptionRow& option);

// Of these the one that was probably meant, as "; did you mean --threads?"; nothing when none is near.
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> known);

std::string manual();           // tern.1
std::string bash_completion();  // tern.bash
constexpr const char* kWhatItIs = "loads trained models and runs them with low, steady latency";

}  // namespace tern::command
