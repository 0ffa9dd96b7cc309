// What a stranger does with an HDF5 file: everything, once. And files whose checksums are made right again after they were changed, so that what
// lies behind the checksums is reached.
//   file[n] ^= 1;  walk(repaired(file));
#pragma once
#include <cstring>
#include <string>

#include "loaders/hdf5/checksums.h"
#include "loaders/hdf5/hdf5.h"

namespace tern::test {

inline std::span<const std::byte> bytes_of(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

// Reads all objects of a file with all their attributes and elements; the first error, if there was one. `tell` is called with every message.
template <class Tell>
inline Status walk_hdf5(std::span<const std::byte> bytes, int64_t budget, Tell tell) {
  Status first;
  const auto note = [&](const auto& result) {
    if (result.ok()) return;
    tell(result.error().message());
    if (first.ok()) first = result.error();
  };
  auto file = hdf5::File::open(Source{bytes, nullptr, {}, {}}, budget);
  note(file);
  if (!file) return first;
  for (hdf5::File::Id id = 0; id < file->objects(); ++id) {
    auto names = file->attribute_names(id);
    note(names);
    for (size_t i = 0; names && i < names->size() && i < 20; ++i) {
      note(file->texts(id, (*names)[i]));
      note(file->number(id, (*names)[i]));
    }
    if (file->kind(id) != hdf5::File::Kind::dataset) continue;
    note(file->describe(id));
    auto tensor = file->read(id);
    note(tensor);
    if (tensor && tensor->dtype_name == "string") note(file->strings(id));
    if (tensor) note(checksum(*tensor, budget));
  }
  return first;
}

inline Status walk_hdf5(const std::string& file, int64_t budget = 1 << 20) {
  return walk_hdf5(bytes_of(file), budget, [](const std::string&) {});
}

// Puts the right checksum where a message says that one is wrong, until none says so; at most `most` times.
inline std::string repaired(std::string file, int most = 8) {
  constexpr std::string_view kAt = " at byte ", kOf = " of ", kCorrupt = " bytes is corrupt: its checksum does not match";
  const auto number_behind = [](const std::string& s, size_t at) { return std::strtoull(s.c_str() + at, nullptr, 10); };
  bool again = true;
  while (again && most-- > 0) {
    std::string changed = file;
    again = false;
    (void)walk_hdf5(bytes_of(file), 1 << 20, [&](const std::string& message) {
      const size_t end = message.find(kCorrupt), at = message.rfind(kAt, end), of = message.rfind(kOf, end);
      if (end == message.npos || at == message.npos || of == message.npos) return;
      const size_t begin = number_behind(message, at + kAt.size()), size = number_behind(message, of + kOf.size());
      if (begin > changed.size() || size > changed.size() - begin || size < 4) return;
      const std::string body = changed.substr(begin, size - 4);
      if (body.starts_with("FHDB")) return;  // its sum stands elsewhere
      const uint32_t sum = hdf5::lookup3(bytes_of(body));
      std::memcpy(changed.data() + begin + body.size(), &sum, 4);
      again = true;
    });
    file = std::move(changed);
  }
  return file;
}

}  // namespace tern::test
