// Fuzzes the interpreter of pasted forwards: the input is an architecture file (with "forward" lines, or the body of one for a small tree),
// made into a graph without weights and for an input of known shape. See fuzz.sh.
#include <cstdlib>
#include <string>

#include "loaders/torch/arch/parse.h"
#include "loaders/torch/nn/assemble.h"
#include "loaders/torch/nn/layers.h"

using namespace tern;
using namespace tern::torch;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find("(") == text.npos || text.find("forward") == text.npos) {
    text = "Net(\n  (act): ReLU()\n  (layers): ModuleList(\n    (0): Tanh()\n  )\n)\ndef forward(self, x):\n    " + text + "\n    return x\n";
  }
  auto parsed = parse_architecture(text, "net.txt");
  if (!parsed || !parsed->root || !complete(*parsed->root).ok()) return 0;
  LoadOptions options;
  options.inputs.push_back({"x", DType::f32, {"2", "3"}});
  auto graph = assemble(*parsed->root, parsed->program.get(), {}, options, "fuzz");
  if (!graph && (graph.error().message().empty() || graph.error().message().find('\n') != std::string::npos)) std::abort();
  return 0;
}
