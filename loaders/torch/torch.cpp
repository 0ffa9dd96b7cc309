// See torch.h.
#include "loaders/torch/torch.h"

#include "loaders/torch/export/export.h"
#include "loaders/torch/weights_file.h"

namespace tern::torch {

bool looks_like_torch(const Source& source) { return WeightsFile::recognises(source); }  // .pt2 is a ZIP archive too

Result<Graph> load_torch(const Source& source, const LoadOptions& options) {
  if (looks_like_export(source)) return load_export(source, options);
  auto file = WeightsFile::open(source);
  if (!file) return file.error();
  auto module = file->module(options.key);
  if (!module) return module.error();
  return unsupported(how_to_give_an_architecture());
}

}  // namespace tern::torch
