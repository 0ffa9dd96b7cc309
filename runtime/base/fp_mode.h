// FlushSubnormals: while it lives, the CPU treats subnormals as zero (FTZ and DAZ), as the numbers contract says;
// then the caller's mode returns. About 5 ns. Next: kernels/op.h.
#pragma once
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace tern {

class FlushSubnormals {
 public:
#if defined(__x86_64__)
  FlushSubnormals() noexcept : saved_(_mm_getcsr()) { _mm_setcsr((saved_ & ~0x3fu & ~0x6000u) | 0x1f80u | 0x8040u); }
  ~FlushSubnormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;  // rounding mode, exception masks and flags of the caller; inside: nearest, all masked, FTZ, DAZ
#else
  FlushSubnormals() noexcept = default;
#endif
 public:
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;
};

}  // namespace tern
