// GatherMean, tern's own: the mean of the rows of a table that indices name, as EmbeddingBag has it. It replaces, in a plan of the CPU,
//   Gather(axis 0) -> [Cast to f32 ->] ReduceMean over the last axis of the indices                      (runtime/fuse/gather_mean.cpp)
// without writing the rows to memory.
//   y[o, i] = (sum over j ascending of x[index[o, j], i], from 0) / J
//   Shapes    x [N, row..] f32, f16 or bf16, index [o.., J] i32 or i64; y [o.., row..] f32, with keepdims [o.., 1, row..]. Dense, no alignment needed.
//   Cost      reads O*J*row elements, once.
//   Numerics  the sums of Gather, Cast and ReduceMean, in their order: same bits as these for rows of more than one element, on every ISA.
//   Edges     indices as Gather's: negative ones count from the end, one outside is clamped and reported. J == 0 gives NaN.
//   Source    torch.nn.EmbeddingBag.
// Next: gather_mean.cpp (schema and binding), gather_mean.simd.cpp (the kernel).
#pragma once
#include <stdint.h>

#include "kernels/row.h"

namespace tern {

struct OpDef;
extern const OpDef kGatherMean;

struct GatherMeanArgs {
  const void* x;        // [n, row] of `from`
  const void* indices;  // [.., count]
  float* y;             // [.., row]
  int64_t n, count, row;
  int64_t begin, end;  // means of this share
  uint32_t* fault;
  DType from;
};
TERN_EACH_ISA(extern const KernelRow gather_mean_i32, gather_mean_i64;)  // by the dtype of the indices

}  // namespace tern
