// Trigonometric and hyperbolic functions, which nets use rarely: every dtype through double (unary_wide.simd.cpp), but
// asin, acos and atan of f32 (arc_lanes.h). See elementwise.h.
// An operator of one line is what a function in double is enough for.
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/unary_rows.h"
#include "kernels/portable_math.h"

namespace tern {

static constexpr Text kTrigonometryModule("elementwise/trigonometry");

extern constinit const OpDef kAcos =
    float_op("Acos", rows_of<TERN_ON_EACH_ISA(acos_f32), TERN_ON_EACH_ISA(acos_wide), cuda::kUnary<kTrigonometryModule, "acos">>);
extern constinit const OpDef kAcosh =
    float_op("Acosh", rows_of<TERN_ON_EACH_ISA(acosh_any), cuda::kPlainUnary<kTrigonometryModule, "acosh", Floats>>);
extern constinit const OpDef kAsin =
    float_op("Asin", rows_of<TERN_ON_EACH_ISA(asin_f32), TERN_ON_EACH_ISA(asin_wide), cuda::kUnary<kTrigonometryModule, "asin">>);
extern constinit const OpDef kAsinh =
    float_op("Asinh", rows_of<TERN_ON_EACH_ISA(asinh_any), cuda::kPlainUnary<kTrigonometryModule, "asinh", Floats>>);
extern constinit const OpDef kAtan =
    float_op("Atan", rows_of<TERN_ON_EACH_ISA(atan_f32), TERN_ON_EACH_ISA(atan_wide), cuda::kUnary<kTrigonometryModule, "atan">>);
extern constinit const OpDef kAtanh =
    float_op("Atanh", rows_of<TERN_ON_EACH_ISA(atanh_any), cuda::kPlainUnary<kTrigonometryModule, "atanh", Floats>>);
extern constinit const OpDef kCos = float_op("Cos", rows_of<TERN_ON_EACH_ISA(cos_any), cuda::kPlainUnary<kTrigonometryModule, "cos", Floats>>);
extern constinit const OpDef kCosh = float_op("Cosh", rows_of<TERN_ON_EACH_ISA(cosh_any), cuda::kPlainUnary<kTrigonometryModule, "cosh", Floats>>);
extern constinit const OpDef kSin = float_op("Sin", rows_of<TERN_ON_EACH_ISA(sin_any), cuda::kPlainUnary<kTrigonometryModule, "sin", Floats>>);
extern constinit const OpDef kSinh = float_op("Sinh", rows_of<TERN_ON_EACH_ISA(sinh_any), cuda::kPlainUnary<kTrigonometryModule, "sinh", Floats>>);
extern constinit const OpDef kTan = float_op("Tan", rows_of<TERN_ON_EACH_ISA(tan_any), cuda::kPlainUnary<kTrigonometryModule, "tan", Floats>>);

}  // namespace tern
