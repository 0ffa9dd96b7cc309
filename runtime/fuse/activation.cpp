// See activation.h.
#include "runtime/fuse/activation.h"

#include <limits>

namespace tern {

std::optional<Epilogue> activation_of(const Graph& g, const Node& node) {
  constexpr const char* kKnown[] = {"Relu",  "LeakyRelu", "Sigmoid", "Tanh", "Gelu",     "HardSigmoid", "HardSwish",
                                    "Swish", "Mish",      "Elu",     "Celu", "Softplus", "Softsign"};
  if (node.inputs.empty()) return std::nullopt;
  auto scalar = [&](ValueId v) -> std::optional<float> {
    if (!g.is_constant(v) || g.value(v).constant.dtype() != DType::f32 || g.value(v).constant.count() != 1) return std::nullopt;
    return *g.value(v).constant.data<float>();
  };
  const std::string_view op = node.op->name;
  if (op == "Clip") {
    constexpr float kNoEnd = std::numeric_limits<float>::infinity();
    const auto bound = [&](size_t i, float without) { return i < node.inputs.size() && node.inputs[i] != kNone ? scalar(node.inputs[i]) : without; };
    const auto low = bound(1, -kNoEnd), high = bound(2, kNoEnd);
    if (!low || !high) return std::nullopt;
    return Epilogue{node.inputs[0], "Clip", *low, *high};
  }
  const AttrReader attrs = node.read();
  if (op == "Gelu" && attrs.s("approximate") != "none") return std::nullopt;
  auto parameter = [&](const char* name) { return attrs.lists(name) ? attrs.f(name) : 0.0f; };
  for (const char* known : kKnown) {
    if (op == known) return Epilogue{node.inputs[0], known, parameter("alpha"), parameter("beta")};
  }
  return std::nullopt;
}

std::optional<Epilogue> epilogue(const Rewriter& r, const Node& node) {
  return !node.inputs.empty() && r.read_once(node.inputs[0]) ? activation_of(r.graph, node) : std::nullopt;
}

void set_epilogue(Attributes& attrs, const Epilogue& e) {
  attrs.set("activation", e.activation);
  attrs.set("alpha", e.alpha);
  attrs.set("beta", e.beta);
}

}  // namespace tern
