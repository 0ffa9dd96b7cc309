// Trigonometric and hyperbolic functions, which nets use rarely: no SIMD form, every dtype through double. See elementwise.h, unary_rows.h.
// An operator of one line is what a function in double is enough for.
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/unary_rows.h"
#include "kernels/portable_math.h"

namespace tern {

static constexpr Text kModule("elementwise/trigonometry");

extern constinit const OpDef kAcos = float_op("Acos", rows_of<kUnary<"acos", portable::acos, Floats>, cuda::kPlainUnary<kModule, "acos", Floats>>);
extern constinit const OpDef kAcosh =
    float_op("Acosh", rows_of<kUnary<"acosh", portable::acosh, Floats>, cuda::kPlainUnary<kModule, "acosh", Floats>>);
extern constinit const OpDef kAsin = float_op("Asin", rows_of<kUnary<"asin", portable::asin, Floats>, cuda::kPlainUnary<kModule, "asin", Floats>>);
extern constinit const OpDef kAsinh =
    float_op("Asinh", rows_of<kUnary<"asinh", portable::asinh, Floats>, cuda::kPlainUnary<kModule, "asinh", Floats>>);
extern constinit const OpDef kAtan = float_op("Atan", rows_of<kUnary<"atan", portable::atan, Floats>, cuda::kPlainUnary<kModule, "atan", Floats>>);
extern constinit const OpDef kAtanh =
    float_op("Atanh", rows_of<kUnary<"atanh", portable::atanh, Floats>, cuda::kPlainUnary<kModule, "atanh", Floats>>);
extern constinit const OpDef kCos = float_op("Cos", rows_of<kUnary<"cos", portable::cos, Floats>, cuda::kPlainUnary<kModule, "cos", Floats>>);
extern constinit const OpDef kCosh = float_op("Cosh", rows_of<kUnary<"cosh", portable::cosh, Floats>, cuda::kPlainUnary<kModule, "cosh", Floats>>);
extern constinit const OpDef kSin = float_op("Sin", rows_of<kUnary<"sin", portable::sin, Floats>, cuda::kPlainUnary<kModule, "sin", Floats>>);
extern constinit const OpDef kSinh = float_op("Sinh", rows_of<kUnary<"sinh", portable::sinh, Floats>, cuda::kPlainUnary<kModule, "sinh", Floats>>);
extern constinit const OpDef kTan = float_op("Tan", rows_of<kUnary<"tan", portable::tan, Floats>, cuda::kPlainUnary<kModule, "tan", Floats>>);

}  // namespace tern
