// tern run: outputs from inputs. See command.h.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <numeric>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "runtime/model.h"
#include "tools/tern/arrays.h"
#include "tools/tern/print.h"
#include "tools/tern/save.h"

namespace tern::command {
namespace {

struct Ranked {
  size_t row, index, element;  // index: in its row; element: in the array
};

bool has_top(const Array& a) { return a.dtype != DType::string && count(a) > 0; }
size_t columns_of(const Array& a) { return a.dims.empty() ? 1 : static_cast<size_t>(a.dims.back()); }

// The k largest of a row (along the last dimension), NaN last, ties in order.
std::vector<Ranked> top_of_row(const Array& a, size_t row, size_t k) {
  const size_t columns = columns_of(a);
  std::vector<size_t> order(columns);
  std::iota(order.begin(), order.end(), size_t(0));
  auto value = [&](size_t i) { return as_double(a, row * columns + i); };
  k = std::min(k, columns);
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(k), order.end(), [&](size_t x, size_t y) {
    const double p = value(x), q = value(y);
    if (std::isnan(p) || std::isnan(q)) return std::isnan(p) != std::isnan(q) ? std::isnan(q) : x < y;
    return p != q ? p > q : x < y;
  });
  std::vector<Ranked> out;
  for (size_t i = 0; i < k; ++i) out.push_back({row, order[i], row * columns + order[i]});
  return out;
}

// Of many rows three at each end, as arrays are printed.
Text top_text(const Array& a, size_t k, const auto& label) {
  constexpr size_t kMostLines = 1000, kEdge = 3;
  const size_t rows = count(a) / columns_of(a);
  const bool abridge = rows > 2 * kEdge && rows * std::min(k, columns_of(a)) > kMostLines;
  Text text;
  for (size_t row = 0; row < rows; ++row) {
    if (abridge && row == kEdge) {
      text += "  ...\n";
      row = rows - kEdge;
    }
    for (const Ranked& r : top_of_row(a, row, k)) {
      char value[40];
      std::snprintf(value, sizeof value, "%.6g", as_double(a, r.element));
      text += "  " + (rows > 1 ? "row " + shown(row) + "  " : Text()) + shown(label(r.index)) + "  " +
              (is_float(a.dtype) ? shown(value) : element(a, r.element)) + "\n";
    }
  }
  return text;
}

Result<std::vector<std::string>> read_labels(const std::string& path) {
  std::vector<std::string> labels;
  if (path.empty()) return labels;
  auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  std::string line;
  for (std::byte b : *bytes) {
    const char c = static_cast<char>(b);
    if (c == '\n') {
      labels.push_back(std::move(line));
      line.clear();
    } else if (c != '\r') {
      line += c;
    }
  }
  if (!line.empty()) labels.push_back(std::move(line));
  return labels;
}

// The tensors that outputs are or hold: of a sequence y they are y.0, y.1 …
struct NamedTensor {
  std::string name;
  const Array& array;
};
std::vector<NamedTensor> tensors_of(const std::string& name, const Array& a) {
  std::vector<NamedTensor> tensors;
  if (!a.sequence && a.dtype != DType::none) tensors.push_back({name, a});
  for (size_t i = 0; i < a.elements.size(); ++i) tensors.push_back({name + "." + std::to_string(i), a.elements[i]});
  return tensors;
}

Status write_outputs(const std::string& directory, const std::vector<Port>& ports, const std::vector<Array>& arrays) {
  for (size_t p = 1; p <= directory.size(); ++p) {  // and the folders above it
    if (p != directory.size() && directory[p] != '/') continue;
    if (mkdir(directory.substr(0, p).c_str(), 0777) != 0 && errno != EEXIST) return invalid(directory + ": " + std::strerror(errno));
  }
  std::vector<NamedTensor> tensors;
  for (size_t o = 0; o < ports.size(); ++o) {
    for (const NamedTensor& t : tensors_of(ports[o].name, arrays[o])) tensors.push_back(t);
  }
  std::vector<std::string> names;
  for (const NamedTensor& t : tensors) names.push_back(t.name);
  const std::vector<std::string> files = file_names(names, ".npy");
  for (size_t i = 0; i < tensors.size(); ++i) {
    auto t = to_tensor(tensors[i].array);
    if (!t) return t.error();
    if (Status s = write_file(directory + "/" + files[i], write_npy(*t)); !s) return s;
    if (files[i] != names[i] + ".npy") note("output " + names[i] + " is in " + directory + "/" + files[i]);
  }
  return {};
}

// Without what is made up, which is made when the model is known to run: a file may declare inputs of gigabytes.
Result<std::vector<Array>> outlines(const Inputs& inputs) {
  std::vector<Array> arrays;
  for (size_t i = 0; i < inputs.ports.size(); ++i) {
    auto a = outline(inputs, i);
    if (!a) return a.error();
    arrays.push_back(std::move(*a));
  }
  return arrays;
}

}  // namespace

int run(const Options& options) {
  auto session = session_options(options);
  auto top = options.integer("--top", 0, 1, 1 << 20);
  if (!session) return fail("wrong usage", session.error());
  if (!top) return fail("wrong usage", top.error());
  if (options.has("--labels") && *top == 0) return fail("wrong usage", usage("--labels goes with --top K"));
  auto labels = read_labels(options.get("--labels"));
  if (!labels) return fail_at("cannot read", labels.error());
  Sources read;
  auto model = load_model(options, &read);
  if (!model) return fail_at("cannot load", model.error());
  auto inputs = read_inputs(*model, options, "", std::move(read));
  if (!inputs) return fail("cannot use the inputs", inputs.error());
  session->dims = inputs->dims;
  const std::vector<Port> results = model->outputs();
  auto arrays = outlines(*inputs);
  if (!arrays) return fail("cannot use the inputs", arrays.error());
  const auto computed = [&] {
    return compute(*model, *arrays, *session, options.has("--evaluate"), [&](size_t i) { return make_array(*inputs, i); });
  };
  auto outputs = computed();
  if (!outputs && outputs.error().code() == Code::kInvalid && retry_with_zeros(*inputs, outputs.error())) outputs = computed();
  if (!outputs) return fail("cannot run " + options.positional[0], outputs.error());
  if (options.has("--output-dir")) {
    if (Status s = write_outputs(options.get("--output-dir"), results, outputs->arrays); !s) return fail_at("cannot write", s.error());
  }
  auto label = [&](size_t i) { return i < labels->size() ? (*labels)[i] : std::to_string(i); };
  if (options.has("--json")) {
    Json j;
    j.object().key("model").value(options.positional[0]).key("device").value(outputs->device).key("isa").value(outputs->isa);
    j.key("threads")
        .value(session->threads)
        .key("evaluated")
        .value(outputs->evaluated)
        .key("in_parts")
        .value(outputs->in_parts)
        .key("outputs")
        .array();
    auto write_tensor = [&](const Array& a) {
      j.key("dtype").value(name(a.dtype)).key("shape").array();
      for (int64_t d : a.dims) j.value(d);
      j.end();
      if (*top == 0 || !has_top(a)) {
        j.key("values");
        write_values(j, a);
      } else {
        j.key("top").array();
        for (size_t row = 0; row < count(a) / columns_of(a); ++row) {
          for (const Ranked& r : top_of_row(a, row, static_cast<size_t>(*top))) {
            j.object()
                .key("row")
                .value(row)
                .key("index")
                .value(r.index)
                .key("label")
                .value(label(r.index))
                .key("value")
                .value(as_double(a, r.element))
                .end();
          }
        }
        j.end();
      }
    };
    for (size_t o = 0; o < results.size(); ++o) {
      const Array& a = outputs->arrays[o];
      j.object().key("name").value(results[o].name);
      if (a.sequence) {
        j.key("dtype").value(name(a.dtype)).key("elements").array();
        for (const Array& element : a.elements) {
          j.object();
          write_tensor(element);
          j.end();
        }
        j.end();
      } else {
        write_tensor(a);
      }
      j.end();
    }
    out(j.end().end().text());
    return kDone;
  }
  for (const Source& s : inputs->sources) {
    if (s.image && options.has("--draw")) out(draw(*s.image));
  }
  for (size_t o = 0; o < results.size(); ++o) {
    const Array& whole = outputs->arrays[o];
    if (whole.sequence) out(shown(results[o].name + ": sequence of " + std::to_string(whole.elements.size())) + "\n");
    else if (whole.dtype == DType::none) out(shown(results[o].name + ": nothing") + "\n");
    for (const auto& [tensor_name, a] : tensors_of(results[o].name, whole)) {
      out(shown(tensor_name + ": " + name(a.dtype) + shape_text(a.dims)) + "\n");
      out(*top > 0 && has_top(a) ? top_text(a, static_cast<size_t>(*top), label) : abridged(a) + "\n");
    }
  }
  return kDone;
}

}  // namespace tern::command
