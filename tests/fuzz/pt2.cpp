// Fuzzes programs of torch.export: the JSON of one (built without weights), or a whole .pt2 archive. See fuzz.sh.
#include "loaders/torch/export/export.h"
#include "loaders/torch/export/program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with("PK")) {
    const tern::Source source{std::as_bytes(std::span(data, size)), nullptr, {}, {}};
    if (tern::torch::looks_like_export(source)) (void)tern::torch::load_export(source, {});
  } else {
    (void)tern::torch::build_program(text, {}, {});
  }
  return 0;
}
