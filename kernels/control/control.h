// Operators that run subgraphs; their other inputs, the captured values, are what the subgraphs read from around (see runtime/graph.h).
//   If     y = condition ? then_branch() : else_branch()
//   Loop   for (i = 0; i < trips && condition; ++i) condition, v, s[i] = body(i, condition, v)
//   Scan   for (i = 0; i < length of x; ++i) v, s[i] = body(v, x[i])     x and s along any of their axes, from either end
//   Shapes    condition: one bool, true when its byte is not zero; trips: one i64, none when negative. A carried value v keeps its dtype and rank;
//             the slices of a scan output s have one shape.
//   Cost      that of the branch taken; that of the body times the iterations, and a copy of each slice.
//   Numerics  those of the nodes inside: plan and evaluator give the same bits.
//   Edges     What is known when a session's dims are bound disappears: an If with its condition, a loop of no iteration or of constants alone. A live If is a
//             branch in the plan. A loop is planned when its most iterations and its shapes are known: its body once, in memory that does not grow with them. A
//             condition that the body computes may end it early, unless there are scan outputs. The rest is the evaluator's.
//   Source    the ONNX operators, opset 23.
// The runtime executes them; there is no kernel. Next: runtime/control/control.h.
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kIf, kLoop, kScan;

}  // namespace tern
