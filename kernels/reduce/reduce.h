// Reductions over any set of axes.   y[o] = finish(fold over r of map(x[o, r]))
//   ReduceSum x   ReduceMean x, then / count   ReduceProd x   ReduceMax ReduceMin   ReduceL1 |x|   ReduceSumSquare x*x
//   ReduceL2 x*x, then sqrt   ReduceLogSum x, then log   ReduceLogSumExp exp(x - m), then log + m with m the maximum
//   ArgMax ArgMin   the index along one axis (arg.cpp)    CumSum CumProd   running folds along one axis (cumulate.cpp, cumulate.simd.cpp)
//   TopK            the k largest (smallest) along one axis, in order (topk.cpp, topk.simd.cpp)
//   Shapes    x row-major; axes merge at bind into loops over outputs (`kept`) and loops over what is folded (`reduced`).
//   Cost      one FLOP an element: memory bound.
//   Numerics  f32: when the last axis is reduced, sixteen lanes (four vectors of them in blocks of 64) and a fixed tree; otherwise the
//             outputs are vectorised and r runs in order. f64 folds in order, runs of 1024 and more in sixteen lanes and that tree (but for
//             LogSumExp); f16 and bf16 as f64 does, in f32; integers wrap. Same bits for every ISA and parts, and on a device (where
//             f64 subnormals are not flushed).
//   Edges     over nothing: Sum 0, Prod 1, Max -inf (the lowest integer), Min +inf, Mean NaN, LogSum -inf. NaN propagates through all.
//   Source    the ONNX operators, opset 18 (axes are an input).
// Next: reduce.cpp (inference, binding), reduce.simd.cpp (f32), reduce.cu (the same on a device), extreme.simd.cpp, log_sum_exp.simd.cpp, reduce_portable.h.
#pragma once
#include <stdint.h>

#include "kernels/rows.h"

namespace tern {

struct OpDef;
extern const OpDef kReduceSum, kReduceMean, kReduceMax, kReduceMin, kReduceProd, kReduceL1, kReduceL2, kReduceSumSquare, kReduceLogSum,
    kReduceLogSumExp, kArgMax, kArgMin, kCumSum, kCumProd, kTopK;

// Loops, outermost first; strides in elements of x.
struct ReduceLoops {
  int32_t rank;
  int64_t n[8], stride[8];
};

// Outputs are numbered row-major over kept; with inner > 1 each number stands for a run of `inner` outputs, contiguous in x too.
// With inner == 1 the innermost reduced loop is `run` contiguous elements. This part computes numbers [begin, end).
struct ReduceArgs {
  const void* x;
  void* y;
  ReduceLoops kept, reduced;  // without inner and run
  int64_t inner, run;
  int64_t begin, end;
  int64_t count;  // of elements folded into one output
};

TERN_EACH_ISA(extern const KernelRow reduce_sum_f32, reduce_mean_f32, reduce_max_f32, reduce_min_f32, reduce_prod_f32, reduce_l1_f32, reduce_l2_f32,
              reduce_sum_square_f32, reduce_log_sum_f32, reduce_log_sum_exp_f32;)  // reduce.simd.cpp
TERN_EACH_ISA(extern const Rows<10> reduce_max_any, reduce_min_any;)               // extreme.simd.cpp
TERN_EACH_ISA(extern const Rows<3> reduce_log_sum_exp_any;)                        // log_sum_exp.simd.cpp
TERN_EACH_ISA(extern const Rows<8> cum_sum_any, cum_prod_any;)                     // cumulate.simd.cpp
TERN_EACH_ISA(extern const Rows<12> arg_max_any, arg_min_any;)                     // arg.simd.cpp
TERN_EACH_ISA(extern const Rows<12> topk_any;)                                     // topk.simd.cpp
namespace cuda {
extern const KernelRow reduce_sum_f32, reduce_mean_f32, reduce_max_f32, reduce_min_f32, reduce_prod_f32, reduce_l1_f32, reduce_l2_f32,
    reduce_sum_square_f32, reduce_log_sum_f32, reduce_log_sum_exp_f32;  // launch.cpp

// The other dtypes: one after another in order, a thread an output (reduce_any.cu).
enum class ReduceKind : int32_t { sum, mean, max, min, prod, l1, l2, sum_square, log_sum, log_sum_exp };
template <DType kType, ReduceKind kKind>
void launch_reduce(const ReduceArgs& a, Launches& to);
struct ReduceAny {
  ReduceArgs a;
  ReduceKind kind;
};

constexpr int kReduceBlock = 128;      // threads
constexpr int kReduceLongBlock = 256;  // of a block that folds one long output
constexpr int kReduceChunk = 4096;     // elements that it fetches at a time
}  // namespace cuda

}  // namespace tern
