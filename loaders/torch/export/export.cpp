// See export.h.
#include "loaders/torch/export/export.h"

#include "loaders/torch/export/archive.h"
#include "loaders/torch/export/program.h"

namespace tern::torch {

bool looks_like_export(const Content& content) { return content.zip && looks_like_export(*content.zip); }

Result<Graph> load_export(const Content& content, const LoadOptions& options) {
  auto archive = open_export(content.source, *content.zip, options.key);
  if (!archive) return archive.error();
  return build_program(archive->program, archive->tensors, options);
}

}  // namespace tern::torch
