// See arrays.h.
#include "tools/tern/arrays.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "loaders/onnx/onnx.h"
#include "runtime/base/checked.h"
#include "runtime/base/half.h"
#include "runtime/model.h"

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

// Element i of dtype T from a double.
template <class T>
T from_double(double v) {
  if constexpr (std::is_same_v<T, f16>) return to_f16(v);
  else if constexpr (std::is_same_v<T, bf16>) return to_bf16(v);
  else if constexpr (std::is_same_v<T, bool>) return v != 0;
  else return static_cast<T>(v);
}

Result<Array> fill(DType dtype, const std::vector<int64_t>& dims, auto element) {
  Array a{dtype, dims, {}, {}};
  auto count = checked_count(dims);
  auto bytes = count ? checked_mul(*count, static_cast<int64_t>(size_of(dtype))) : std::nullopt;
  if (!bytes || *bytes > int64_t(1) << 34) return invalid("its shape needs too much memory");
  if (dtype == DType::string) return unsupported("strings come from a .pb or .npy file");
  a.bytes.resize(static_cast<size_t>(*bytes));
  visit(dtype, [&]<class T>() {
    if constexpr (!std::is_void_v<T> && !std::is_same_v<T, StringRef>) {
      auto* p = reinterpret_cast<T*>(a.bytes.data());
      for (int64_t i = 0; i < *count; ++i) p[i] = from_double<T>(element(i));
    }
  });
  return a;
}

// splitmix64: the same numbers everywhere
uint64_t random_bits(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::string text_of(const std::vector<int64_t>& dims) { return to_string(Dims(dims)); }

// A picture as [N,C,H,W], [N,H,W,C], [H,W] or anything that has as many elements in one of those orders.
Result<Array> from_image(const Image& image, const Port& port, const std::vector<int64_t>& dims) {
  const auto rank = dims.size();
  const int64_t pixels = image.width * image.height;
  const int64_t count = checked_count(dims).value_or(-1);
  if (pixels == 0 || (count != pixels && count != 3 * pixels)) {
    return invalid("the picture is " + std::to_string(image.width) + "x" + std::to_string(image.height) + ", the model expects " + text_of(dims));
  }
  const int64_t channels = count / pixels;
  const bool last = rank >= 3 && dims[rank - 1] == channels && dims[rank - 2] == image.width;
  if (rank >= 3 && !last && (dims[rank - 1] != image.width || dims[rank - 2] != image.height)) {
    return invalid("the picture is " + std::to_string(image.width) + "x" + std::to_string(image.height) + ", the model expects " + text_of(dims));
  }
  const double scale = is_float(port.dtype) ? 1 : 255;
  return fill(port.dtype, dims, [&](int64_t i) {
    const int64_t pixel = last ? i / channels : i % pixels, c = last ? i % channels : i / pixels;
    const float* p = image.pixels.data() + pixel * image.channels;
    double v = image.channels == channels ? p[c] : channels == 3 ? p[0] : 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
    return is_float(port.dtype) ? v : std::nearbyint(v * scale);
  });
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

Result<Inputs> read_inputs(const Model& model, const Options& options, const std::string& fallback) {
  const std::vector<Port> ports = model.inputs();
  auto dims = dims_of(options);
  if (!dims) return dims.error();
  Inputs inputs{std::vector<Source>(ports.size()), *dims};
  std::string names;
  for (const Port& p : ports) names += (names.empty() ? "" : ", ") + p.name;
  for (const std::string& text : options.all("--input")) {
    size_t which = ports.size();
    std::string source = text;
    for (size_t i = 0; i < ports.size(); ++i) {
      if (text.rfind(ports[i].name + "=", 0) == 0) which = i, source = text.substr(ports[i].name.size() + 1);
    }
    if (which == ports.size()) {
      if (ports.size() != 1) return usage("--input " + text + ": the model's inputs are: " + names + "; write NAME=SOURCE");
      which = 0;
    }
    auto s = read_source(source);
    if (!s) return s.error();
    inputs.sources[which] = std::move(*s);
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

Result<Array> make_array(const Source& s, const Port& port, const std::map<std::string, int64_t>& values) {
  if (s.array) {
    if (s.array->dtype != port.dtype) {
      return invalid("input " + port.name + ": " + s.text + " is " + name(s.array->dtype) + ", the model expects " + name(port.dtype));
    }
    return *s.array;
  }
  auto dims = concrete(port, values);
  if (!dims) return usage("input " + port.name + " has no fixed shape; give a file, or --dim NAME=N");
  auto count = checked_count(*dims);
  if (!count) return usage("input " + port.name + ": its shape has no size");
  auto where = [&](Result<Array> a) -> Result<Array> {
    if (!a) return a.error().within("input " + port.name + " from " + s.text);
    return a;
  };
  if (s.image) return where(from_image(*s.image, port, *dims));
  if (s.csv) {
    if (static_cast<int64_t>(s.numbers.size()) != *count) {
      return invalid("input " + port.name + ": " + s.text + " has " + std::to_string(s.numbers.size()) + " numbers, the model expects " + text_of(*dims));
    }
    return where(fill(port.dtype, *dims, [&](int64_t i) { return s.numbers[static_cast<size_t>(i)]; }));
  }
  if (s.text == "zeros") return where(fill(port.dtype, *dims, [](int64_t) { return 0.0; }));
  if (s.text == "ones") return where(fill(port.dtype, *dims, [](int64_t) { return 1.0; }));
  if (s.text == "iota") return where(fill(port.dtype, *dims, [&](int64_t i) { return static_cast<double>(size_of(port.dtype) == 1 ? i % 128 : i); }));
  uint64_t state = s.text.size() > 7 ? std::strtoull(s.text.c_str() + 7, nullptr, 10) : 0;
  for (char c : port.name) state = state * 31 + static_cast<unsigned char>(c);  // two inputs differ
  return where(fill(port.dtype, *dims, [&](int64_t) {  // floats in [-1, 1), integers 0 or 1: legal as indices almost everywhere
    const uint64_t bits = random_bits(state);
    return is_float(port.dtype) ? static_cast<double>(bits >> 40) * 0x1p-23 - 1 : static_cast<double>(bits >> 63);
  }));
}

Result<Outputs> compute(const Model& model, std::span<const Array> inputs, SessionOptions session, bool evaluate) {
  const std::vector<Port> ports = model.inputs();
  Outputs outputs;
  outputs.evaluated = evaluate;
  outputs.isa = name(best_isa(parse_isa(session.isa)));
  if (!evaluate) {
    std::vector<Dims> given;
    for (const Array& a : inputs) given.emplace_back(std::span<const int64_t>(a.dims));
    auto solved = solve_dims(model.state().graph, given);
    if (!solved) return solved.error();
    session.dims.insert(solved->begin(), solved->end());  // what the caller bound stays, and is compared below
    auto s = model.session(session);
    if (s) {
      for (size_t i = 0; i < ports.size(); ++i) {
        if (s->dims(ports[i].name) != inputs[i].dims) {
          return invalid("input " + ports[i].name + " has shape " + text_of(inputs[i].dims) + ", the model expects " + text_of(s->dims(ports[i].name)));
        }
        if (ports[i].dtype != inputs[i].dtype) return invalid("input " + ports[i].name + " is " + name(inputs[i].dtype) + ", the model expects " + name(ports[i].dtype));
        auto to = s->input_bytes(ports[i].name);
        if (ports[i].dtype == DType::string) {
          auto* elements = reinterpret_cast<StringRef*>(to.data());
          for (size_t k = 0; k < inputs[i].strings.size(); ++k) {
            elements[k] = {inputs[i].strings[k].data(), static_cast<int64_t>(inputs[i].strings[k].size())};
          }
        } else if (!to.empty()) {
          std::memcpy(to.data(), inputs[i].bytes.data(), std::min(to.size(), inputs[i].bytes.size()));
        }
      }
      s->run();
      for (const Port& p : s->outputs()) {
        auto bytes = s->output_bytes(p.name);
        Array a{p.dtype, s->dims(p.name), {}, {}};
        if (p.dtype == DType::string) {
          auto* elements = reinterpret_cast<const StringRef*>(bytes.data());
          for (size_t k = 0; k < bytes.size() / sizeof(StringRef); ++k) a.strings.emplace_back(elements[k].view());
        } else {
          a.bytes.assign(bytes.begin(), bytes.end());
        }
        outputs.arrays.push_back(std::move(a));
      }
      return outputs;
    }
    // Only shapes that depend on data may go the other way: any other error would come again, or be hidden.
    if (s.error().code() != Code::kUnsupported || s.error().message().find("depend on the contents") == std::string::npos) return s.error();
    note(s.error().message().substr(0, s.error().message().find("; run")) + ": running node by node");
    outputs.evaluated = true;
  }
  auto arrays = model.evaluate(inputs, session.isa);
  if (!arrays) return arrays.error();
  outputs.arrays = std::move(*arrays);
  return outputs;
}

}  // namespace tern::command
