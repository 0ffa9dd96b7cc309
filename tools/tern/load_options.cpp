// What the command tells the loader (architectures, keys, types of inputs), and loading with it. See command.h.
#include <sys/stat.h>

#include <algorithm>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "runtime/model.h"
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

// A command that computes tells errors of its inputs when the model has said what they are; others want arrays here.
bool computes(const Options& options) { return options.command == "run" || options.command == "bench"; }

Status add_inputs(const Options& options, LoadOptions& with, Sources* read) {
  for (const std::string& input : options.all("--input")) {
    const auto [name, text] = split_input(input);
    auto source = read_source(text);
    if (source && source->array) {
      with.inputs.push_back(port_of(name, source->array->dtype, source->array->dims));
      if (read != nullptr) read->insert_or_assign(text, std::move(*source));
    } else if (!computes(options)) {
      return source ? usage("--input " + input + ": only an array tells a shape; give a .npy, .npz:KEY or .pb file") : source.error();
    }
  }
  if (options.command != "verify") return {};
  auto bytes = read_file(options.positional[1]);
  auto arrays = bytes ? read_npz(*bytes) : bytes.error();
  if (!arrays) return {};  // reading the recordings says why
  for (const auto& [name, tensor] : *arrays) {
    if (name.starts_with("in_")) with.inputs.push_back(port_of(name.substr(3), tensor.dtype(), tensor.dims().span()));
  }
  return {};
}

// The model's overridable initializers that the caller gives a value. Which there are only the model says, so it is loaded first.
std::vector<std::string> given_initializers(const Model& model, const Options& options, const LoadOptions& with) {
  std::vector<std::string> given;
  const std::vector<std::string> inputs = options.all("--input");
  for (const std::string& name : model.state().graph.overridable) {
    auto names = [&](const std::string& input) { return input.starts_with(name + "="); };
    auto recorded = [&](const Port& port) { return port.name == name; };
    if (std::any_of(inputs.begin(), inputs.end(), names) || std::any_of(with.inputs.begin(), with.inputs.end(), recorded)) given.push_back(name);
  }
  return given;
}

}  // namespace

Result<LoadOptions> load_options(const Options& options, Sources* read) {
  LoadOptions with;
  if (Status s = add_inputs(options, with, read); !s) return s.error();
  with.key = options.get("--key");
  with.signature = options.get("--signature");
  with.outputs = options.all("--output");
  with.strict = !options.has("--no-strict");
  with.follow_links = options.has("--follow-links");
  with.map_files = options.has("--map");
  if (options.has("--arch")) {
    with.architecture_name = options.get("--arch");
    auto text = read_file(with.architecture_name);
    if (!text) return text.error();
    with.architecture.assign(reinterpret_cast<const char*>(text->data()), text->size());
    if (with.architecture.empty()) return invalid(with.architecture_name + ": the file is empty");
  }
  return with;
}

Result<Model> load_model(const Options& options, Sources* read) {
  const std::string& path = options.positional[0];
  auto with = load_options(options, read);
  if (!with) return with.error();
  with->optimize = options.command != "convert";  // which wants the graph with its weights as the file has them
  struct stat info;
  if (show_progress() && stat(path.c_str(), &info) == 0 && info.st_size >= kLong) {
    progress("loading " + path + " (" + std::to_string(info.st_size >> 20) + " MB) ...");
  }
  auto model = load(path, *with);
  if (model && options.command != "convert") {
    with->overridable = given_initializers(*model, options, *with);
    if (!with->overridable.empty()) model = load(path, *with);
  }
  progress("");
  if (model && !computes(options)) {
    if (Status s = check_input_names(model->inputs(), options); !s) return s.error();
  }
  if (model && options.command != "inspect") {
    for (const std::string& text : model->notes()) note(text);
  }
  return model;
}

}  // namespace tern::command
