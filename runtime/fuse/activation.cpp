// See activation.h.
#include "runtime/fuse/activation.h"

namespace tern {

std::optional<Epilogue> epilogue(const Rewriter& r, const Node& node) {
  struct Known {
    const char* op;
    float alpha, beta;  // the defaults of the operator's attributes
  };
  constexpr Known kKnown[] = {{"Relu", 0, 0},          {"LeakyRelu", 0.01f, 0}, {"Sigmoid", 0, 0},   {"Tanh", 0, 0}, {"Gelu", 0, 0},
                              {"HardSigmoid", 0.2f, 0.5f}, {"HardSwish", 0, 0},     {"Elu", 1.0f, 0},    {"Softplus", 0, 0}};
  if (node.inputs.empty() || !r.read_once(node.inputs[0])) return std::nullopt;
  const std::string_view op = node.op->name;
  if (op == "Clip") {
    if (node.inputs.size() != 3) return std::nullopt;
    auto low = r.scalar(node.inputs[1]), high = r.scalar(node.inputs[2]);
    if (!low || !high) return std::nullopt;
    return Epilogue{node.inputs[0], "Clip", *low, *high};
  }
  if (op == "Gelu" && node.attrs.s("approximate", "none") != "none") return std::nullopt;
  for (const Known& k : kKnown) {
    if (op == k.op) return Epilogue{node.inputs[0], k.op, node.attrs.f("alpha", k.alpha), node.attrs.f("beta", k.beta)};
  }
  return std::nullopt;
}

void set_epilogue(Attributes& attrs, const Epilogue& e) {
  attrs.set("activation", e.activation);
  attrs.set("alpha", e.alpha);
  attrs.set("beta", e.beta);
}

}  // namespace tern
