// Division by multiplication: equal to plain division for every pair of numbers below 2^31 that is tried.
#include "kernels/fast_div.h"

#include <doctest/doctest.h>

#include <random>

using namespace tern;

namespace in_fast_div {
namespace {

bool divides(int64_t n, int64_t d) {
  const FastDiv fast(d);
  const WideDiv wide(d);
  auto a = static_cast<uint32_t>(n);
  int64_t b = n;
  const int64_t fast_rest = take_last(a, fast), wide_rest = take_last(b, wide);
  return a == n / d && fast_rest == n % d && b == n / d && wide_rest == n % d;
}

}  // namespace

TEST_CASE("fast_div: quotients and remainders are those of division, up to 2^31 - 1") {
  constexpr int64_t kMost = (int64_t(1) << 31) - 1;
  int64_t wrong = 0;
  for (int64_t d = 1; d < 3000; ++d) {
    for (int64_t n = 0; n < 3000; n += 7) wrong += !divides(n, d);
    for (int64_t k : {int64_t(1), kMost / d / 2, kMost / d}) {  // the multiples are where a quotient changes
      for (int64_t n : {k * d - 1, k * d, std::min(k * d + 1, kMost)}) wrong += !divides(n, d);
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    const int64_t d = std::max<int64_t>(1, random() >> (1 + random() % 31)), k = (random() >> 1) / d;
    for (int64_t n : {k * d, std::min(k * d + d - 1, kMost), int64_t(random() >> 1), kMost}) wrong += !divides(n, d);
  }
  for (int bit = 0; bit < 31; ++bit) {
    for (int64_t d : {int64_t(1) << bit, (int64_t(1) << bit) + 1, kMost - bit}) wrong += !divides(kMost, d) + !divides(kMost - 1, d);
  }
  CHECK(wrong == 0);
}

}  // namespace in_fast_div
