// Sequences of tensors, and optionals, which hold a tensor, a sequence or nothing. The runtime executes them: there are no kernels.
//   SequenceConstruct(x...) SequenceEmpty()     a sequence of the tensors, of none
//   SequenceInsert(s, x, i) SequenceErase(s, i) s with x before its i-th element (none: at its end), without it (none: the last)
//   SequenceAt(s, i) SequenceLength(s)          y = s[i], y = how many
//   SplitToSequence(x, split)                   parts of x along an axis: of that size, of these sizes, or (none) of one
//   ConcatFromSequence(s)                       its elements joined along an axis, or along a new one
//   SequenceMap(s, more...)                     y[i] = body(s[i], more[i] or, of a tensor, more...); a sequence for each output
//   Optional(x) OptionalGetElement(o)           an optional of x or of nothing, what o holds
//   OptionalHasElement(o)                       whether it holds something
//   Shapes    elements have one dtype and each its own shape; positions are one i32 or i64, negative ones count from the end.
//   Cost      elements are shared, not copied, but in SplitToSequence and ConcatFromSequence, which copy each once.
//   Edges     a position outside of the sequence, nothing to get from an optional and nothing to join are errors. A tensor or a
//             sequence that is given for an optional is one that holds it.
//   Source    the ONNX operators, opset 24. Attributes of tern's own say the type of an empty Optional: dtype (as Cast's `to`),
//             sequence.
// Next: runtime/control/sequences.h.
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kSequenceConstruct, kSequenceEmpty, kSequenceInsert, kSequenceErase, kSequenceAt, kSequenceLength;
extern const OpDef kSplitToSequence, kConcatFromSequence, kSequenceMap, kOptional, kOptionalGetElement, kOptionalHasElement;

}  // namespace tern
