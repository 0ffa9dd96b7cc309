// Reads a file, asks the table of formats whose it is, and makes the model. See load.h.
#include "loaders/load.h"

#include <algorithm>

#include "loaders/formats.h"
#include "runtime/base/guarded.h"
#include "runtime/base/mapping.h"
#include "runtime/base/printable.h"
#include "runtime/model.h"

namespace tern {
namespace {

// One printable line, whatever names a file holds.
Error printable(const Error& error) {
  constexpr size_t kMost = size_t(1) << 20;  // a long list of missing weights is whole
  return Error(error.code(), tern::printable(error.message(), kMost));
}

Result<Graph> load_any(const Content& content, const LoadOptions& options) {
  if (content.all.empty()) return invalid("the file is empty");
  const Format* format = format_of(content);
  if (format == nullptr) return invalid("not a model in a known format");
  return format->load != nullptr ? format->load(content, options) : refusal(*format);
}

Status check_overridable(const Graph& graph, std::span<const std::string> wanted) {
  for (const std::string& name : wanted) {
    if (std::find(graph.overridable.begin(), graph.overridable.end(), name) != graph.overridable.end()) continue;
    std::string all;
    for (const std::string& n : graph.overridable) all += (all.empty() ? "" : ", ") + n;
    return usage(name + " is no initializer that is also an input" + (all.empty() ? "; the file has none" : "; those are: " + all));
  }
  return {};
}

}  // namespace

Result<Graph> load_graph(const Source& source, const LoadOptions& options) {
  return guarded([&] { return load_graph(Content(source), options); });
}

Result<Graph> load_graph(const Content& content, const LoadOptions& options) {
  return guarded([&]() -> Result<Graph> {
    auto graph = load_any(content, options);
    protect(content.source.owner);
    if (!graph) return printable(graph.error());
    if (Status s = check_overridable(*graph, options.overridable); !s) return printable(s.error());
    return graph;
  });
}

Result<std::vector<std::byte>> read_file(const std::string& path) {
  return guarded([&]() -> Result<std::vector<std::byte>> {
    auto source = map_file(path);
    if (!source) return source.error();
    return std::vector<std::byte>(source->bytes.begin(), source->bytes.end());
  });
}

Result<Model> load(const std::string& path, const LoadOptions& options) {
  return guarded([&]() -> Result<Model> {
    auto source = open_model(path, file_options(options));
    if (!source) return printable(source.error());
    source->once = is_mapped(source->owner);
    auto graph = load_graph(*source, options);
    if (!graph) return printable(graph.error().within(path));
    *source = {};  // the graph keeps what it needs of it
    auto made = make_model(std::move(*graph), options);
    if (!made) return printable(made.error().within(path));
    return made;
  });
}

Result<Model> load_bytes(std::span<const std::byte> bytes, const LoadOptions& options) {
  return guarded([&]() -> Result<Model> {
    auto graph = load_graph(Source{bytes, nullptr, options.directory, {}, file_options(options)}, options);
    if (!graph) return graph.error();
    auto made = make_model(std::move(*graph), options);
    if (!made) return printable(made.error());
    return made;
  });
}

}  // namespace tern
