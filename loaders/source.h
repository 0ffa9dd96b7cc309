// Source: the bytes of a file, and who keeps them. Loaders that alias them (weights are not copied again) hold on to `owner`.
// Next: load.cpp.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "tern/tern.h"

namespace tern {

// How files are opened: LoadOptions, as far as they say.
struct FileOptions {
  bool map = false;                       // in place; otherwise a copy is made, which nobody can change
  bool follow_links = false;              // of files that another one names
  int64_t budget = LoadOptions().budget;  // most bytes of holes in a file that is copied
};
inline FileOptions file_options(const LoadOptions& o) { return {o.map_files, o.follow_links, o.budget}; }

struct Source {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // null: the bytes may go away after loading, so what is kept of them is copied
  std::string directory;              // where files that the model names may lie; empty for none
  std::string path;                   // as the caller wrote it; empty for bytes
  FileOptions how = {};               // of files that it names
  bool once = false;                  // a mapping that nobody loads again: what was inflated of it may go

  // A part of the same file.
  Source part(std::span<const std::byte> piece) const { return {piece, owner, directory, path, how}; }
};

// Opens a file, read only. Errors: missing, a directory, not a regular file, changed while it was read (invalid); mostly holes (unsupported).
// An empty file gives no bytes. What is copied can be written until load_graph() has read it: ONNX weights are put right where they lie.
Result<Source> map_file(const std::string& path, const FileOptions& how = {});
// A file beneath a folder, through no link ('/' between components; open_file.h). Precondition: no ".." among them.
Result<Source> map_beneath(const std::string& directory, const std::string& name, const FileOptions& how);
// A file that another one names, in the same directory and no link to elsewhere (open_file.h). Errors also: a name that is more than a name.
Result<Source> map_sibling(const Source& of, const std::string& name);

}  // namespace tern
