// The unary functions of f32 on sixteen lanes, one row each. Next: unary_rows.h.
#include "kernels/elementwise/arc_lanes.h"
#include "kernels/elementwise/lanes.h"
#include "kernels/elementwise/map.h"

namespace tern::TERN_ISA {
constinit const KernelRow abs_f32 = unary_row<[](f32x16 x) { return abs(x); }>("abs/f32/" TERN_ISA_NAME);
constinit const KernelRow acos_f32 = unary_row<[](f32x16 x) { return acos(x); }>("acos/f32/" TERN_ISA_NAME);
constinit const KernelRow asin_f32 = unary_row<[](f32x16 x) { return asin(x); }>("asin/f32/" TERN_ISA_NAME);
constinit const KernelRow atan_f32 = unary_row<[](f32x16 x) { return atan(x); }>("atan/f32/" TERN_ISA_NAME);
constinit const KernelRow ceil_f32 = unary_row<[](f32x16 x) { return ceil(x); }>("ceil/f32/" TERN_ISA_NAME);
constinit const KernelRow exp_f32 = unary_row<[](f32x16 x) { return exp(x); }>("exp/f32/" TERN_ISA_NAME);
constinit const KernelRow floor_f32 = unary_row<[](f32x16 x) { return floor(x); }>("floor/f32/" TERN_ISA_NAME);
constinit const KernelRow log_f32 = unary_row<[](f32x16 x) { return log(x); }>("log/f32/" TERN_ISA_NAME);
constinit const KernelRow neg_f32 = unary_row<[](f32x16 x) { return neg(x); }>("neg/f32/" TERN_ISA_NAME);
constinit const KernelRow reciprocal_f32 = unary_row<[](f32x16 x) { return reciprocal(x); }>("reciprocal/f32/" TERN_ISA_NAME);
constinit const KernelRow round_f32 = unary_row<[](f32x16 x) { return round_even(x); }>("round/f32/" TERN_ISA_NAME);
constinit const KernelRow shrink_f32 =
    unary_row<[](f32x16 x, float lambda, float bias) { return shrink(x, lambda, bias); }>("shrink/f32/" TERN_ISA_NAME);
constinit const KernelRow sign_f32 = unary_row<[](f32x16 x) { return sign(x); }>("sign/f32/" TERN_ISA_NAME);
constinit const KernelRow sqrt_f32 = unary_row<[](f32x16 x) { return sqrt(x); }>("sqrt/f32/" TERN_ISA_NAME);

}  // namespace tern::TERN_ISA
