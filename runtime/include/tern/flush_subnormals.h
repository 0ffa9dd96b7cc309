// FlushSubnormals: while it lives, this thread rounds to nearest, traps nothing, and treats subnormals as zero, read or computed, as the numbers
// contract says; then the caller's mode returns. run() makes one. A thread that already is in that mode is left as it is (its sticky exception flags
// too), so one around a stretch of calls saves each of them setting and restoring it, about 9 ns on Zen 4:
//   tern::FlushSubnormals stretch;                                   // results are the same with and without
//   while (auto event = next()) { fill(x, *event); session.run(); }  // what else the thread computes here flushes subnormals, too
// To be destroyed by the thread that made it, and after those that it made later. With its own workers a session sets theirs itself.
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
  // The mode of this thread before it begins to flush, and back: for who cannot hold an object (tern_c.h).
  static uint64_t begin() noexcept {
    const Mode was = mode();
    if (!flushes(was)) set_mode(flushing(was));
    return was;
  }
  static void end(uint64_t was) noexcept {
    if (!flushes(static_cast<Mode>(was))) set_mode(static_cast<Mode>(was));
  }
  FlushSubnormals() noexcept : saved_(begin()) {}
  ~FlushSubnormals() { end(saved_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__x86_64__)
  using Mode = uint32_t;
  static Mode mode() { return _mm_getcsr(); }
  static void set_mode(Mode mode) { _mm_setcsr(mode); }
  // Rounding cleared; all masked, FTZ, DAZ. The sticky flags stay as they are: to write others cost 73 ns a call on Sapphire Rapids.
  static Mode flushing(Mode mode) { return (mode & ~0x6000u) | 0x9fc0u; }
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
  static bool flushes(Mode mode) { return mode == flushing(mode); }

  uint64_t saved_;
};

}  // namespace tern
