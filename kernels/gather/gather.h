// Reading and writing elements by index.
//   Gather           y[o, k.., i] = x[o, index[k..], i] along one axis: an embedding lookup when axis is 0
//   GatherElements   y[p] = x[p with p[axis] replaced by index[p]]
//   GatherND         y[b, k.., rest] = x[b, index[b, k.., :], rest]
//   ScatterElements  y = x; y[p with p[axis] replaced by index[p]] (op)= updates[p], in the order of p
//   ScatterND        y = x; y[index[k.., :], rest] (op)= updates[k.., rest], in the order of k
//   Shapes    as ONNX; indices are i32 or i64; any dtype moves, numbers reduce (none, add, mul, min, max).
//   Cost      memory bound; a gathered row is one memcpy.
//   Numerics  reductions run in the order of the updates, on one thread a place: same bits everywhere. On a device not of 16-bit floats.
//   Edges     negative indices count from the end. An index that is outside when it is known is an error; one met while running is
//             clamped to the nearest element, because run() must not read elsewhere, and reported (BindContext::fault): run() says
//             false and status() names the node; the evaluator fails.
//   Source    the ONNX operators, opset 13 (gathers) and 18 (scatters).
// Next: gather.cpp, scatter.cpp; gather.cu and scatter.cu (the same on a device), launch.cpp; gather_mean.h.
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kGather, kGatherElements, kGatherND, kScatterElements, kScatterND;

}  // namespace tern
