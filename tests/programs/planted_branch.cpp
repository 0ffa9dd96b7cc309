// A kernel with a planted branch on its data, counted like run(): tests/contracts/instructions.sh must see different counts.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstring>
#include <initializer_list>

int main() {
  volatile float x[64];
  volatile float sum = 0;
  CALLGRIND_START_INSTRUMENTATION;
  for (const char* kind : {"zeros", "random", "subnormals", "nan"}) {
    for (int i = 0; i < 64; ++i) x[i] = !std::strcmp(kind, "random") ? static_cast<float>(i % 7) - 3 : 0;
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < 64; ++i) {
      if (x[i] > 0) sum = sum + x[i];
    }
    CALLGRIND_DUMP_STATS_AT(kind);
    std::printf("planted %s\n", kind);
  }
  return 0;
}
