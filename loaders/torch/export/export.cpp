// See export.h.
#include "loaders/torch/export/export.h"

#include "loaders/torch/export/archive.h"
#include "loaders/torch/export/program.h"
#include "runtime/base/mapping.h"

namespace tern::torch {
namespace {

constexpr std::string_view kZip = "PK\x03\x04";

Result<ZipArchive> open_zip(const Source& source) {
  return ZipArchive::open(source.bytes, {.mapped = is_mapped(source.owner), .zero_crc_unset = true});
}

}  // namespace

bool looks_like_export(const Source& source) {
  const std::string_view bytes(reinterpret_cast<const char*>(source.bytes.data()), source.bytes.size());
  if (!bytes.starts_with(kZip)) return false;
  auto zip = open_zip(source);
  return zip && looks_like_export(*zip);
}

Result<Graph> load_export(const Source& source, const LoadOptions& options) {
  auto zip = open_zip(source);
  if (!zip) return zip.error();
  auto archive = open_export(source, *zip, options.key);
  if (!archive) return archive.error();
  return build_program(archive->program, archive->tensors, options);
}

}  // namespace tern::torch
