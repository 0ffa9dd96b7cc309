// Fuzzes ONNX from the file to the answers: bytes that begin as a model does are one, all others are the decisions of a random model. What
// loads is inspected, planned, run and evaluated; plan and evaluator must agree, to the bit. See fuzz.sh.
#include <cstdio>
#include <cstdlib>

#include "tests/support/exercise.h"
#include "tests/support/random_model.h"

using namespace tern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  test::Choices choices({data, size});
  const std::string file = size > 0 && data[0] == 0x08 ? std::string(reinterpret_cast<const char*>(data), size) : test::random_model(choices);
  const test::Exercise e = test::exercise(test::bytes(file));
  if (e.fault.empty()) return 0;
  std::fprintf(stderr, "%s\n", e.fault.c_str());
  std::abort();
}
