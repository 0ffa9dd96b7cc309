// Fuzzes the reader of architecture files, and prints what it read and reads that again. (That the print stays the same is only so for trees
// like torch's, see tests/loaders/torch_arch.cpp: arguments that are no literals keep their text, line breaks and all.) See fuzz.sh.
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
  auto again = torch::parse_architecture(torch::print(*parsed->root), "again.txt");
  if (again && again->root) torch::print(*again->root);
  return 0;
}
