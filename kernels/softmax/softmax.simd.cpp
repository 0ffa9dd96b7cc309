// The softmax kernel: three passes over a row that stays in L1 (maximum, exponentials and their sum, division).
#include "kernels/softmax/softmax.h"

#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

void softmax_row(const float* x, float* y, int64_t cols) {
  f32x16 top = splat(-__builtin_inff());
  const int64_t whole = cols & ~int64_t(15), tail = cols - whole;
  for (int64_t c = 0; c < whole; c += 16) top = max_nan(load(x + c), top);
  const f32x16 rest = select(lanes_below(tail), load_n(x + whole, tail), splat(-__builtin_inff()));
  const f32x16 m = splat(reduce_max_nan(max_nan(rest, top)));

  f32x16 sum = zero();
  for (int64_t c = 0; c < whole; c += 16) {
    const f32x16 e = exp(load(x + c) - m);
    store(y + c, e);
    sum = sum + e;
  }
  const f32x16 e = select(lanes_below(tail), exp(rest - m), zero());
  store_n(y + whole, e, tail);
  const f32x16 total = splat(reduce_add(sum + e));

  for (int64_t c = 0; c < whole; c += 16) store(y + c, load(y + c) / total);
  store_n(y + whole, load_n(y + whole, tail) / total, tail);
}

}  // namespace

void softmax_f32(const SoftmaxArgs& a) {
  for (int64_t r = 0; r < a.rows; ++r) softmax_row(a.x + r * a.cols, a.y + r * a.cols, a.cols);
}

}  // namespace tern::TERN_ISA
