// Arguments: one table says what every subcommand accepts. See command.h. Next: help.cpp.
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <span>

#include "runtime/base/cpu_features.h"
#include "tools/tern/command.h"

namespace tern::command {
namespace {

struct Accepts {
  const char* command;
  size_t positional;               // exactly so many
  std::string_view with_value;     // separated by blanks, blank at both ends
  std::string_view flags;
};
constexpr Accepts kTable[] = {
    {"inspect", 1, " --input --dim --dot --arch --key ", " --json --no-strict --checksum --suggest-arch "},
    {"run", 1, " --input --dim --output-dir --top --labels --device --threads --isa --arch --key ", " --evaluate --json --no-strict "},
    {"verify", 2, " --rtol --atol --ulp --dim --device --threads --isa --arch --key ", " --evaluate --json --no-strict "},
    {"bench", 1, " --input --dim --seconds --pin --idle --svg --device --threads --isa --arch --key ", " --per-node --json --no-strict "},
    {"conformance", 1, " --only --device --json --threads --isa ", " --evaluate "},
    {"dump", 1, " --input --after --dim --threads --isa --arch --key ", " --json --no-strict "},
    {"kernels", 0, "", " --json "},
    {"convert", 1, " --input --arch --key -o ", " --no-strict "},
};

bool in(std::string_view list, const std::string& name) { return list.find(" " + name + " ") != std::string_view::npos; }

}  // namespace

Result<Options> parse(int argc, char** argv) {
  Options o;
  o.command = argv[1];
  const auto* accepts = std::find_if(std::begin(kTable), std::end(kTable), [&](const Accepts& a) { return o.command == a.command; });
  if (accepts == std::end(kTable)) return usage("unknown command " + o.command + "; see tern --help");
  bool only_positional = false;
  for (int i = 2; i < argc; ++i) {
    std::string word = argv[i];
    if (only_positional || word.size() < 2 || word[0] != '-') {
      o.positional.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positional = true;
      continue;
    }
    if (word == "--help" || word == "-h") {
      o.given.emplace_back("--help", "");
      return o;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (in(accepts->flags, name) && equals == std::string::npos) {
      o.given.emplace_back(name, "");
    } else if (in(accepts->with_value, name)) {
      if (equals == std::string::npos && i + 1 >= argc) return usage("option " + name + " needs a value; see tern " + o.command + " --help");
      o.given.emplace_back(name, equals == std::string::npos ? argv[++i] : word.substr(equals + 1));
    } else {
      return usage("unknown option " + word + "; see tern " + o.command + " --help");
    }
  }
  if (o.positional.size() != accepts->positional) {
    return usage(o.command + " takes " + std::to_string(accepts->positional) + " argument(s), not " + std::to_string(o.positional.size()) +
                 "; see tern " + o.command + " --help");
  }
  return o;
}

bool Options::has(std::string_view name) const {
  return std::any_of(given.begin(), given.end(), [&](const auto& g) { return g.first == name; });
}

std::string Options::get(std::string_view name, std::string fallback) const {
  for (const auto& [key, value] : given) {
    if (key == name) fallback = value;
  }
  return fallback;
}

std::vector<std::string> Options::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : given) {
    if (key == name) values.push_back(value);
  }
  return values;
}

Result<int64_t> Options::integer(std::string_view name, int64_t fallback, int64_t low, int64_t high) const {
  if (!has(name)) return fallback;
  const std::string text = get(name);
  int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || n < low || n > high) {
    return usage("option " + std::string(name) + " wants a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", not '" + text + "'");
  }
  return n;
}

Result<double> Options::number(std::string_view name, double fallback) const {
  if (!has(name)) return fallback;
  const std::string text = get(name);
  char* end = nullptr;
  const double n = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(n >= 0) || n > 1e18) return usage("option " + std::string(name) + " wants a number, not '" + text + "'");
  return n;
}

Result<std::map<std::string, int64_t>> dims_of(const Options& options) {
  std::map<std::string, int64_t> dims;
  for (const std::string& text : options.all("--dim")) {
    const size_t equals = text.rfind('=');
    int64_t n = 0;
    const char* last = text.data() + text.size();
    if (equals == std::string::npos || equals == 0) return usage("--dim wants NAME=N, not '" + text + "'");
    auto [end, error] = std::from_chars(text.data() + equals + 1, last, n);
    if (error != std::errc() || end != last || end == text.data() + equals + 1 || n < 0) return usage("--dim wants NAME=N, not '" + text + "'");
    dims[text.substr(0, equals)] = n;
  }
  return dims;
}

Result<SessionOptions> session_options(const Options& options) {
  SessionOptions s;
  auto dims = dims_of(options);
  auto threads = options.integer("--threads", 1, 1, 1024);
  if (!dims) return dims.error();
  if (!threads) return threads.error();
  s.dims = *dims;
  s.threads = static_cast<int>(*threads);
  s.isa = options.get("--isa");
  if (options.has("--isa") && !parse_isa(s.isa)) return usage("unknown ISA '" + s.isa + "'; known: scalar, avx2, avx512, neon");
  const std::string device = options.get("--device", "cpu");
  if (device == "cuda") return unsupported("device cuda is not in this build; use --device cpu");
  if (device != "cpu" && device != "auto") return usage("unknown device '" + device + "'; known: cpu, cuda, auto");
  return s;
}

}  // namespace tern::command
