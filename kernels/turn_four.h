// Four rows of four floats as four columns: what packing and the ways between layouts are made of. In an unnamed namespace, and without a header of the
// C++ library: each ISA has its own. Written out: gcc keeps loops over so little, and what they hold in memory.
#pragma once
#include <stdint.h>

namespace tern {
namespace {

typedef float Four __attribute__((vector_size(16)));
[[gnu::always_inline]] inline Four load_four(const float* p) {
  Four v;
  __builtin_memcpy(&v, p, 16);
  return v;
}
[[gnu::always_inline]] inline void store_four(float* p, Four v) { __builtin_memcpy(p, &v, 16); }

struct FourRows {
  Four row[4];
};
[[gnu::always_inline]] inline FourRows load_four_rows(const float* x, int64_t x_step) {
  return {{load_four(x), load_four(x + x_step), load_four(x + 2 * x_step), load_four(x + 3 * x_step)}};
}
// Row c of what it gives is column c.
[[gnu::always_inline]] inline FourRows turned(const FourRows& x) {
  const Four a = x.row[0], b = x.row[1], c = x.row[2], d = x.row[3];
  const Four ac = __builtin_shufflevector(a, c, 0, 4, 1, 5), ac2 = __builtin_shufflevector(a, c, 2, 6, 3, 7);
  const Four bd = __builtin_shufflevector(b, d, 0, 4, 1, 5), bd2 = __builtin_shufflevector(b, d, 2, 6, 3, 7);
  return {{__builtin_shufflevector(ac, bd, 0, 4, 1, 5), __builtin_shufflevector(ac, bd, 2, 6, 3, 7), __builtin_shufflevector(ac2, bd2, 0, 4, 1, 5),
           __builtin_shufflevector(ac2, bd2, 2, 6, 3, 7)}};
}
// y[c * y_step + r] = x[r * x_step + c].
[[gnu::always_inline]] inline void turn_four(const float* x, int64_t x_step, float* y, int64_t y_step) {
  const FourRows y4 = turned(load_four_rows(x, x_step));
  store_four(y, y4.row[0]);
  store_four(y + y_step, y4.row[1]);
  store_four(y + 2 * y_step, y4.row[2]);
  store_four(y + 3 * y_step, y4.row[3]);
}

}  // namespace
}  // namespace tern
