// A register tile of multiply-adds that touches no memory, so that its rate depends on the core alone: the machine's limit, and the canary of a
// measurement, whose rate below the machine's usual one says that something else runs here, or the clock is low. And reads of memory. See limits.h.
#include "tools/tern/limits.h"

#include <algorithm>
#include <memory>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tern::command {
namespace {

constexpr int kSteps = 2000;

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

int64_t plain_sum(const int64_t* p, int64_t n) {
  int64_t sums[4] = {0, 0, 0, 0};
  for (int64_t i = 0; i < n; i += 4) {
    for (int64_t k = 0; k < 4; ++k) sums[k] += p[i + k];
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

#if defined(__x86_64__)
// 6 x 2 vectors, as a microkernel of a product has: enough chains to hide the latency of FMA.
__attribute__((target("avx2,fma"))) float tile_avx2(float seed) {
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
__attribute__((target("avx512f"))) float tile_avx512(float seed) {
  __m512 c[12];
  for (auto& v : c) v = _mm512_set1_ps(seed);
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) c[k] = _mm512_fmadd_ps(c[k], a, b);
  }
  for (int k = 1; k < 12; ++k) c[0] = _mm512_add_ps(c[0], c[k]);
  return _mm512_cvtss_f32(c[0]);
}
__attribute__((target("avx2"))) int64_t sum_avx2(const int64_t* p, int64_t n) {
  __m256i sums[8];
  for (auto& v : sums) v = _mm256_setzero_si256();
  for (int64_t i = 0; i < n; i += 32) {
#pragma GCC unroll 8
    for (int64_t k = 0; k < 8; ++k) sums[k] = _mm256_xor_si256(sums[k], _mm256_load_si256(reinterpret_cast<const __m256i*>(p + i + 4 * k)));
  }
  for (int k = 1; k < 8; ++k) sums[0] = _mm256_xor_si256(sums[0], sums[k]);
  return _mm256_extract_epi64(sums[0], 0);
}
#endif

struct Tile {
  float (*run)(float);
  int floats;  // that each step multiplies and adds
};
Tile tile_of([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx512 && __builtin_cpu_supports("avx512f")) return {tile_avx512, 12 * 16};
  if (isa != Isa::scalar && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {tile_avx2, 12 * 8};
#endif
  return {plain, 16};
}

}  // namespace

double tile_gflops(const Clock& clock, Isa isa, double seconds) {
  const Tile tile = tile_of(isa);
  volatile float sink = 1;
  uint64_t rounds = 0;
  const uint64_t begin = clock.now(), end = begin + clock.ticks(seconds * 1e9);
  uint64_t now = begin;
  do {
    sink = tile.run(sink);
    ++rounds;
    now = clock.now();
  } while (now < end);
  return 2.0 * kSteps * tile.floats * static_cast<double>(rounds) / clock.ns(now - begin);
}

double peak_gflops(const Clock& clock, Isa isa) {
  double best = 0;
  for (int burst = 0; burst < 200; ++burst) best = std::max(best, tile_gflops(clock, isa, 1e-4));
  return best;
}

double read_gbytes(const Clock& clock, int64_t bytes) {
  constexpr int64_t kLeast = 4096, kMost = int64_t(256) << 20;  // below, a pass is as short as what times it
  constexpr double kPassesNs = 5e7, kPassNs = 2e4;
  bytes = std::clamp(bytes, kLeast, kMost) / 256 * 256;
  auto* sum = plain_sum;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) sum = sum_avx2;
#endif
  const int64_t n = bytes / 8;
  struct alignas(64) Line {
    int64_t words[8];
  };
  const std::unique_ptr<Line[]> lines(new Line[static_cast<size_t>(n / 8)]);
  for (int64_t i = 0; i < n / 8; ++i) std::fill_n(lines[static_cast<size_t>(i)].words, 8, i);
  volatile int64_t sink = sum(lines[0].words, n);
  double best = 0;
  const uint64_t end = clock.now() + clock.ticks(kPassesNs);
  for (int pass = 0; pass < 3 || clock.now() < end; ++pass) {
    int64_t read = 0;
    const uint64_t begin = clock.now();
    do {
      sink = sink ^ sum(lines[0].words, n);
      read += bytes;
    } while (clock.ns(clock.now() - begin) < kPassNs);
    best = std::max(best, static_cast<double>(read) / clock.ns(clock.now() - begin));
  }
  return best;
}

}  // namespace tern::command
