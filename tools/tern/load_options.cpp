// What the command tells the loader: architectures, keys, and the types of inputs. See command.h.
#include "loaders/load.h"
#include "tools/tern/arrays.h"

namespace tern::command {

Result<LoadOptions> load_options(const Options& options) {
  LoadOptions with;
  with.key = options.get("--key");
  with.strict = !options.has("--no-strict");
  if (!options.has("--arch")) return with;
  with.architecture_name = options.get("--arch");
  auto text = read_file(with.architecture_name);
  if (!text) return text.error();
  with.architecture.assign(reinterpret_cast<const char*>(text->data()), text->size());
  if (with.architecture.empty()) return invalid(with.architecture_name + ": the file is empty");
  for (const std::string& input : options.all("--input")) {
    const size_t equals = input.find('=');
    auto source = read_source(equals == std::string::npos ? input : input.substr(equals + 1));
    if (!source || !source->array) continue;  // reading the inputs says why; a generated one has no shape of its own
    Port port{equals == std::string::npos ? "" : input.substr(0, equals), source->array->dtype, {}};
    for (int64_t d : source->array->dims) port.shape.push_back(std::to_string(d));
    with.inputs.push_back(std::move(port));
  }
  return with;
}

}  // namespace tern::command
