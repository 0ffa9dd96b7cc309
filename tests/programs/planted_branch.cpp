// A kernel with a planted branch on its data, counted like run(): tests/contracts/instructions.sh must see different counts.
#include <valgrind/callgrind.h>

#include <cstring>

int main(int argc, char** argv) {
  volatile float x[64];
  for (int i = 0; i < 64; ++i) x[i] = argc > 1 && !std::strcmp(argv[1], "random") ? static_cast<float>(i % 7) - 3 : 0;
  volatile float sum = 0;
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  for (int i = 0; i < 64; ++i) {
    if (x[i] > 0) sum = sum + x[i];
  }
  CALLGRIND_STOP_INSTRUMENTATION;
  return 0;
}
