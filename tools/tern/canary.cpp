// The canary: a register tile of multiply-adds that touches no memory, so that its rate depends on the core alone.
// A rate below the machine's usual one says: something else runs here, or the clock is low. See bench.h.
#include "tools/tern/clock.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tern::command {
namespace {

constexpr int kSteps = 2000;

#if defined(__x86_64__)
// 6 x 2 vectors of 8, as a microkernel of a product has: enough chains to hide the latency of FMA.
__attribute__((target("avx2,fma"))) float tile(float seed) {
  __m256 c[12];
  for (auto& v : c) v = _mm256_set1_ps(seed);
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) c[k] = _mm256_fmadd_ps(c[k], a, b);
  }
  for (int k = 1; k < 12; ++k) c[0] = _mm256_add_ps(c[0], c[k]);
  return _mm256_cvtss_f32(c[0]);
}
bool has_tile() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#else
float tile(float) { return 0; }
bool has_tile() { return false; }
#endif

float plain(float seed) {
  float c[16];
  for (auto& v : c) v = seed;
  for (int i = 0; i < kSteps; ++i) {
    for (float& v : c) v = v * 0.999f + 1e-3f;
  }
  float sum = 0;
  for (float v : c) sum += v;
  return sum;
}

}  // namespace

double canary_gflops(const Clock& clock, double seconds) {
  const double flops = 2.0 * kSteps * (has_tile() ? 12 * 8 : 16);
  volatile float sink = 1;
  uint64_t rounds = 0;
  const uint64_t begin = clock.now(), end = begin + clock.ticks(seconds * 1e9);
  uint64_t now = begin;
  do {
    sink = has_tile() ? tile(sink) : plain(sink);
    ++rounds;
    now = clock.now();
  } while (now < end);
  return flops * static_cast<double>(rounds) / clock.ns(now - begin);
}

}  // namespace tern::command
