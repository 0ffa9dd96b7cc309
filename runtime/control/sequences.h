// What the operators on sequences and optionals share: types, what is spent, elements that are known before the run.
// Next: sequence.cpp, sequence_parts.cpp, sequence_map.cpp, optional.cpp.
#pragma once
#include "runtime/control/control.h"
#include "runtime/evaluator.h"
#include "runtime/fold_constants.h"

namespace tern {

inline bool has_input(const Node& node, size_t i) { return i < node.inputs.size() && node.inputs[i] != kNone; }

// ---- infer ----

// The type of input i. Errors: it is of another kind (invalid), its dtype is not known (unsupported).
Result<TypeInfo> input_type(const Graph& graph, const Node& node, size_t i, ValueKind kind);
// The tensors of a sequence: a dim that inference made up is another one for each.
TypeInfo element_type(Graph& graph, const TypeInfo& sequence);
TypeInfo sequence_of(TypeInfo element);
void set_output(Graph& graph, const Node& node, size_t o, TypeInfo type);

// ---- evaluate ----

// An error when input i is no sequence: in a branch whose types could not be inferred.
Result<const Datum::Elements*> elements_of(std::span<const Datum> inputs, size_t i);
// So many elements of sequences are read or written, so many elements of tensors are copied. Error (unsupported): too many.
Status spend(EvaluateOptions& left, size_t elements, int64_t copied = 0);
// Error (unsupported): more bytes than are left.
Status fits(const EvaluateOptions& left, int64_t bytes);
// A sequence as the output of a node: spent and fitting.
Result<std::vector<Datum>> give(Datum::Elements list, EvaluateOptions& left);

// ---- fold ----

// What the sequence or optional v holds is known; null when it is not.
const std::vector<ValueId>* known_elements(const Folding& folding, ValueId v);
// Tells what the first output of a node holds, if that is not too much to write down.
void set_elements(Folding& folding, const Node& node, std::vector<ValueId> elements);
// Takes what so many new nodes cost from the budget of work, and the bytes of their names, lists and attributes; false: there is not enough, and
// nothing is taken.
bool pay_for(Folding& folding, size_t nodes, int64_t bytes);
// `by` is read for the first output of a node, which is to go.
Result<bool> replace(Folding& folding, const Node& node, ValueId by);
// A node before the one that is folded. Its outputs get their types.
Status add_node(Folding& folding, Node node);
// The node that gives `sequence` from its elements.
Status construct(Folding& folding, const std::string& name, std::vector<ValueId> elements, ValueId sequence);
// The most elements that a sequence may be taken apart into.
constexpr size_t kMostElements = 1024;

}  // namespace tern
