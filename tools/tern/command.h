// The tern command: what its files share. One file a subcommand (inspect.cpp, run.cpp …); option_table.h lists commands and options,
// options.cpp reads arguments, arrays.cpp inputs, print.cpp writes tensors. Exit codes: 0 done, 1 compared and different, else
// tern::Code. Next: main.cpp.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tern/tern.h"
#include "tools/tern/text.h"

namespace tern::command {

constexpr int kDone = 0, kDifferent = 1;

struct Options {
  std::string command;
  std::vector<std::string> positional;
  std::vector<std::pair<std::string, std::string>> given;  // "--input" with its value; flags with ""

  bool has(std::string_view name) const;
  std::string get(std::string_view name, std::string fallback = {}) const;  // the last one given
  std::vector<std::string> all(std::string_view name) const;
  // Errors: not a number, out of range (usage).
  Result<int64_t> integer(std::string_view name, int64_t fallback, int64_t low, int64_t high) const;
  Result<double> number(std::string_view name, double fallback) const;
};

// Errors: an unknown command or option, a missing value or one that is no choice, too few or too many arguments (usage).
Result<Options> parse(int argc, char** argv);
// The text of `tern --help` (empty name) and `tern NAME --help`; empty when there is no such command.
std::string help(std::string_view name);

// Errors: --isa or TERN_ISA name what this machine cannot have (usage).
Status check_isa(const Options& options);
// --dim NAME=N. Errors: another form, a name given twice (usage).
Result<std::map<std::string, int64_t>> dims_of(const Options& options);
// --dim, --threads, --isa, --device together. Errors: usage; a device that this build has not (unsupported).
Result<SessionOptions> session_options(const Options& options);

// A session of the model on SessionOptions::device, which may be ptxsim too, the simulated one. Errors as of Model::session.
Result<Session> open_session(const Model& model, const SessionOptions& options);
// Does a session with these options run on the CPU, or may it?
inline bool on_cpu(const SessionOptions& options) { return options.device.empty() || options.device == "cpu" || options.device == "auto"; }
// What to call the device that it is on.
std::string device_of(const SessionOptions& options, const Session& session);

// Arrays that were read for their types before there was a model, by the text that names them; see arrays.h.
struct Source;
using Sources = std::map<std::string, Source>;
// --arch, --key, --no-strict, and the types of the arrays that --input names, which are left in `read`. Errors: a file that cannot be read
// (invalid).
Result<LoadOptions> load_options(const Options& options, Sources* read = nullptr);
// The model of the first argument, with these. Tells what loading notes on stderr (but for inspect, which prints it), and progress on a
// terminal.
Result<Model> load_model(const Options& options, Sources* read = nullptr);

// A text of the library with the names that its options have here: "with --key NAME" for "with LoadOptions::key".
std::string in_options(std::string text);
// "tern: <what>: <message>" on stderr, one line; returns the exit code.
int fail(const std::string& what, const Error& error);
// The same where the message begins with the place: "tern: cannot load model.onnx: not a regular file".
int fail_at(const std::string& what, const Error& error);
void note(const std::string& text);
// stdout; a reader that went away (head) is no error
void out(const Text& text);
bool colours();                          // stdout is a terminal and NO_COLOR is not set
bool show_progress();                    // stderr is a terminal
void progress(const std::string& text);  // overwrites its last line; "" removes it

int inspect(const Options& options);
int run(const Options& options);
int verify(const Options& options);
int bench(const Options& options);
int conformance(const Options& options);
int dump(const Options& options);
int kernels(const Options& options);
int convert(const Options& options);

}  // namespace tern::command
