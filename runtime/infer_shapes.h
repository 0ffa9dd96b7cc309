// infer_shapes: dtypes and (symbolic) shapes of every value, and the contents of the small integer tensors that compute shapes,
// so that the Shape → Gather → Unsqueeze → Concat → Reshape chains of exported models resolve before the first run.
// You are here: stop 5 of the tour. Next: kernels/op.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

// Sets Value::type and Value::ints of everything that nodes produce, from the types of inputs and constants alone.
// Errors: as the operators' infer functions give them, naming the node.
// Contents of up to 16 elements and dimensions of one symbol are written down for every value. Beyond that, elements and terms of the
// whole graph come out of Graph::kSymbolRoom: when it is used up, contents are not known and sums of symbols become fresh symbols.
Status infer_shapes(Graph& graph);
// The same for one node of `graph`, whose inputs have their types. Precondition: verify_node.
Status infer_shapes(Graph& graph, Node& node);
// The same for a subgraph of `graph` whose inputs have their types; both draw from one room and one count of fresh symbols. After an error
// the shapes in it are unknown.
Status infer_subgraph(Graph& graph, Graph& subgraph);
// While it lives, a subgraph of `graph` draws fresh symbols and room from it: one name would else mean two dimensions.
class SharedSymbols {
 public:
  SharedSymbols(Graph& graph, Graph& subgraph) : graph_(graph), subgraph_(subgraph) { pass(graph, subgraph); }
  ~SharedSymbols() { pass(subgraph_, graph_); }
  SharedSymbols(const SharedSymbols&) = delete;
  SharedSymbols& operator=(const SharedSymbols&) = delete;

 private:
  static void pass(const Graph& from, Graph& to) { to.next_symbol = from.next_symbol, to.symbol_room = from.symbol_room; }
  Graph &graph_, &subgraph_;
};
// Input `to` of a subgraph has the type and contents of `from`.
void pass_type(Graph& graph, ValueId from, Graph& subgraph, ValueId to);
// Whether inference made up a symbol in it ("?7").
bool made_up(const Dim& dim);
// What two shapes have in common: unranked when their ranks differ, a fresh dim where their dims do.
Shape common_shape(Graph& graph, const Shape& a, const Shape& b);
// The types that the outputs of `node` would have: it reads values of `graph`, and need not be one of its nodes.
Result<std::vector<TypeInfo>> infer_types(Graph& graph, const Node& node);
// Error (invalid): a value of which dtype, rank or known extents are not those that inference finds from the graph's inputs.
Status verify_types(const Graph& graph);

}  // namespace tern
