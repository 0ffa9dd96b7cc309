// round_in_f32: what a graph of f16 or bf16 computes stays f32 between its operators. Where widen put two Casts, to 16 bits and back, there is one
// rounding in f32 (RoundF16, RoundBF16), which products, convolutions and maps compute behind themselves and which lies in blocks like any activation;
// what only moves elements between such values moves f32. A Relu or a Clip between bounds of 16 bits trades places with the rounding before it: they
// are the rounding's bounds then. Results keep their bits, but for those of a NaN. For plans of the CPU; runs once a session.
// Next: kernels/simd_round.h, widen.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

void round_in_f32(Graph& graph);

}  // namespace tern
