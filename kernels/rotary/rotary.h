// RotaryEmbedding: turns pairs of features by angles that grow with the position.
//   y1 = cos x1 - sin x2,   y2 = sin x1 + cos x2     (x1, x2): features (i, i + R/2), or interleaved (2i, 2i + 1), of the first R of a head
//   Shapes    x [B, heads, S, D], or [B, S, heads D] with num_heads; caches [positions, R/2] with position_ids [B, S], else [B, S, R/2];
//             R = rotary_embedding_dim, D when that is 0. Features from R on are copied.
//   Cost      memory bound.
//   Numerics  in double, rounded once: same bits everywhere.
//   Edges     positions count from the end when negative; outside of the caches they are an error where known, else the nearest and a fault of the run.
//   Source    the ONNX operator, opset 23; Su et al. 2021.
// Next: rotary.cpp, rotary.cu (the same on a device).
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kRotaryEmbedding;

}  // namespace tern
