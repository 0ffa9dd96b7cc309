// A case of operator_cases.h as a graph of one node. Next: contracts/operators.cpp, programs/count_operators.cpp.
#pragma once
#include "runtime/graph.h"
#include "tests/support/operator_cases.h"

namespace tern::test {

inline Graph graph_of(const Case& c) {
  Graph g;
  Node node;
  node.op = find_op(c.op);
  node.name = "n";
  for (const auto& [key, value] : c.attrs) node.attrs.set(key, value);
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const In& in = c.inputs[i];
    ValueId v = kNone;
    if (in.constant) {
      auto t = Tensor::allocate(in.dtype, in.dims);
      fill(t->mutable_raw(), t->bytes(), in.dtype, static_cast<uint32_t>(i), Kind::random);
      if (!in.ints.empty()) std::memcpy(t->mutable_raw(), in.ints.data(), t->bytes());
      v = g.add_constant("c" + std::to_string(i), *t);
    } else if (in.dtype != DType::none) {
      v = g.add_value("x" + std::to_string(i), {in.dtype, Shape(in.dims)});
      g.inputs.push_back(v);
    }
    node.inputs.push_back(v);
  }
  for (size_t o = 0; o < c.outputs; ++o) {
    node.outputs.push_back(g.add_value("y" + std::to_string(o)));
    g.outputs.push_back(node.outputs.back());
    g.output_names.push_back("y" + std::to_string(o));
  }
  g.nodes.push_back(node);
  return g;
}

}  // namespace tern::test
