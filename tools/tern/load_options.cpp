// What the command tells the loader (architectures, keys, types of inputs), and loading with it. See command.h.
#include <sys/stat.h>

#include <algorithm>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "tools/tern/arrays.h"

namespace tern::command {
namespace {

constexpr int64_t kLong = int64_t(32) << 20;  // bytes of a file that takes a moment

// An array tells the shape of its input. Its dtype too, but that of f64 may only be what NumPy makes of Python's numbers.
Port port_of(const std::string& name, DType dtype, std::span<const int64_t> dims) {
  Port port{name, dtype == DType::f64 ? DType::none : dtype, {}};
  for (int64_t d : dims) port.shape.push_back(std::to_string(d));
  return port;
}

bool is_name(const std::string& s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

void add_inputs(const Options& options, LoadOptions& with) {
  for (const std::string& input : options.all("--input")) {
    const size_t equals = input.find('=');
    const std::string name = equals == input.npos || !is_name(input.substr(0, equals)) ? "" : input.substr(0, equals);
    auto source = read_source(name.empty() ? input : input.substr(equals + 1));
    if (source && source->array) with.inputs.push_back(port_of(name, source->array->dtype, source->array->dims));  // else reading the inputs says why
  }
  if (options.command != "verify") return;
  auto bytes = read_file(options.positional[1]);
  auto arrays = bytes ? read_npz(*bytes) : bytes.error();
  if (!arrays) return;
  for (const auto& [name, tensor] : *arrays) {
    if (name.starts_with("in_")) with.inputs.push_back(port_of(name.substr(3), tensor.dtype(), tensor.dims().span()));
  }
}

}  // namespace

Result<LoadOptions> load_options(const Options& options) {
  LoadOptions with;
  add_inputs(options, with);
  with.key = options.get("--key");
  with.strict = !options.has("--no-strict");
  if (options.has("--arch")) {
    with.architecture_name = options.get("--arch");
    auto text = read_file(with.architecture_name);
    if (!text) return text.error();
    with.architecture.assign(reinterpret_cast<const char*>(text->data()), text->size());
    if (with.architecture.empty()) return invalid(with.architecture_name + ": the file is empty");
  }
  return with;
}

Result<Model> load_model(const Options& options) {
  const std::string& path = options.positional[0];
  auto with = load_options(options);
  if (!with) return with.error();
  struct stat info;
  if (show_progress() && stat(path.c_str(), &info) == 0 && info.st_size >= kLong) {
    progress("loading " + path + " (" + std::to_string(info.st_size >> 20) + " MB) ...");
  }
  auto model = load(path, *with);
  progress("");
  if (model && options.command != "inspect") {
    for (const std::string& text : model->notes()) note(text);
  }
  return model;
}

}  // namespace tern::command
