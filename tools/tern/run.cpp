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
  size_t row, index;
  double value;
};

// The k largest of each row (the last dimension), NaN last, ties in order.
std::vector<Ranked> top_of(const Array& a, size_t k) {
  std::vector<Ranked> out;
  const size_t total = count(a), columns = a.dims.empty() ? 1 : static_cast<size_t>(a.dims.back());
  if (a.dtype == DType::string || columns == 0) return out;
  std::vector<size_t> order(columns);
  for (size_t row = 0; row < total / columns; ++row) {
    std::iota(order.begin(), order.end(), size_t(0));
    auto key = [&](size_t i) {
      const double v = as_double(a, row * columns + i);
      return std::isnan(v) ? -HUGE_VAL : v;
    };
    std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return key(x) > key(y); });
    for (size_t i = 0; i < std::min(k, columns); ++i) out.push_back({row, order[i], as_double(a, row * columns + order[i])});
  }
  return out;
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

Status write_outputs(const std::string& directory, const std::vector<Port>& ports, const std::vector<Array>& arrays) {
  for (size_t p = 1; p <= directory.size(); ++p) {  // and the folders above it
    if (p != directory.size() && directory[p] != '/') continue;
    if (mkdir(directory.substr(0, p).c_str(), 0777) != 0 && errno != EEXIST) return invalid(directory + ": " + std::strerror(errno));
  }
  std::vector<std::string> names;
  for (const Port& port : ports) names.push_back(port.name);
  const std::vector<std::string> files = file_names(names, ".npy");
  for (size_t i = 0; i < arrays.size(); ++i) {
    auto t = to_tensor(arrays[i]);
    if (!t) return t.error();
    if (Status s = write_file(directory + "/" + files[i], write_npy(*t)); !s) return s;
    if (files[i] != names[i] + ".npy") note("output " + names[i] + " is in " + directory + "/" + files[i]);
  }
  return {};
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
  auto model = load_model(options);
  if (!model) return fail_at("cannot load", model.error());
  auto inputs = read_inputs(*model, options, "");
  if (!inputs) return fail("cannot use the inputs", inputs.error());
  session->dims = inputs->dims;
  std::vector<Array> arrays;
  const std::vector<Port> ports = model->inputs(), results = model->outputs();
  for (size_t i = 0; i < ports.size(); ++i) {
    auto a = make_array(*inputs, i);
    if (!a) return fail("cannot use the inputs", a.error());
    arrays.push_back(std::move(*a));
  }
  auto outputs = compute(*model, arrays, *session, options.has("--evaluate"));
  if (!outputs) return fail("cannot run " + options.positional[0], outputs.error());
  if (options.has("--output-dir")) {
    if (Status s = write_outputs(options.get("--output-dir"), results, outputs->arrays); !s) return fail_at("cannot write", s.error());
  }
  auto label = [&](size_t i) { return i < labels->size() ? (*labels)[i] : std::to_string(i); };
  if (options.has("--json")) {
    Json j;
    j.object().key("model").value(options.positional[0]).key("device").value("cpu").key("isa").value(outputs->isa);
    j.key("threads").value(session->threads).key("evaluated").value(outputs->evaluated).key("outputs").array();
    for (size_t o = 0; o < results.size(); ++o) {
      const Array& a = outputs->arrays[o];
      j.object().key("name").value(results[o].name).key("dtype").value(name(a.dtype)).key("shape").array();
      for (int64_t d : a.dims) j.value(d);
      j.end().key("values");
      write_values(j, a);
      if (*top > 0) {
        j.key("top").array();
        for (const Ranked& r : top_of(a, static_cast<size_t>(*top))) {
          j.object().key("row").value(r.row).key("index").value(r.index).key("label").value(label(r.index)).key("value").value(r.value).end();
        }
        j.end();
      }
      j.end();
    }
    out(j.end().end().text());
    return kDone;
  }
  for (const Source& s : inputs->sources) {
    if (s.image) out(draw(*s.image));
  }
  for (size_t o = 0; o < results.size(); ++o) {
    const Array& a = outputs->arrays[o];
    out(shown(results[o].name + ": " + name(a.dtype) + shape_text(a.dims)) + "\n" + abridged(a) + "\n");
    if (*top == 0) continue;
    const bool rows = a.dims.size() > 1 && count(a) != static_cast<size_t>(a.dims.back());
    for (const Ranked& r : top_of(a, static_cast<size_t>(*top))) {
      char value[40];
      std::snprintf(value, sizeof value, "%.6g", r.value);
      out("  " + (rows ? "row " + shown(r.row) + "  " : Text()) + shown(label(r.index)) + "  " + shown(value) + "\n");
    }
  }
  return kDone;
}

}  // namespace tern::command
