// Names from a file, as error messages show them: short, printable, quoted. Next: onnx.h.
#pragma once
#include <string>
#include <string_view>

#include "runtime/base/printable.h"

namespace tern::onnx {

// 'conv1': what is not printable is spelt out, long names are abridged.
inline std::string quoted(std::string_view name) { return "'" + printable(name, 80) + "'"; }

}  // namespace tern::onnx
