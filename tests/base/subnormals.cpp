// Subnormals are found wherever they lie, and nothing else is taken for one. Code: runtime/base/subnormals.cpp.
#include "runtime/base/subnormals.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace tern::test::in_subnormals {
namespace {

template <class T>
std::span<const std::byte> bytes(const std::vector<T>& v) {
  return std::as_bytes(std::span(v));
}

template <class T>
void check_every_place(DType dtype) {
  using Limits = std::numeric_limits<T>;
  const T least = Limits::denorm_min(), most = std::nextafter(Limits::min(), T(0));
  for (const T x : {T(0), Limits::min(), T(1), Limits::max(), Limits::infinity(), Limits::quiet_NaN(), least, T(3) * least, most}) {
    for (const T sign : {T(1), T(-1)}) {
      const T value = std::copysign(x, sign);
      CAPTURE(value);
      const bool subnormal = std::fpclassify(value) == FP_SUBNORMAL;
      int wrong = 0;
      for (size_t n = 1; n < 70; ++n) {
        for (size_t at = 0; at < n; ++at) {
          std::vector<T> v(n, T(2));
          v[at] = value;
          wrong += any_subnormal(dtype, bytes(v)) != subnormal;
        }
      }
      CHECK(wrong == 0);
    }
  }
}

}  // namespace

TEST_CASE("subnormals: found at every place of every length, of both signs; zeros, normal numbers, infinities and NaN are none") {
  check_every_place<float>(DType::f32);
  check_every_place<double>(DType::f64);
}

TEST_CASE("subnormals: bytes need no alignment, a part of an element at the end is not looked at, and other dtypes have none") {
  std::vector<std::byte> all(4 * 40 + 3);
  const float one = 1, tiny = 1e-40f;
  for (size_t from = 0; from < 4; ++from) {
    for (size_t i = 0; from + 4 * i + 4 <= all.size(); ++i) std::memcpy(all.data() + from + 4 * i, &one, 4);
    std::memcpy(all.data() + from + 4 * 38, &tiny, 4);
    const std::span<const std::byte> elements(all.data() + from, 4 * 39);
    CHECK(any_subnormal(DType::f32, elements));
    CHECK(!any_subnormal(DType::f32, elements.first(4 * 38)));
    CHECK(!any_subnormal(DType::f32, elements.first(4 * 38 + 3)));
    CHECK(!any_subnormal(DType::f16, elements));
    CHECK(!any_subnormal(DType::i32, elements));
  }
  CHECK(!any_subnormal(DType::f32, {}));
}

}  // namespace tern::test::in_subnormals
