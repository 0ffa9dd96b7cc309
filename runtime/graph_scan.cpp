// See graph_scan.h.
#include "runtime/graph_scan.h"

#include "runtime/graph_nodes.h"
#include "runtime/infer_shapes.h"

namespace tern {
namespace {

// The type of one step of a sequence.
TypeInfo step_type(const GraphBuilder& b, ValueId sequence, int axis) {
  TypeInfo type = b.type(sequence);
  if (!type.shape.ranked() || type.shape.rank() <= axis) return type;
  std::vector<Dim> dims = type.shape.dims();
  dims.erase(dims.begin() + axis);
  type.shape = Shape(dims);
  return type;
}

// v in a subgraph, by a name that nothing else has.
ValueId inside(GraphBuilder& body, GraphBuilder& b, ValueId v) {
  if (v == kNone || !b.ok()) return kNone;
  std::string name = "%" + std::to_string(v);
  while (b.defined(name) != kNone && b.defined(name) != v) name += '%';
  if (b.defined(name) == kNone) {
    if (Status s = b.define(name, v); !s) return b.fail(s.error());
  }
  auto found = body.find(name);
  return found ? *found : b.fail(found.error());
}

}  // namespace

std::vector<ValueId> scan(GraphBuilder& b, const ScanInputs& steps, const ScanBody& step) {
  if (!b.ok()) return {};
  GraphBuilder body("", &b);
  std::vector<ValueId> carried, now, around;
  for (ValueId v : steps.carried) carried.push_back(body.input("carried" + std::to_string(carried.size()), b.type(v)));
  for (ValueId v : steps.sequences) now.push_back(body.input("now" + std::to_string(now.size()), step_type(b, v, steps.axis)));
  for (ValueId v : steps.around) around.push_back(inside(body, b, v));
  if (!b.ok()) return {};
  body.graph.outputs = step(body, carried, now, around);
  if (!body.ok()) return b.fail(body.status().error()), std::vector<ValueId>();
  const size_t outputs = body.graph.outputs.size() - carried.size();
  for (size_t i = 0; i < body.graph.outputs.size(); ++i) body.graph.output_names.push_back("y" + std::to_string(i));
  GraphBuilder* const bodies[] = {&body};
  auto captured = b.close(bodies);
  if (!captured) return b.fail(captured.error()), std::vector<ValueId>();
  Node node;
  node.op = find_op("Scan");
  node.name = b.scope();
  node.inputs = steps.carried;
  node.inputs.insert(node.inputs.end(), steps.sequences.begin(), steps.sequences.end());
  node.inputs.insert(node.inputs.end(), captured->begin(), captured->end());
  node.captured = static_cast<int32_t>(captured->size());
  const std::vector<int64_t> in_axes(now.size(), steps.axis), out_axes(outputs, steps.axis), in_turned(now.size(), steps.backwards),
      out_turned(outputs, steps.backwards);
  node.attrs = attributes({{"num_scan_inputs", static_cast<int64_t>(now.size())},
                           {"scan_input_axes", in_axes},
                           {"scan_input_directions", in_turned},
                           {"scan_output_axes", out_axes},
                           {"scan_output_directions", out_turned}});
  node.subgraphs = {static_cast<int32_t>(b.graph.subgraphs.size())};
  for (size_t i = 0; i < carried.size() + outputs; ++i) node.outputs.push_back(b.graph.add_value(b.scope() + ".y" + std::to_string(i)));
  b.graph.next_symbol = body.graph.next_symbol;
  b.graph.subgraphs.push_back(std::move(body.graph));
  Node& added = b.add_node(std::move(node));
  if (Status s = infer_shapes(b.graph, added); !s) return b.fail(s.error()), std::vector<ValueId>();
  return added.outputs;
}

}  // namespace tern
