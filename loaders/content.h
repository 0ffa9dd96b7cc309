// Content: a file, and what formats are told apart by, looked at once for all of them: the directory of a ZIP archive, the packages that a
// pickle names. Next: formats.h.
#pragma once
#include <memory>
#include <string_view>

#include "loaders/source.h"
#include "loaders/zip/zip.h"

namespace tern {

// A name as programs write them: printable ASCII without spaces, not empty.
bool is_word(std::string_view s);

struct Content {
  Content(const Source& file);  // NOLINT: implicit on purpose. `file` must outlive it

  const Source& source;
  std::string_view all;
  std::string_view head;                  // where formats without a magic number are looked for
  std::shared_ptr<const ZipArchive> zip;  // of an archive that can be read
  Error damage;                           // of a file that begins as an archive does and cannot be read as one

  bool at(size_t offset, std::string_view magic) const { return all.size() >= offset && all.substr(offset).starts_with(magic); }
  bool has(std::string_view member) const { return zip && zip->find(member) != nullptr; }
  bool has_ending(std::string_view end) const;  // of a member's name

  // Packages whose classes pickles are known by.
  static constexpr std::string_view kPackages[] = {"torch", "joblib", "sklearn", "xgboost", "lightgbm", "catboost", "keras", "tensorflow"};
  // Where a bare pickle names an object of this package first, by GLOBAL's two lines or by two texts and STACK_GLOBAL; npos: nowhere.
  size_t first_of(std::string_view package) const;

 private:
  size_t first_[std::size(kPackages)];
};

}  // namespace tern
