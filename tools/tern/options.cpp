// Reading arguments by the rows of option_table.h. See command.h. Next: help.cpp.
#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <numeric>

#include "runtime/base/cpu_features.h"
#include "runtime/base/cpus.h"
#include "tools/tern/option_table.h"

namespace tern::command {
namespace {

// Edits (a letter more, less, other, or two swapped) that make one word of the other.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t(0));
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

std::string joined(std::span<const std::string_view> words) {
  std::string s;
  for (std::string_view word : words) s += (s.empty() ? "" : ", ") + std::string(word);
  return s;
}

std::string see_help(const std::string& command) { return "; see tern " + command + " --help"; }

Error unknown_option(const std::string& command, const std::string& name) {
  std::vector<std::string_view> known;
  std::string elsewhere;
  for (const OptionRow& o : option_rows()) {
    if (takes(o, command)) known.push_back(o.name);
    else if (name == o.name) elsewhere += (elsewhere.empty() ? "" : ", ") + joined(words_of(o.commands));
  }
  if (!elsewhere.empty()) return usage("option " + name + " is not of " + command + " but of " + elsewhere + see_help(command));
  return usage("unknown option " + name + did_you_mean(name, known) + see_help(command));
}

Error unknown_command(const std::string& name) {
  std::vector<std::string_view> known{"help"};
  for (const CommandRow& c : command_rows()) known.push_back(c.name);
  return usage("unknown command " + name + did_you_mean(name, known) + "; see tern --help");
}

// What an option may not be given: a word that is none of its choices.
Status check_value(const std::string& command, const OptionRow& option, const std::string& value) {
  if (value.empty()) return usage("option " + std::string(option.name) + " needs a value" + see_help(command));
  const auto known = choices(option);
  if (known.empty() || std::find(known.begin(), known.end(), value) != known.end()) return {};
  return usage("option " + std::string(option.name) + ": unknown value '" + value + "'" + did_you_mean(value, known) + "; known: " + joined(known));
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view text, char between) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(between), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

const CommandRow* find_command(std::string_view name) {
  for (const CommandRow& c : command_rows()) {
    if (name == c.name) return &c;
  }
  return nullptr;
}

bool takes(const OptionRow& option, std::string_view command) {
  return std::string_view(option.commands).find(" " + std::string(command) + " ") != std::string_view::npos;
}

const OptionRow* find_option(std::string_view command, std::string_view name) {
  for (const OptionRow& o : option_rows()) {
    if (name == o.name && takes(o, command)) return &o;
  }
  return nullptr;
}

std::vector<std::string_view> choices(const OptionRow& option) {
  const std::string_view value = option.value;
  return value.find('|') == value.npos ? std::vector<std::string_view>() : words_of(value, '|');
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> known) {
  std::string_view best;
  size_t least = 3;
  for (std::string_view name : known) {
    const size_t d = distance(typed, name);
    if (d < least && d < name.size() / 2 + 1 && d < typed.size()) least = d, best = name;
  }
  for (std::string_view name : known) {
    if (best.empty() && typed.size() >= 4 && name.starts_with(typed)) best = name;
  }
  return best.empty() ? "" : "; did you mean " + std::string(best) + "?";
}

Result<Options> parse(int argc, char** argv) {
  Options o;
  o.command = argv[1];
  const CommandRow* command = find_command(o.command);
  if (command == nullptr) return unknown_command(o.command);
  bool only_positional = false;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
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
    const OptionRow* option = find_option(o.command, name);
    if (option == nullptr) return unknown_option(o.command, name);
    if (*option->value == '\0') {
      if (equals != word.npos) return usage("option " + name + " takes no value" + see_help(o.command));
      o.given.emplace_back(name, "");
      continue;
    }
    std::string value;
    if (equals != word.npos) value = word.substr(equals + 1);
    else if (i + 1 < argc && find_option(o.command, argv[i + 1]) == nullptr) value = argv[++i];
    if (Status s = check_value(o.command, *option, value); !s) return s.error();
    o.given.emplace_back(name, value);
  }
  const auto wanted = words_of(command->arguments);
  if (o.positional.size() < wanted.size()) return usage("no " + std::string(wanted[o.positional.size()]) + " is given" + see_help(o.command));
  if (o.positional.size() > wanted.size()) {
    return usage("one argument too many: " + o.positional[wanted.size()] + "; " + o.command + " takes " +
                 (wanted.empty() ? "none" : command->arguments) + see_help(o.command));
  }
  return o;
}

bool Options::has(std::string_view name) const {
  assert(std::any_of(option_rows().begin(), option_rows().end(), [&](const OptionRow& o) { return name == o.name; }));
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
    return usage("option " + std::string(name) + " wants a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", not '" +
                 text + "'");
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
    const std::string name = text.substr(0, equals);
    if (!dims.emplace(name, n).second) return usage("--dim gives dimension " + name + " twice");
  }
  return dims;
}

Status check_isa(const Options& options) {
  if (std::string why = ignored_environment(); !why.empty()) return usage("environment variable " + why);
  const std::string cap = options.get("--isa");
  if (cap.empty() || of_this_architecture(*parse_isa(cap))) return {};
  return usage("option --isa: " + cap + " is not of this machine; known here: " + isas_of_this_architecture());
}

Result<SessionOptions> session_options(const Options& options) {
  SessionOptions s;
  auto dims = dims_of(options);
  auto threads = options.integer("--threads", 1, 1, INT_MAX);
  if (!dims) return dims.error();
  if (!threads) return threads.error();
  if (const auto cpus = static_cast<int64_t>(usable_cpus().size()); *threads > cpus) {
    return usage("option --threads: this process may use " + std::to_string(cpus) + (cpus == 1 ? " CPU, not " : " CPUs, not ") +
                 std::to_string(*threads));
  }
  s.dims = *dims;
  s.threads = static_cast<int>(*threads);
  s.isa = options.get("--isa");
  auto budget = options.integer("--budget", 0, 1, INT64_MAX >> 20);
  if (!budget) return budget.error();
  s.budget = *budget << 20;
  s.device = options.get("--device");
  s.block_on_device = options.has("--block");
  s.precision = options.get("--precision");
  s.gemm = options.get("--gemm");
  for (const auto& [option, value, plain] : {std::array<std::string_view, 3>{"--precision", s.precision, "f32"}, {"--gemm", s.gemm, "own"}}) {
    if (value.empty() || value == plain || !on_cpu(s)) continue;
    return usage("option " + std::string(option) + " " + std::string(value) +
                 " needs a device: --device cuda; the CPU computes in f32, with tern's own kernels");
  }
  s.weights = options.get("--weights");
  const bool f32 = s.weights.empty() || s.weights == "f32";
  if (!f32 && !on_cpu(s)) return usage("option --weights " + s.weights + " is for the CPU: leave out --device, or see --precision");
  if (!f32 && options.has("--evaluate")) return usage("--evaluate computes with the weights as they are: leave out --weights");
  if (options.has("--evaluate") && !on_cpu(s)) return usage("--evaluate runs on the CPU: leave out --device");
  return s;
}

}  // namespace tern::command
