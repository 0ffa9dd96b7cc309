// Runs a model on inputs of four kinds; callgrind writes the instructions of each Session::run() to a file of its own, in order.
// tests/contracts/instructions.sh compares them. Usage: count_instructions MODEL [N for every symbolic dimension]; prints "MODEL KIND" a run.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

#include "tern/tern.h"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  auto model = tern::load(argv[1]);
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message().c_str()), 3;
  tern::SessionOptions options;
  for (const tern::Port& port : model->inputs()) {
    for (const std::string& dim : port.shape) {
      if (dim.find_first_not_of("0123456789") != std::string::npos) options.dims[dim] = argc > 2 ? std::atoll(argv[2]) : 1;
    }
  }
  auto session = model->session(options);
  if (!session) return std::fprintf(stderr, "%s\n", session.error().message().c_str()), 4;
  session->run();                   // lazily bound symbols are bound now
  CALLGRIND_START_INSTRUMENTATION;  // once: each start and stop throws away all that valgrind has translated
  for (const char* kind : {"zeros", "random", "subnormals", "nan"}) {
    std::mt19937 engine(1);
    for (const tern::Port& port : session->inputs()) {
      for (float& x : session->input<float>(port.name)) {
        x = 0;
        if (!std::strcmp(kind, "random")) x = static_cast<float>(engine()) / 2147483648.0f - 1;
        if (!std::strcmp(kind, "subnormals")) x = std::numeric_limits<float>::denorm_min() * static_cast<float>(engine() % 1000);
        if (!std::strcmp(kind, "nan")) x = std::numeric_limits<float>::quiet_NaN();
      }
      for (int64_t& id : session->input<int64_t>(port.name)) id = std::strcmp(kind, "random") ? 0 : static_cast<int64_t>(engine() % 50);
    }
    CALLGRIND_ZERO_STATS;
    session->run();
    CALLGRIND_DUMP_STATS_AT(kind);
    std::printf("%s %s\n", argv[1], kind);
  }
  return 0;
}
