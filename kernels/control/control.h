// If: runs one of two subgraphs.   y = condition ? then_branch() : else_branch()
//   Shapes    condition: one bool, true when its byte is not zero; the other inputs are what the subgraphs capture (see runtime/graph.h); outputs as the branches give them.
//   Cost      that of the branch taken.
//   Edges     a condition known when a session's dims are bound makes the node disappear; a live one is a branch in the plan.
//   Source    the ONNX operator, opset 23.
// The runtime executes it; there is no kernel. Next: runtime/control/control.h.
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kIf;

}  // namespace tern
