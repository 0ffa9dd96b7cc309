// The manual page and the completion for bash, from the rows of option_table.h; the build writes them (`tern help --man`, `--completion`).
#include <algorithm>
#include <cctype>

#include "tools/tern/option_table.h"

namespace tern::command {
namespace {

// troff takes '\' as its own everywhere, '-' as a hyphen, and '.' and ''' as requests where a line begins with them.
std::string troff(std::string_view text) {
  std::string s;
  for (char c : text) {
    if ((c == '.' || c == '\'') && (s.empty() || s.back() == '\n')) s += "\\&";
    if (c == '\\' || c == '-') s += '\\';
    s += c;
    if (c == '\\') s.replace(s.size() - 1, 1, "e");
  }
  return s;
}

// Paragraphs; lines that begin with four blanks as they are.
std::string paragraphs(std::string_view text) {
  std::string s;
  bool fixed = false, first = true;
  for (std::string_view line : words_of(text, '\n')) {
    const bool is_fixed = line.starts_with("    ");
    if (is_fixed != fixed) s += is_fixed ? (first ? ".nf\n" : ".PP\n.nf\n") : ".fi\n";
    if (!is_fixed && !first) s += ".PP\n";
    fixed = is_fixed;
    first = false;
    s += troff(line) + "\n";
  }
  return s + (fixed ? ".fi\n" : "");
}

std::string upper(std::string_view text) {
  std::string s(text);
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return std::toupper(c); });
  return s;
}

// Options of one name stand together, whatever command they belong to.
std::string options_text() {
  std::string s;
  const auto rows = option_rows();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && std::string_view(rows[i].name) == rows[i - 1].name && std::string_view(rows[i].value) == rows[i - 1].value) {
      s += ".br\n";
    } else {
      s += ".TP\n\\fB" + troff(rows[i].name) + "\\fR" + (*rows[i].value ? " \\fI" + troff(rows[i].value) + "\\fR" : std::string()) + "\n";
    }
    std::string of;
    for (std::string_view command : words_of(rows[i].commands)) of += (of.empty() ? "" : ", ") + std::string(command);
    s += troff("Of " + of + ": " + rows[i].text + ".") + "\n";
  }
  return s +
         ".PP\nOf an option that is given several times the last counts;\n\\fB\\-\\-input\\fR and \\fB\\-\\-dim\\fR may be given once for each "
         "name.\n";
}

// What the shell offers after an option: words, files, or nothing.
std::string after(const OptionRow& o) {
  std::string words;
  for (std::string_view word : choices(o)) words += (words.empty() ? "" : " ") + std::string(word);
  if (!words.empty()) return "words=\"" + words + "\"";
  for (std::string_view kind : {"FILE", "DIR", "SOURCE", "OUT"}) {
    if (std::string_view(o.value).find(kind) != std::string_view::npos) return "files=yes";
  }
  return "return";
}

}  // namespace

std::string manual() {
  std::string s =
      ".TH TERN 1 \"2026\" \"tern " + troff(version()) + "\" \"User Commands\"\n.SH NAME\ntern \\- " + troff(kWhatItIs) + "\n.SH SYNOPSIS\n";
  for (const CommandRow& c : command_rows()) {
    s += std::string(&c == command_rows().data() ? "" : ".br\n") + ".B tern " + c.name + "\n" +
         (*c.arguments ? ".I " + std::string(c.arguments) + "\n" : "") + "[\\fIOPTION\\fR]...\n";
  }
  s += ".SH COMMANDS\n";
  for (const CommandRow& c : command_rows()) s += ".TP\n.B " + std::string(c.name) + "\n" + paragraphs(c.text);
  s += ".SH OPTIONS\n" + options_text();
  for (const Section& section : sections()) s += ".SH " + troff(upper(section.title)) + "\n" + paragraphs(section.text);
  return s;
}

std::string bash_completion() {
  std::string commands, values, options;
  for (const CommandRow& c : command_rows()) {
    commands += std::string(c.name) + " ";
    options += "      " + std::string(c.name) + ") words=\"";
    for (const OptionRow& o : option_rows()) {
      if (!takes(o, c.name)) continue;
      options += std::string(options.back() == '"' ? "" : " ") + o.name;
      if (*o.value) values += "    \"" + std::string(c.name) + " " + o.name + "\") " + after(o) + " ;;\n";
    }
    options += "\" ;;\n";
  }
  return R"(# Completion of the tern command for bash; made by tern help --completion.
_tern() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words="" files=""
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W ")" +
         commands + R"(help --help --version" -- "$current"))
    return
  fi
  if [ "$command" = help ]; then
    COMPREPLY=($(compgen -W ")" +
         commands + R"(" -- "$current"))
    return
  fi
  case "$command $previous" in
)" + values +
         R"(  esac
  if [ -z "$words$files" ] && [[ $current == -* ]]; then
    case $command in
)" + options +
         R"(    esac
  fi
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _tern tern
)";
}

}  // namespace tern::command
