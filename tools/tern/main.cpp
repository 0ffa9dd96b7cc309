// The tern command: dispatch, --help, --version, and the line that an error gets. See command.h.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "tools/tern/option_table.h"

namespace tern::command {

namespace {

// The library names its own options; here they have other names.
struct Wording {
  std::string_view library, command;
};
constexpr Wording kWordings[] = {
    {"Write what print(model) prints and give it in LoadOptions::architecture.",
     "Write what print(model) prints into a file and give it with --arch FILE; tern inspect MODEL --suggest-arch makes a first draft."},
    {"in LoadOptions::architecture", "with --arch FILE"},
    {"with LoadOptions::key", "with --key NAME"},
    {"in LoadOptions::signature", "with --signature NAME"},
    {"in LoadOptions::outputs", "with --output NAME"},
    {"in LoadOptions::inputs", "with --input NAME=SOURCE"},
    {"in SessionOptions::dims", "with --dim NAME=N"},
    {"SessionOptions::budget", "--budget"},
    {"SessionOptions::lock_memory", "--lock"},
    {"with evaluate()", "with --evaluate"},
};

int report(const std::string& line, Code code) {
  progress("");
  std::fprintf(stderr, "%s\n", shown(in_options(line)).str().c_str());  // one line, whatever names a file holds
  return static_cast<int>(code);
}

}  // namespace

std::string in_options(std::string text) {
  for (const Wording& w : kWordings) {
    for (size_t at = 0; (at = text.find(w.library, at)) != text.npos; at += w.command.size()) text.replace(at, w.library.size(), w.command);
  }
  return text;
}

int fail(const std::string& what, const Error& error) { return report("tern: " + what + ": " + error.message(), error.code()); }
int fail_at(const std::string& what, const Error& error) { return report("tern: " + what + " " + error.message(), error.code()); }

void note(const std::string& text) {
  progress("");
  std::fprintf(stderr, "tern: note: %s\n", shown(in_options(text)).str().c_str());
}

void out(const Text& text) { std::fwrite(text.str().data(), 1, text.size(), stdout); }

bool colours() {
  const char* no = std::getenv("NO_COLOR");
  return (no == nullptr || *no == '\0') && isatty(STDOUT_FILENO) == 1;
}

bool show_progress() { return isatty(STDERR_FILENO) == 1; }

void progress(const std::string& text) {
  if (show_progress()) std::fprintf(stderr, "\r\033[K%s", shown(text).str().c_str());
}

namespace {

// tern help [COMMAND], and what the build makes of the same rows: the manual and the completion.
int print_help(const std::string& about) {
  const std::string text = about == "--man" ? manual() : about == "--completion" ? bash_completion() : help(about);
  if (text.empty()) {
    std::vector<std::string_view> known;
    for (const CommandRow& c : command_rows()) known.push_back(c.name);
    return fail("wrong usage", usage("unknown command " + about + did_you_mean(about, known) + "; see tern --help"));
  }
  out(Text::safe(text));
  return kDone;
}

int dispatch(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--version" || first == "-V") {
    out("tern " + shown(version()) + "\n");
    return kDone;
  }
  if (first == "--help" || first == "-h" || first == "help") return print_help(first == "help" && argc > 2 ? argv[2] : "");
  if (first.empty()) {
    std::fprintf(stderr, "tern: %s\nusage: tern COMMAND [OPTION]...; see tern --help\n", kWhatItIs);
    return static_cast<int>(Code::kUsage);
  }
  auto options = parse(argc, argv);
  if (!options) return fail("wrong usage", options.error());
  if (options->has("--help")) return print_help(options->command);
  if (Status s = check_isa(*options); !s) return fail("wrong usage", s.error());
  return find_command(options->command)->main(*options);
}

}  // namespace

}  // namespace tern::command

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);
  int code;
  try {
    code = tern::command::dispatch(argc, argv);
  } catch (const std::bad_alloc&) {  // nor is there any for a message
    std::fputs("tern: cannot go on: out of memory\n", stderr);
    code = static_cast<int>(tern::Code::kUnsupported);
  } catch (const std::exception& e) {
    code = tern::command::fail("cannot go on", tern::unsupported(e.what()));
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    return tern::command::fail_at("cannot write", tern::invalid("standard output: closed or full"));
  return code;
}
