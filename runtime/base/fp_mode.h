// FlushSubnormals: while it lives, the CPU rounds to nearest, traps nothing, and treats subnormals as zero, read or computed, as the numbers
// contract says; then the caller's mode returns. About 5 ns. Next: kernels/op.h.
// One difference is left between machines: whether a result is subnormal is told after rounding on x86, before it on AArch64, so what rounds up
// to the smallest normal number (2^-126) is that on one and 0 on the other.
#pragma once
#include <cstdint>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace tern {

class FlushSubnormals {
 public:
  FlushSubnormals() noexcept : saved_(mode()) { set_mode(flushing(saved_)); }
  ~FlushSubnormals() { set_mode(saved_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__x86_64__)
  using Mode = uint32_t;
  static Mode mode() { return _mm_getcsr(); }
  static void set_mode(Mode mode) { _mm_setcsr(mode); }
  static Mode flushing(Mode mode) { return (mode & ~0x603fu) | 0x9fc0u; }  // flags and rounding cleared; all masked, FTZ, DAZ
#elif defined(__aarch64__)
  using Mode = uint64_t;
  static Mode mode() {
    Mode mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void set_mode(Mode mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
  static Mode flushing(Mode mode) { return (mode & ~Mode(0x2c09f00)) | Mode(0x1000000); }  // rounding, default NaN and traps cleared; FZ
#else
  using Mode = uint32_t;
  static Mode mode() { return 0; }
  static void set_mode(Mode) {}
  static Mode flushing(Mode mode) { return mode; }
#endif
  Mode saved_;
};

}  // namespace tern
