// narrow: what no output needs is not computed.
// A network that ends with the last step of a sequence, with the class token or with a crop computes much that nobody reads. So what is read of each
// value goes from the outputs backwards: a range of elements along each axis (range.h), which an operator's rule (rules.h) turns into ranges of its
// inputs. Then each node computes what is read of it and no more: a stack of dilated convolutions of which the last step is read becomes one of
// strides over the few elements that it sees, a product has fewer rows, a recurrent layer gives its last state.
//   Several readers   share the smallest range that covers what each reads; who reads less takes its part with a Slice
//   Bits              stay: no axis is cut of which the order of a sum depends
//   Symbols           an axis of unknown extent is computed whole, until a session binds it
//   Indices           in an input are all looked at (Session::run says whether they were in range), unless a Concat drops what they pick
// Linear in the graph. Runs after fuse. Next: range.h, rules.h, narrow.cpp.
#pragma once
#include "runtime/graph.h"

namespace tern {

// Needs infer_shapes before, and leaves types that infer_shapes must find anew. Says whether anything changed.
bool narrow(Graph& graph);

}  // namespace tern
