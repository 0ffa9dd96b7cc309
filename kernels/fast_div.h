// Division by a number that is known when a launch is planned: kernels find their place in a shape with it. A device divides 32-bit numbers in
// some twenty instructions and 64-bit ones in a hundred; FastDiv takes three. Where a number may be 2^31 or more, WideDiv is the plain division
// behind the same names: kernels are templates on which of them, and whoever launches chooses.
//   Source    Granlund and Montgomery 1994: with 2^(s-1) < d <= 2^s and m = ceil(2^(31+s) / d), n / d = floor(n m / 2^(31+s)) for n < 2^31.
// Next: movement/copy.h.
#pragma once
#include <stdint.h>

#include "runtime/base/host_device.h"

namespace tern {

// Precondition: 0 < d < 2^31, n < 2^31.
struct FastDiv {
  using Int = uint32_t;
  uint32_t d = 1, m = 1u << 31, shift = 31;

  FastDiv() = default;
  explicit FastDiv(int64_t by) : d(static_cast<uint32_t>(by)) {
    int s = 0;
    while ((uint64_t(1) << s) < d) ++s;
    shift = static_cast<uint32_t>(31 + s);
    m = static_cast<uint32_t>(((uint64_t(1) << shift) + d - 1) / d);
  }
  TERN_HD uint32_t quotient(uint32_t n) const { return static_cast<uint32_t>((static_cast<uint64_t>(n) * m) >> shift); }
};

// Precondition: 0 < d.
struct WideDiv {
  using Int = int64_t;
  int64_t d = 1;

  WideDiv() = default;
  explicit WideDiv(int64_t by) : d(by) {}
  TERN_HD int64_t quotient(int64_t n) const { return n / d; }
};

// Takes the last coordinate off a row-major position: returns n % div, and n becomes n / div.
template <class Div>
TERN_HD inline typename Div::Int take_last(typename Div::Int& n, const Div& div) {
  const typename Div::Int q = div.quotient(n), r = n - q * div.d;
  n = q;
  return r;
}

constexpr int64_t kFastDivMost = INT64_C(1) << 31;  // numbers below it

}  // namespace tern
