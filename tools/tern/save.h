// Files that the command writes: whole or not at all, and never over anything but a regular file. Next: save.cpp.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace tern::command {

// A file that appears under its path when it is whole. Until then it has no name (or, where the file system cannot do that, a name of its
// own beside the path, removed on every error), so that a process that is killed leaves nothing half done.
class NewFile {
 public:
  // Errors: the path is a link, a folder, a device or write-protected; its folder cannot be written (invalid), naming the path.
  static Result<NewFile> at(const std::string& path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  // Errors: a full disk (invalid).
  Status write(std::span<const std::byte> bytes);
  // Puts it there, in place of a regular file that may be.
  Status publish();

 private:
  explicit NewFile(std::string path) : path_(std::move(path)) {}
  std::string path_, name_;  // name_: of the file until it is published; empty: it has none
  int descriptor_ = -1;
};

Status write_file(const std::string& path, std::string_view bytes);

// File names for things of these names, all different, also where upper and lower case are one: "probabilities.npy". A name that is none of a
// file loses its strange characters ("a/b": "a_b.npy"), and has a number where another has that one ("a_b-2.npy").
std::vector<std::string> file_names(const std::vector<std::string>& names, std::string_view extension);

}  // namespace tern::command
