// Formats that are known and not read: told by their content, refused by their name, with the remedy. Next: formats.cpp, the rows.
#pragma once
#include <optional>
#include <string>

#include "loaders/source.h"

namespace tern {

// Nothing when the bytes are of none of them. Code kUnsupported, or kInvalid for what is no model at all (a web page).
std::optional<Error> refuse_known_format(const Source& source);
// The same for a folder, told by the names of what lies in it. Nothing when it is none that is known, or no folder.
std::optional<Error> refuse_known_folder(const std::string& path);

}  // namespace tern
