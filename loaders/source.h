// Source: the bytes of a file, and who keeps them. Loaders that alias them (weights are mapped, not copied) hold on to `owner`.
// Next: load.cpp.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "tern/status.h"

namespace tern {

struct Source {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // null: the bytes may go away after loading, so what is kept of them is copied
  std::string directory;              // where files that the model names may lie; empty for none
  std::string path;                   // as the caller wrote it; empty for bytes

  // A part of the same file.
  Source part(std::span<const std::byte> piece) const { return {piece, owner, directory, path}; }
};

// Maps a file, read only. Errors: missing, a directory, not a regular file (invalid). An empty file gives no bytes.
Result<Source> map_file(const std::string& path);
// A file that another one names, in the same directory and no link to elsewhere. Errors also: a name that is more than a name.
Result<Source> map_sibling(const Source& of, const std::string& name);
// Tells the system that the pages of a mapping are not needed soon: they leave the process and come back when they are read. Only for
// bytes of map_file: other memory would lose its contents.
void release_pages(std::span<const std::byte> bytes);

}  // namespace tern
