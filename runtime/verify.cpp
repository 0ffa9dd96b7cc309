// See verify.h.
#include "runtime/verify.h"

#include "runtime/control/control.h"

namespace tern {
namespace {

Status count(const char* what, size_t n, Arity arity) {
  if (static_cast<int>(n) >= arity.min && (arity.max < 0 || static_cast<int>(n) <= arity.max)) return {};
  std::string range = std::to_string(arity.min) + (arity.max < 0 ? " or more" : arity.max == arity.min ? "" : " to " + std::to_string(arity.max));
  return invalid("has " + std::to_string(n) + " " + what + ", expected " + range);
}

Status attributes(const Node& node) {
  constexpr const char* kKinds[] = {"an integer", "a float", "a string", "integers", "floats", "strings", "a tensor"};
  for (const auto& [name, value] : node.attrs.all()) {
    const AttrSpec* spec = nullptr;
    for (const AttrSpec& s : node.op->attrs) {
      if (name == s.name) spec = &s;
    }
    if (spec == nullptr) return unsupported("attribute " + name + " is not supported");
    if (spec->kind != Attributes::kind(value)) {
      return invalid("attribute " + name + " must be " + kKinds[static_cast<int>(spec->kind)]);
    }
  }
  for (const AttrSpec& s : node.op->attrs) {
    if (s.required() && !node.attrs.has(s.name)) return invalid(std::string("attribute ") + s.name + " is required");
  }
  return {};
}

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), defined_(graph.values.size(), false) {}

  Status run() {
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      const Value& value = graph_.values[v];
      if (value.type.shape.rank() > kMaxRank) {
        return unsupported("value " + value.name + " has " + std::to_string(value.type.shape.rank()) + " dimensions, at most " +
                           std::to_string(kMaxRank) + " are supported");
      }
      if (!value.constant.present()) continue;
      if (value.type.dtype != value.constant.dtype()) return invalid("constant " + value.name + " has another dtype than its value");
      defined_[v] = true;
    }
    for (ValueId v : graph_.inputs) {
      if (!in_range(v)) return invalid("graph " + graph_.name + ": an input does not exist");
      if (defined_[static_cast<size_t>(v)]) return invalid("input " + graph_.value(v).name + " is defined twice");
      defined_[static_cast<size_t>(v)] = true;
      const Value& value = graph_.value(v);
      if (value.initial.present() && value.type != TypeInfo{value.initial.dtype(), Shape(value.initial.dims())}) {
        return invalid("input " + value.name + " is not of the type of its default");
      }
    }
    for (const Node& node : graph_.nodes) {
      if (Status s = check(node); !s) return s.error().within(describe(graph_, node));
    }
    for (ValueId v : graph_.outputs) {
      if (!in_range(v) || !defined_[static_cast<size_t>(v)]) return invalid("graph " + graph_.name + ": an output is never computed");
    }
    return {};
  }

 private:
  bool in_range(ValueId v) const { return v >= 0 && static_cast<size_t>(v) < graph_.values.size(); }

  Status check(const Node& node) {
    if (Status s = verify_node(node); !s) return s;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId v = node.inputs[i];
      if (v == kNone) continue;
      if (!in_range(v) || !defined_[static_cast<size_t>(v)]) return invalid("input " + std::to_string(i) + " is read before it is computed");
    }
    for (ValueId v : node.outputs) {
      if (v == kNone) continue;
      if (!in_range(v)) return invalid("an output does not exist");
      if (defined_[static_cast<size_t>(v)]) return invalid("value " + graph_.value(v).name + " is produced twice");
      defined_[static_cast<size_t>(v)] = true;
    }
    return subgraphs(node);
  }

  Status subgraphs(const Node& node) {
    const ControlDef* control = find_control(node.op);
    if (node.subgraphs.size() != (control == nullptr ? 0 : control->subgraphs)) {
      return invalid("has " + std::to_string(node.subgraphs.size()) + " subgraphs");
    }
    if (control == nullptr) return {};
    if (node.captured < 0 || static_cast<size_t>(node.captured) > node.inputs.size()) return invalid("captures values that it does not have");
    for (int32_t g : node.subgraphs) {
      if (g < 0 || static_cast<size_t>(g) >= graph_.subgraphs.size()) return invalid("a subgraph does not exist");
    }
    if (control->verify == nullptr) return {};
    if (Status s = control->verify(graph_, node); !s) return s;
    for (int32_t g : node.subgraphs) {
      if (Status s = verify(graph_.subgraphs[static_cast<size_t>(g)]); !s) return s;
    }
    return {};
  }

  const Graph& graph_;
  std::vector<bool> defined_;
};

}  // namespace

Status verify_node(const Node& node) {
  if (Status s = count("inputs", node.inputs.size(), node.op->inputs); !s) return s;
  if (Status s = count("outputs", node.outputs.size(), node.op->outputs); !s) return s;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNone && requires_input(*node.op, i)) return invalid("input " + std::to_string(i) + " is required");
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone && requires_output(*node.op, o)) {
      return invalid("output " + std::to_string(o) + " is required: only optional outputs may be left out");
    }
  }
  return attributes(node);
}

Status verify(const Graph& graph) { return Verifier(graph).run(); }

}  // namespace tern
