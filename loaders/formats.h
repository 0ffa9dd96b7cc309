// The table of formats: those that tern reads, and those that are known and refused by their name, with the remedy. A format is told by its
// content. Next: formats.cpp, the rows.
#pragma once
#include <optional>
#include <string>

#include "loaders/content.h"
#include "runtime/graph.h"

namespace tern {

struct Format {
  std::string_view name;  // "a Core ML model"
  bool (*recognises)(const Content& content);
  std::string_view remedy = {};    // where it is not read: what to do
  Code code = Code::kUnsupported;  // of its refusal; kInvalid for what is no model at all (a web page)
  Result<Graph> (*load)(const Content& content, const LoadOptions& options) = nullptr;  // null: it is not read
};

// The first row that recognises the file; null: no format that is known.
const Format* format_of(const Content& content);
// Precondition: the format is not read.
Error refusal(const Format& format);
// The file of a model that `path` names: itself, or of a SavedModel's folder saved_model.pb. Errors: as map_file; a folder of another kind.
Result<Source> open_model(const std::string& path, const FileOptions& how);
// The refusal of a folder, told by the names of what lies in it. Nothing when it is none that is known, or no folder.
std::optional<Error> refuse_known_folder(const std::string& path);

}  // namespace tern
