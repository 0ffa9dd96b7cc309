// SequenceMap: inputs [sequence, more sequences and tensors..., captured...]; body: [an element of each sequence and each tensor...,
// captured...] -> an element of each output. See kernels/sequence/sequence.h, sequences.h.
#include "kernels/sequence/sequence.h"
#include "runtime/base/checked.h"
#include "runtime/control/sequences.h"
#include "runtime/infer_shapes.h"

namespace tern {
namespace {

// The most nodes that copies of the body may have in the place of a SequenceMap.
constexpr size_t kMostUnrolled = 4096;

// What a copy of a graph takes; the elements of its constants are shared.
int64_t copy_bytes(const Graph& graph) {
  size_t n = 0;
  for (const Value& v : graph.values) n += sizeof v + v.name.size();
  for (const Node& node : graph.nodes) {
    n += sizeof node + node.name.size() + sizeof(ValueId) * (node.inputs.size() + node.outputs.size());
    for (const auto& [name, value] : node.attrs.all()) {
      n += sizeof value + name.size();
      if (const auto* s = std::get_if<std::string>(&value)) n += s->size();
      if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) n += 8 * list->size();
      if (const auto* list = std::get_if<std::vector<float>>(&value)) n += 4 * list->size();
      if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
        for (const std::string& s : *list) n += sizeof s + s.size();
      }
    }
  }
  auto bytes = static_cast<int64_t>(n);
  for (const Graph& g : graph.subgraphs) bytes += copy_bytes(g);
  return bytes;
}

Status verify_sequence_map(const Graph& graph, const Node& node) {
  const Graph& body = graph.subgraph(node);
  if (node.own_inputs() == 0) return invalid("has no sequence");
  if (body.inputs.size() != node.inputs.size()) {
    return invalid("its body has " + std::to_string(body.inputs.size()) + " inputs, the node " + std::to_string(node.inputs.size()) +
                   ", what the body captures included");
  }
  if (body.outputs.size() < node.outputs.size()) return invalid("its body has too few outputs");
  return {};
}

// Of the inputs that are no captured ones: which are taken element by element.
bool is_mapped(const Graph& graph, const Node& node, size_t i) {
  return i < node.own_inputs() && graph.value(node.inputs[i]).type.kind == ValueKind::sequence;
}

Status infer_sequence_map(Graph& graph, Node& node) {
  Graph& body = graph.subgraph(node);
  if (auto first = input_type(graph, node, 0, ValueKind::sequence); !first) return first.error();
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    pass_type(graph, node.inputs[i], body, body.inputs[i]);
    if (is_mapped(graph, node, i)) body.value(body.inputs[i]).type = element_type(graph, graph.value(node.inputs[i]).type);
  }
  if (Status s = infer_subgraph(graph, body); !s) return s;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    const TypeInfo& type = body.value(body.outputs[o]).type;
    if (type.kind != ValueKind::tensor)
      return unsupported("output " + std::to_string(o) + " of its body has type " + type.text() + ": sequences hold tensors only");
    set_output(graph, node, o, sequence_of(type));
  }
  return {};
}

// How many elements the sequences have, when all are known; nothing when one is not, or when they differ.
std::optional<size_t> known_count(const Folding& folding, const Node& node) {
  std::optional<size_t> count;
  for (size_t i = 0; i < node.own_inputs(); ++i) {
    if (!is_mapped(folding.graph, node, i)) continue;
    const auto* known = known_elements(folding, node.inputs[i]);
    if (known == nullptr || (count && *count != known->size())) return std::nullopt;
    count = known->size();
  }
  return count;
}

// With known elements copies of the body take the place of the node, one for each.
Result<bool> fold_sequence_map(Folding& folding, Node& node) {
  Graph& graph = folding.graph;
  folding.try_fold(graph.subgraph(node));
  const auto count = known_count(folding, node);
  if (!count || *count > kMostElements) return false;
  const Graph body = graph.subgraph(node);
  const auto size = static_cast<size_t>(1 + node_count(body));
  const auto bytes = checked_mul(static_cast<int64_t>(*count), copy_bytes(body)).value_or(INT64_MAX);
  if (*count * size > kMostUnrolled || !pay_for(folding, *count * size, bytes)) return false;
  std::vector<std::vector<ValueId>> elements(node.outputs.size());
  for (size_t e = 0; e < *count; ++e) {
    std::vector<ValueId> inputs = node.inputs, outputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (is_mapped(graph, node, i)) inputs[i] = (*known_elements(folding, node.inputs[i]))[e];
    }
    for (size_t o = 0; o < node.outputs.size(); ++o) outputs.push_back(graph.add_value(""));
    folding.put_inline(body, inputs, outputs);
    for (size_t o = 0; o < node.outputs.size(); ++o) elements[o].push_back(folding.forward.at(outputs[o]));
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone) continue;
    if (Status s = construct(folding, node.name, std::move(elements[o]), node.outputs[o]); !s) return s.error();
  }
  return true;
}

Result<std::vector<Datum>> evaluate_sequence_map(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left) {
  const Graph& body = graph.subgraph(node);
  auto first = elements_of(inputs, 0);
  if (!first) return first.error();
  const size_t count = (*first)->size();
  auto mapped = [&](size_t i) { return i < node.own_inputs() && inputs[i].elements != nullptr; };
  for (size_t i = 1; i < inputs.size(); ++i) {
    if (mapped(i) && inputs[i].elements->size() != count) {
      return invalid("its sequences have " + std::to_string(count) + " and " + std::to_string(inputs[i].elements->size()) + " elements");
    }
  }
  const int64_t cost = iteration_work(body);
  const int64_t budget = left.budget;
  std::vector<Datum::Elements> lists(node.outputs.size());
  for (size_t e = 0; e < count; ++e) {
    if (cost > left.work) return unsupported("its iterations take more operations than the budget of work");
    left.work -= cost;
    std::vector<Datum> in;
    for (size_t i = 0; i < inputs.size(); ++i) in.push_back(mapped(i) ? Datum((*inputs[i].elements)[e]) : inputs[i]);
    auto out = evaluate_graph(body, in, left);
    if (!out) return out.error();
    for (size_t o = 0; o < lists.size(); ++o) {
      if (node.outputs[o] == kNone) continue;
      lists[o].push_back((*out)[o].tensor);
      left.budget -= static_cast<int64_t>(lists[o].back().bytes()) + Datum::kElementBytes;
    }
    if (left.budget < 0) return unsupported("its outputs need more memory than the budget");
  }
  left.budget = budget;
  return std::vector<Datum>(std::make_move_iterator(lists.begin()), std::make_move_iterator(lists.end()));
}

}  // namespace

constinit const ControlDef kSequenceMapControl = {.op = &kSequenceMap,
                                                  .subgraphs = 1,
                                                  .verify = verify_sequence_map,
                                                  .infer = infer_sequence_map,
                                                  .fold = fold_sequence_map,
                                                  .evaluate = evaluate_sequence_map};

}  // namespace tern
