// Making the loop nest of broadcast.h while binding, and inferring the types of broadcasting operators. Next: binary.h.
#pragma once
#include "kernels/elementwise/broadcast.h"
#include "kernels/op.h"

namespace tern {

// The nest of operands (at most kMaxOperands) whose dims broadcast to `out`, for the output elements [begin, end).
RowNest make_nest(const Dims& out, std::span<const Dims> operands, int64_t begin, int64_t end);

// Output 0 has this dtype and the shape of all inputs broadcast. Errors name the inputs that do not fit.
Status infer_broadcast(InferContext& c, DType dtype);
// Inputs [first, count) that are present and of a known dtype must have one dtype, accepted by `allowed`.
constexpr bool is_any(DType t) { return t != DType::none; }
Status same_dtypes(const InferContext& c, size_t first, bool (*allowed)(DType));

// How parts of an elementwise operator are cut: whole cache lines of f32.
constexpr int64_t kGrain = 16;

}  // namespace tern
