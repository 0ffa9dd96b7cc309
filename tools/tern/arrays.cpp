// See arrays.h.
#include "tools/tern/arrays.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "loaders/onnx/onnx.h"
#include "runtime/base/checked.h"
#include "runtime/model.h"
#include "tools/tern/option_table.h"

namespace tern::command {
namespace {

bool ends_with(std::string_view s, std::string_view tail) { return s.size() >= tail.size() && s.substr(s.size() - tail.size()) == tail; }

// Numbers between commas, semicolons or blanks; a first line that is no numbers is a heading.
Result<std::vector<double>> parse_csv(std::string_view text) {
  std::vector<double> numbers;
  size_t line = 1;
  bool heading = false;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\n') ++line, heading = false;
    if (c == ',' || c == ';' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || heading) {
      ++i;
      continue;
    }
    size_t end = text.find_first_of(",; \t\r\n", i);
    if (end == text.npos) end = text.size();
    std::string word(text.substr(i, end - i));
    char* stop = nullptr;
    const double n = std::strtod(word.c_str(), &stop);
    if (*stop != '\0') {
      if (line != 1 || !numbers.empty()) return invalid("line " + std::to_string(line) + ": '" + word + "' is no number");
      heading = true;
      continue;
    }
    numbers.push_back(n);
    i = end;
  }
  return numbers;
}

}  // namespace

Result<Array> read_array_file(const std::string& path, std::string_view key) {
  auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  if (ends_with(path, ".pb")) {
    auto t = load_tensor_proto(*bytes);
    if (!t) return t.error().within(path);
    return to_array(*t);
  }
  if (ends_with(path, ".npz")) {
    auto arrays = read_npz(*bytes, key);
    if (!arrays) return arrays.error().within(path);
    if (arrays->size() != 1) return usage(path + ": holds " + std::to_string(arrays->size()) + " arrays; say which one, as in " + path + ":KEY");
    return to_array(arrays->front().second);
  }
  auto t = read_npy(*bytes);
  if (!t) return t.error().within(path);
  return to_array(*t);
}

Result<Source> read_source(const std::string& text) {
  Source s;
  s.text = text;
  const size_t colon = text.find(".npz:");
  if (colon != std::string::npos || ends_with(text, ".npy") || ends_with(text, ".npz") || ends_with(text, ".pb")) {
    auto a = colon == std::string::npos ? read_array_file(text, {}) : read_array_file(text.substr(0, colon + 4), text.substr(colon + 5));
    if (!a) return a.error();
    s.array = std::move(*a);
  } else if (ends_with(text, ".pgm") || ends_with(text, ".ppm") || ends_with(text, ".png")) {
    auto image = read_image(text);
    if (!image) return image.error().within(text);
    s.image = std::move(*image);
  } else if (ends_with(text, ".csv")) {
    auto bytes = read_file(text);
    if (!bytes) return bytes.error();
    auto numbers = parse_csv({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    if (!numbers) return numbers.error().within(text);
    s.numbers = std::move(*numbers);
    s.csv = true;
  } else if (text != "zeros" && text != "ones" && text != "iota" && text != "random" && text.rfind("random:", 0) != 0) {
    return usage("'" + text + "' is no source; expected a .npy, .npz:KEY, .pb, .csv, .pgm, .ppm or .png file, or random[:SEED], zeros, ones, iota");
  } else if (text.rfind("random:", 0) == 0) {
    uint64_t seed;
    auto [end, error] = std::from_chars(text.data() + 7, text.data() + text.size(), seed);
    if (error != std::errc() || end != text.data() + text.size()) return usage("'" + text + "': the seed is no whole number");
  }
  return s;
}

std::optional<std::vector<int64_t>> concrete(const Port& port, const std::map<std::string, int64_t>& dims) {
  std::vector<int64_t> out;
  for (const std::string& text : port.shape) {
    auto dim = parse_dim(text);
    if (!dim) return std::nullopt;
    int64_t n = dim->constant();
    for (const auto& [symbol, coefficient] : dim->terms()) {
      auto at = dims.find(symbol);
      if (at == dims.end()) return std::nullopt;
      n += coefficient * at->second;
    }
    out.push_back(n);
  }
  return out;
}

void infer_dims(const Port& port, std::span<const int64_t> given, std::map<std::string, int64_t>& dims) {
  if (given.size() != port.shape.size()) return;
  for (size_t i = 0; i < given.size(); ++i) {
    auto dim = parse_dim(port.shape[i]);
    if (!dim || dim->terms().size() != 1) continue;
    const auto& [symbol, coefficient] = dim->terms()[0];
    const int64_t rest = given[i] - dim->constant();
    if (coefficient != 0 && rest % coefficient == 0 && rest >= 0) dims.emplace(symbol, rest / coefficient);
  }
}

void default_dims(const Model& model, std::map<std::string, int64_t>& dims, bool tell) {
  std::string names;
  for (const Port& port : model.inputs()) {
    for (const std::string& text : port.shape) {
      auto dim = parse_dim(text);
      if (!dim) continue;
      for (const auto& [symbol, coefficient] : dim->terms()) {
        if (dims.emplace(symbol, 1).second) names += (names.empty() ? "" : ", ") + symbol + " = 1";
      }
    }
  }
  if (tell && !names.empty()) note(names + " (say --dim NAME=N for another)");
}

namespace {

// Which input an --input gives, and the source. Nothing is read, so that a mistyped name is told as one.
struct Named {
  size_t port;
  std::string source;
};
Result<Named> match_input(const std::vector<Port>& ports, const std::string& text) {
  Named best{ports.size(), text};
  size_t longest = 0;  // a name may hold '=', and begin as another does
  std::string names;
  std::vector<std::string_view> known;
  for (size_t i = 0; i < ports.size(); ++i) {
    const std::string& name = ports[i].name;
    known.push_back(name);
    names += (names.empty() ? "" : ", ") + name;
    if (text.starts_with(name + "=") && name.size() + 1 > longest) best = {i, text.substr(name.size() + 1)}, longest = name.size() + 1;
  }
  if (best.port < ports.size()) return best;
  if (ports.empty()) return usage("--input " + text + ": the model has no inputs");
  const std::string file = text.substr(0, std::min(text.find(".npz:"), text.size() - 4) + 4);
  const size_t equals = text.find('=');
  if (equals != text.npos && (ports.size() > 1 || access(file.c_str(), F_OK) != 0)) {
    const std::string name = text.substr(0, equals);
    return usage("the model has no input " + name + did_you_mean(name, known) + "; its inputs: " + names);
  }
  if (ports.size() > 1) return usage("--input " + text + ": write NAME=SOURCE; the model's inputs: " + names);
  return Named{0, text};
}

}  // namespace

Result<Inputs> read_inputs(const Model& model, const Options& options, const std::string& fallback) {
  const std::vector<Port> ports = model.inputs();
  auto dims = dims_of(options);
  if (!dims) return dims.error();
  Inputs inputs{std::vector<Source>(ports.size()), *dims};
  for (const std::string& text : options.all("--input")) {
    auto named = match_input(ports, text);
    if (!named) return named.error();
    Source& to = inputs.sources[named->port];
    if (!to.text.empty()) return usage("input " + ports[named->port].name + " is given twice: " + to.text + " and " + named->source);
    auto s = read_source(named->source);
    if (!s) return s.error();
    to = std::move(*s);
  }
  bool generated = false;
  for (size_t i = 0; i < ports.size(); ++i) {
    Source& s = inputs.sources[i];
    if (s.text.empty()) {
      if (fallback.empty()) return usage("input " + ports[i].name + " has no value; give --input " + ports[i].name + "=SOURCE");
      s.text = fallback;
    }
    if (s.array) infer_dims(ports[i], s.array->dims, inputs.dims);
    generated = generated || !s.array;
  }
  for (size_t i = 0; i < ports.size(); ++i) {  // a table has as many rows as its numbers fill, a picture is one
    const Source& s = inputs.sources[i];
    if (!s.csv) continue;
    int64_t rest = 1;
    std::optional<Dim> open;
    int symbols = 0;
    for (const std::string& text : ports[i].shape) {
      auto dim = parse_dim(text);
      if (!dim) continue;
      if (auto known = concrete({{}, {}, {text}}, inputs.dims)) rest *= (*known)[0];
      else open = dim, ++symbols;
    }
    if (symbols == 1 && open->constant() == 0 && open->terms().size() == 1 && open->terms()[0].second == 1 && rest > 0) {
      inputs.dims.emplace(open->terms()[0].first, static_cast<int64_t>(s.numbers.size()) / rest);
    }
  }
  bool picture = false;
  for (const Source& s : inputs.sources) picture = picture || s.image;
  if (generated) default_dims(model, inputs.dims, !picture);
  return inputs;
}

}  // namespace tern::command
