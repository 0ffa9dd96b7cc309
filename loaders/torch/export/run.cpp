// Graphs, nodes, and the operators that hold graphs. See run.h. Next: values.cpp (arguments and results), in_place.cpp.
#include "loaders/torch/export/run.h"

#include <algorithm>

#include "loaders/torch/export/schema.h"
#include "loaders/torch/ops/operator.h"
#include "loaders/torch/ops/signature.h"

namespace tern::torch {
namespace {

constexpr std::string_view kInline[] = {"higher_order.wrap_with_set_grad_enabled", "higher_order.wrap_with_autocast", "higher_order.invoke_subgraph",
                                        "higher_order.tag_activation_checkpoint"};
constexpr std::string_view kCond = "higher_order.cond";

bool is_inlined(std::string_view op) { return std::find(std::begin(kInline), std::end(kInline), op) != std::end(kInline); }
// The number in a tensor of one element becomes a Python int.
bool is_item(std::string_view op) { return op == "aten.item.default" || op == "aten._local_scalar_dense.default"; }

// Its `train` makes numbers random.
bool is_dropout(std::string_view op) { return op.find("dropout") != op.npos; }

bool is_known(const std::string& op) {
  const std::string functional = functional_form(op);
  return is_inlined(op) || op == kCond || is_item(op) || find_operator(op) != nullptr ||
         (!functional.empty() && find_operator(functional) != nullptr);
}

// The module in which the node was: the last path of "key,path,class;key,path,class". Empty where it is no plain path.
std::string module_of(const Json& json, Json::Id node) {
  std::string_view stack = text_of(json, json.get(node, "metadata"), "nn_module_stack");
  stack = stack.substr(stack.rfind(';') + 1);  // npos + 1 is 0
  const size_t comma = stack.find(',');
  if (comma == stack.npos) return {};
  std::string_view path = stack.substr(comma + 1);
  path = path.substr(0, path.find(','));
  path = path.substr(0, path.find('@'));  // a module's second call
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
  return plain && !path.starts_with("_empty_nn_module_stack") ? std::string(path) : std::string();
}

}  // namespace

IValues Runner::run(Json::Id graph, Scope scope, const std::vector<Json::Id>& outputs) {
  const Usage usage(json_, graph, outputs);
  b_.changes |= usage.changes();
  Frame f{usage, std::move(scope), json_.get(graph, "nodes"), depth_ == 0, 0};
  ++depth_;  // bounded by the depth of the JSON
  for (size_t i = 0; b_.ok() && i < json_.size(f.nodes); ++i) {
    f.now = i;
    if (usage.needed(i)) run_node(f);
  }
  --depth_;
  f.now = json_.size(f.nodes);
  IValues out;
  for (Json::Id output : outputs) out.push_back(b_.ok() ? value_of(f, output) : IValue());
  return out;
}

void Runner::run_node(Frame& f) {
  const Json::Id node = json_.item(f.nodes, f.now);
  const std::string op = operator_of(json_, node);
  b_.enter(module_of(json_, node));
  if (!functional_form(op).empty()) change_in_place(f, op);
  else bind(f, json_.get(node, "outputs"), op.starts_with("higher_order.") ? higher_order(f, node, op) : call_node(f, node, op));
  b_.leave();
}

// What says where and how a tensor lies matters only to rows that ask for it.
Runner::Given Runner::arguments(Frame& f, Json::Id node, const std::string& op) {
  const Json::Id inputs = json_.get(node, "inputs");
  const bool by_name = op.starts_with("aten.");
  const Operator* row = find_operator(op);
  const std::vector<SignatureParameter> parameters = row != nullptr ? parse_signature(row->signature) : std::vector<SignatureParameter>();
  Given given;
  for (size_t i = 0; i < json_.size(inputs); ++i) {
    const Json::Id input = json_.item(inputs, i), argument = json_.get(input, "arg");
    const std::string name(text_of(json_, input, "name"));
    IValue value = value_of(f, argument);
    if (const bool* on = value.get<bool>(); on != nullptr && *on && name == "train" && is_dropout(op)) {
      b_.fail(unsupported("the model was exported in training mode (" + op + "); call model.eval() before exporting"));
    }
    if (!b_.ok()) return {};
    const bool about_memory = value.is_none() || name == "pin_memory" || name == "non_blocking";
    auto takes = [&](const SignatureParameter& p) { return p.answers_to(name) || p.options; };
    if (about_memory && by_name && std::none_of(parameters.begin(), parameters.end(), takes)) continue;
    if (by_name && !name.empty()) given.named.emplace_back(name, std::move(value));
    else given.positional.push_back(std::move(value));
  }
  return given;
}

IValue Runner::call_node(Frame& f, Json::Id node, const std::string& op) {
  const Given given = arguments(f, node, op);
  if (!b_.ok()) return {};
  if (is_item(op) && find_operator(op) == nullptr) {
    const ValueId v = given.named.empty() ? kNone : given.named[0].second.id();
    if (v == kNone || is_float(b_.dtype(v))) b_.fail(unsupported("a number that is read from a tensor of floats is not supported"));
    return b_.ok() ? IValue(Int::computed(b_.cast(b_.reshape(v, {}), DType::i64))) : IValue();
  }
  return call(b_, op, given.positional, given.named);
}

IValues Runner::run_inside(Json::Id argument, const IValues& arguments) {
  const Json::Id graph = json_.get(tagged(json_, argument).value, "graph");
  const Json::Id inputs = json_.get(graph, "inputs"), results = json_.get(graph, "outputs");
  if (json_.size(inputs) != arguments.size()) {
    b_.fail(invalid("a graph inside takes " + std::to_string(json_.size(inputs)) + " values and is given " + std::to_string(arguments.size())));
    return {};
  }
  Scope scope;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Json::Id value = tagged(json_, json_.item(inputs, i)).value;
    const std::string_view name = text_of(json_, value, "name").empty() ? text_of(json_, value, "as_name") : text_of(json_, value, "name");
    if (!name.empty()) scope[name] = arguments[i];
  }
  std::vector<Json::Id> outputs;
  for (size_t i = 0; i < json_.size(results); ++i) outputs.push_back(json_.item(results, i));
  return run(graph, std::move(scope), outputs);
}

// Operators whose arguments are graphs: [options…, graph, (graph,) operands…].
IValue Runner::higher_order(Frame& f, Json::Id node, const std::string& op) {
  const Json::Id inputs = json_.get(node, "inputs");
  std::vector<Json::Id> graphs;
  IValues before, operands;
  for (size_t i = 0; b_.ok() && i < json_.size(inputs); ++i) {
    const Json::Id argument = json_.get(json_.item(inputs, i), "arg");
    if (tagged(json_, argument).tag == "as_graph") {
      graphs.push_back(argument);
      continue;
    }
    IValue value = value_of(f, argument);
    const bool list = op == kCond && value.items() != nullptr;
    if (graphs.empty()) before.push_back(std::move(value));
    else if (list) operands.insert(operands.end(), value.items()->begin(), value.items()->end());
    else operands.push_back(std::move(value));
  }
  if (!b_.ok()) return {};
  if (op == "higher_order.invoke_subgraph" && !operands.empty()) operands.erase(operands.begin());  // the graph's name
  if (is_inlined(op) && graphs.size() == 1) {
    const bool* on = before.size() > 2 ? before[2].get<bool>() : nullptr;
    if (op == "higher_order.wrap_with_autocast" && (on == nullptr || *on)) {
      b_.fail(unsupported("autocast inside the program is not supported; export the model without it"));
      return {};
    }
    return IValue::tuple(run_inside(graphs[0], operands));
  }
  if (op != kCond || graphs.size() != 2 || before.size() != 1) {
    b_.fail(unsupported(op + " is not supported"));
    return {};
  }
  // Both branches are computed and one is taken: they are pure.
  if (const bool* known = before[0].get<bool>()) return IValue::tuple(run_inside(graphs[*known ? 0 : 1], operands));
  const IValues yes = run_inside(graphs[0], operands), no = run_inside(graphs[1], operands);
  IValues chosen;
  for (size_t i = 0; b_.ok() && i < std::min(yes.size(), no.size()); ++i) chosen.push_back(call(b_, "aten.where.self", {before[0], yes[i], no[i]}));
  return IValue::tuple(std::move(chosen));
}

void Runner::collect_unknown(Json::Id graph, const std::vector<Json::Id>& outputs, std::vector<std::string>& out) const {
  const Usage usage(json_, graph, outputs);
  const Json::Id nodes = json_.get(graph, "nodes");
  for (size_t i = 0; i < json_.size(nodes); ++i) {
    if (!usage.needed(i)) continue;
    const Json::Id node = json_.item(nodes, i), inputs = json_.get(node, "inputs");
    const std::string op = operator_of(json_, node);
    if (!is_known(op) && std::find(out.begin(), out.end(), op) == out.end() && out.size() < 100) out.push_back(op.substr(0, 100));
    for (size_t k = 0; k < json_.size(inputs); ++k) {
      const Tagged argument = tagged(json_, json_.get(json_.item(inputs, k), "arg"));
      if (argument.tag != "as_graph") continue;
      const Json::Id inside = json_.get(argument.value, "graph"), results = json_.get(inside, "outputs");
      std::vector<Json::Id> all;
      for (size_t r = 0; r < json_.size(results); ++r) all.push_back(json_.item(results, r));
      collect_unknown(inside, all, out);
    }
  }
}

std::string Runner::unknown_operators(Json::Id graph, const std::vector<Json::Id>& outputs) const {
  std::vector<std::string> unknown;
  collect_unknown(graph, outputs, unknown);
  std::string line;
  for (const std::string& op : unknown) line += (line.empty() ? "" : ", ") + op;
  return line;
}

}  // namespace tern::torch
