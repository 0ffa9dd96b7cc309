// See arrays.h.
#include "tools/tern/arrays.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <set>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "loaders/onnx/onnx.h"
#include "runtime/base/checked.h"
#include "runtime/model.h"
#include "tools/tern/option_table.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

// Extensions may be in capitals.
bool ends_with(std::string_view s, std::string_view tail) {
  return s.size() >= tail.size() && std::equal(tail.begin(), tail.end(), s.end() - static_cast<ptrdiff_t>(tail.size()),
                                               [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}
bool is_word(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; });
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
    if (arrays->size() != 1) {
      std::vector<std::string> names;
      for (const auto& [name, tensor] : *arrays) names.push_back(name);
      return usage(path + ": say which array, as in " + path + ":KEY; it holds " + joined(names));
    }
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
    auto table = read_table({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    if (!table) return table.error().within(text);
    s.table = std::make_shared<const Table>(std::move(*table));
  } else if (ends_with(text, ".txt")) {
    auto bytes = read_file(text);
    if (!bytes) return bytes.error();
    auto table = table_of_lines({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    if (!table) return table.error().within(text);
    s.table = std::make_shared<const Table>(std::move(*table));
  } else if (text.starts_with("text:")) {
    s.table = std::make_shared<const Table>(Table{text.substr(5), {text.size() - 5}, {false}, {1}, 1, false});
  } else if (text != "zeros" && text != "ones" && text != "iota" && text != "random" && text.rfind("random:", 0) != 0) {
    return usage(
        "'" + text +
        "' is no source; expected a .npy, .npz:KEY, .pb, .csv, .txt, .pgm, .ppm or .png file, or text:WORDS, random[:SEED], zeros, ones, iota");
  } else if (text.rfind("random:", 0) == 0) {
    uint64_t seed;
    auto [end, error] = std::from_chars(text.data() + 7, text.data() + text.size(), seed);
    if (error != std::errc() || end != text.data() + text.size()) return usage("'" + text + "': the seed is no whole number");
  }
  return s;
}

std::vector<int64_t> known_dims(const Shape& shape, const std::map<std::string, int64_t>& dims) {
  std::vector<int64_t> out;
  for (const Dim& dim : shape.dims()) {
    std::optional<int64_t> n = dim.constant();
    for (const auto& [symbol, coefficient] : dim.terms()) {
      auto at = dims.find(symbol);
      const auto term = at == dims.end() ? std::nullopt : checked_mul(coefficient, at->second);
      n = n && term ? checked_add(*n, *term) : std::nullopt;
    }
    out.push_back(n && *n >= 0 ? *n : -1);
  }
  return out;
}

std::optional<std::vector<int64_t>> concrete(const Shape& shape, const std::map<std::string, int64_t>& dims) {
  std::vector<int64_t> known = known_dims(shape, dims);
  if (!shape.ranked() || std::find(known.begin(), known.end(), -1) != known.end()) return std::nullopt;
  return known;
}

namespace {

// What dimensions follow when an input has these dims (-1: nothing); existing entries stay.
void infer_dims(const Shape& shape, std::span<const int64_t> given, std::map<std::string, int64_t>& dims) {
  if (!shape.ranked() || given.size() != shape.dims().size()) return;
  for (size_t i = 0; i < given.size(); ++i) {
    const Dim& dim = shape.dims()[i];
    if (dim.terms().size() != 1 || given[i] < 0) continue;
    const auto& [symbol, coefficient] = dim.terms()[0];
    const auto rest = checked_sub(given[i], dim.constant());
    if (rest && *rest >= 0 && coefficient > 0 && *rest % coefficient == 0) dims.emplace(symbol, *rest / coefficient);
  }
}

}  // namespace

void default_dims(const Model& model, std::map<std::string, int64_t>& dims, bool tell) {
  std::string names;
  const auto& ranges = model.state().graph.ranges;
  for (const Shape& shape : input_shapes(model)) {
    for (const Dim& dim : shape.dims()) {
      for (const auto& [symbol, coefficient] : dim.terms()) {
        const auto range = ranges.find(symbol);
        const int64_t n = range == ranges.end() ? 1 : std::max<int64_t>(1, range->second.first);
        if (dims.emplace(symbol, n).second)
          names += (names.empty() ? "" : ", ") + (is_word(symbol) ? symbol : "'" + symbol + "'") + " = " + std::to_string(n);
      }
    }
  }
  if (tell && !names.empty()) note(names + " (say --dim NAME=N for another)");
}

std::vector<Shape> input_shapes(const Model& model) {
  const Graph& graph = model.state().graph;
  std::vector<Shape> shapes;
  for (ValueId v : graph.inputs) {
    const TypeInfo& type = graph.value(v).type;
    shapes.push_back(type.kind == ValueKind::tensor ? type.shape : Shape());  // elements have each their own
  }
  return shapes;
}

namespace {

// Which input an --input gives (none: those that the heading of a table names), and the source. Nothing is read, so that a mistyped name is told as one.
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
  if (const std::string name = split_input(text).first; !name.empty()) {
    return usage("the model has no input " + name + did_you_mean(name, known) + "; its inputs: " + names);
  }
  if (ports.size() > 1 && ends_with(text, ".csv")) return Named{ports.size(), text};
  if (ports.size() > 1) return usage("--input " + text + ": write NAME=SOURCE; the model's inputs: " + names);
  return Named{0, text};
}

}  // namespace

std::pair<std::string, std::string> split_input(const std::string& text) {
  const size_t equals = text.find('='), key = text.find(".npz:");
  const bool is_file = access(text.substr(0, key == text.npos ? key : key + 4).c_str(), F_OK) == 0;  // whose name holds '='
  if (equals == text.npos || equals == 0 || is_file) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Status check_input_names(const std::vector<Port>& ports, const Options& options) {
  std::set<size_t> given;
  for (const std::string& text : options.all("--input")) {
    auto named = match_input(ports, text);
    if (!named) return named.error();
    if (!given.insert(named->port).second) return usage("input " + ports[named->port].name + " is given twice");
  }
  return {};
}

Result<Inputs> read_inputs(const Model& model, const Options& options, const std::string& fallback, Sources read) {
  auto dims = dims_of(options);
  if (!dims) return dims.error();
  Inputs inputs{model.inputs(), input_shapes(model), {}, *dims};
  const std::vector<Port>& ports = inputs.ports;
  inputs.sources.resize(ports.size());
  for (const Port& p : ports) {
    if (p.kind != ValueKind::tensor)
      return unsupported("input " + p.name + " is " + type_text(p) + ": the command gives tensors only; call Model::evaluate()");
  }
  for (const std::string& text : options.all("--input")) {
    auto named = match_input(ports, text);
    if (!named) return named.error();
    const bool by_heading = named->port == ports.size();
    if (!by_heading && !inputs.sources[named->port].text.empty()) {
      return usage("input " + ports[named->port].name + " is given twice: " + inputs.sources[named->port].text + " and " + named->source);
    }
    auto known = read.extract(named->source);
    auto s = known.empty() ? read_source(named->source) : Result<Source>(std::move(known.mapped()));
    if (!s) return s.error();
    if (!by_heading) {
      inputs.sources[named->port] = std::move(*s);
      continue;
    }
    size_t given = 0;
    for (size_t i = 0; i < ports.size(); ++i) {
      if (!heading_names(*s->table, ports[i].name)) continue;
      if (!inputs.sources[i].text.empty()) return usage("input " + ports[i].name + " is given twice: " + inputs.sources[i].text + " and " + s->text);
      inputs.sources[i] = *s;
      ++given;
    }
    if (given == 0) return usage("--input " + text + ": its first line names none of the model's inputs; write NAME=SOURCE");
  }
  bool alone = false, generated = false;  // inputs whose shapes tell nothing
  for (size_t i = 0; i < ports.size(); ++i) {
    Source& s = inputs.sources[i];
    if (s.text.empty()) {
      if (fallback.empty()) return usage("input " + ports[i].name + " has no value; give --input " + ports[i].name + "=SOURCE");
      s.text = fallback;
    }
    if (s.table) {
      auto part = part_of_table(*s.table, ports[i], ports);
      if (!part) return part.error().within("input " + ports[i].name + " from " + s.text);
      s.part = std::move(*part);
    }
    const std::vector<int64_t> known = known_dims(inputs.shapes[i], inputs.dims);
    if (s.array) infer_dims(inputs.shapes[i], s.array->dims, inputs.dims);
    if (s.table) infer_dims(inputs.shapes[i], dims_of_table(*s.table, s.part, known), inputs.dims);
    if (s.image) infer_dims(inputs.shapes[i], dims_of_image(*s.image, known), inputs.dims);
    alone = alone || !s.array;
    generated = generated || !(s.array || s.image || s.table);
  }
  if (alone) default_dims(model, inputs.dims, generated);
  return inputs;
}

}  // namespace tern::command
