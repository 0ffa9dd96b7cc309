// The tern command: dispatch, --help, --version, and the line that an error gets. See command.h.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "tools/tern/command.h"

namespace tern::command {

namespace {

int report(std::string line, Code code) {
  for (char& c : line) {  // one line, whatever a file's names hold
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = ' ';
  }
  progress("");
  std::fprintf(stderr, "%s\n", line.c_str());
  return static_cast<int>(code);
}

}  // namespace

int fail(const std::string& what, const Error& error) { return report("tern: " + what + ": " + error.message(), error.code()); }
int fail_at(const std::string& what, const Error& error) { return report("tern: " + what + " " + error.message(), error.code()); }

void note(const std::string& text) {
  progress("");
  std::fprintf(stderr, "tern: note: %s\n", text.c_str());
}

void out(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

bool colours() {
  const char* no = std::getenv("NO_COLOR");
  return (no == nullptr || *no == '\0') && isatty(STDOUT_FILENO) == 1;
}

bool show_progress() { return isatty(STDERR_FILENO) == 1; }

void progress(const std::string& text) {
  if (show_progress()) std::fprintf(stderr, "\r\033[K%s", text.c_str());
}

Status write_file(const std::string& path, std::string_view bytes) {
  std::FILE* f = std::fopen(path.c_str(), "wb");
  if (f == nullptr) return invalid(path + ": cannot be written");
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), f) == bytes.size();
  if (std::fclose(f) != 0 || !whole) return invalid(path + ": cannot be written whole");
  return {};
}

namespace {

int dispatch(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--version" || first == "-V") {
    out(std::string("tern ") + version() + "\n");
    return kDone;
  }
  if (first == "--help" || first == "-h" || first == "help") {
    const std::string text = help(first == "help" && argc > 2 ? argv[2] : "");
    if (text.empty()) return fail("unknown command " + std::string(argv[2]), usage("see tern --help"));
    out(text);
    return kDone;
  }
  if (first.empty()) {
    std::fputs(help("").c_str(), stderr);
    return static_cast<int>(Code::kUsage);
  }
  auto options = parse(argc, argv);
  if (!options) return fail("wrong usage", options.error());
  if (options->has("--help")) {
    out(help(options->command));
    return kDone;
  }
  struct Row {
    const char* name;
    int (*main)(const Options&);
  };
  constexpr Row kRows[] = {{"inspect", inspect}, {"run", run},   {"verify", verify},   {"bench", bench},
                           {"conformance", conformance}, {"dump", dump}, {"kernels", kernels}, {"convert", convert}};
  for (const Row& row : kRows) {
    if (options->command == row.name) return row.main(*options);
  }
  return fail("unknown command " + first, usage("see tern --help"));
}

}  // namespace

}  // namespace tern::command

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);
  int code;
  try {
    code = tern::command::dispatch(argc, argv);
  } catch (const std::exception& e) {  // memory that runs short
    code = tern::command::fail("cannot go on", tern::unsupported(e.what()));
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) return tern::command::fail_at("cannot write", tern::invalid("standard output: closed or full"));
  return code;
}
