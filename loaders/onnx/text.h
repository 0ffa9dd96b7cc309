// Names from a file, as error messages show them: short, printable, quoted. Next: onnx.h.
#pragma once
#include <string>
#include <string_view>

namespace tern::onnx {

// 'conv1': control characters become '?', long names are abridged.
inline std::string quoted(std::string_view name) {
  constexpr size_t kMost = 80;
  std::string s = "'";
  for (char c : name.substr(0, kMost)) s += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  return s + (name.size() > kMost ? "...'" : "'");
}

}  // namespace tern::onnx
