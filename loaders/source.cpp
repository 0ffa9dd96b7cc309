// See source.h.
#include "loaders/source.h"

#include "loaders/file_parts.h"
#include "loaders/wire/wire.h"
#include "loaders/zip/zip.h"
#include "runtime/base/mapping.h"
#include "runtime/base/tensor.h"

namespace tern {
namespace {

// How many bytes behind an aligned address a file begins, so that the first large weights in it lie at one: they are read in place, and a row of an
// embedding is whole cache lines. A guess; of an ONNX file graph.initializer.raw_data.
size_t shift_of(const OpenFile& file) {
  constexpr uint32_t kWeights[] = {7, 5, 9};
  if (const size_t shift = aligning_shift(file.fd()); shift != 0) return shift;
  const auto begin = wire::first_payload(file.fd(), file.size(), kWeights, static_cast<int64_t>(kWorthMapping));
  return begin ? (kAlignment - static_cast<size_t>(*begin) % kAlignment) % kAlignment : 0;
}

Result<std::shared_ptr<const std::byte>> bytes_of(const OpenFile& file, const FileOptions& how) {
  const auto size = static_cast<size_t>(file.size());
  if (how.map) return map_in_place(file.fd(), size);
  const auto holes = check_holes(file, how.budget);
  if (!holes) return holes.error();
  const size_t shift = shift_of(file);
  auto copy = map_memory(size + shift, *holes == 0);
  if (!copy) return copy.error();
  Extent known{0, *holes == 0 ? file.size() : 0};
  if (Status s = read_into(file.fd(), 0, copy->get() + shift, size, &known); !s) return s.error();
  if (file.changed()) return invalid("changed while it was read; load it again when it is whole");
  return std::shared_ptr<const std::byte>(*copy, copy->get() + shift);
}

Result<Source> read(const OpenFile& file, const std::string& path, const FileOptions& how) {
  const size_t slash = path.rfind('/');
  Source source{{}, nullptr, slash == std::string::npos ? "." : path.substr(0, slash + 1), path, how};
  if (file.size() == 0) return source;
  auto bytes = bytes_of(file, how);
  if (!bytes) return bytes.error().within(path);
  source.bytes = {bytes->get(), static_cast<size_t>(file.size())};
  source.owner = std::move(*bytes);
  return source;
}

}  // namespace

Result<Source> map_file(const std::string& path, const FileOptions& how) {
  auto file = open_file(path);
  if (!file) return file.error().within(path);
  return read(*file, path, how);
}

Result<Source> map_beneath(const std::string& directory, const std::string& name, const FileOptions& how) {
  const std::string path = directory + (directory.ends_with('/') ? "" : "/") + name;
  auto file = open_beneath(directory, name, how.follow_links);
  if (!file) return file.error().within(path);
  auto source = read(*file, path, how);
  if (source) protect(source->owner);
  return source;
}

Result<Source> map_sibling(const Source& of, const std::string& name) {
  if (of.directory.empty()) return invalid("it names the file " + name + ", and was loaded from memory; name the folder in LoadOptions::directory");
  if (name.empty() || name == "." || name == ".." || name.find_first_of(std::string_view("/\\\0", 3)) != name.npos) {
    return invalid("it names the file '" + name + "', which is no plain file name");
  }
  return map_beneath(of.directory, name, of.how);
}

}  // namespace tern
