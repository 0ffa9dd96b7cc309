// Fuzzes the reader of architecture files: whatever parses prints as a tree that parses again to the same print. See fuzz.sh.
#include <cstdlib>

#include "loaders/torch/arch/parse.h"

using namespace tern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto parsed = torch::parse_architecture(std::string_view(reinterpret_cast<const char*>(data), size), "net.txt");
  if (!parsed) {
    if (parsed.error().message().empty() || parsed.error().message().find('\n') != std::string::npos) std::abort();
    return 0;
  }
  if (!parsed->root) return 0;
  const std::string text = torch::print(*parsed->root);
  auto again = torch::parse_architecture(text, "again.txt");
  if (!again || !again->root || torch::print(*again->root) != text) std::abort();
  return 0;
}
