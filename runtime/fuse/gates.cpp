// x * sigmoid(beta x) becomes Swish, x * tanh(softplus(x)) Mish; min(max(x + 3, 0), 6) / 6 becomes HardSigmoid, and x times that HardSwish, as does
// x * min(max(x + 3, 0), 6) / 6. See fuse.h.
#include <cmath>

#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"

namespace tern {
namespace {

// The x of min(max(x + 3, 0), 6); kNone when v is something else.
ValueId shifted_relu6_argument(const Rewriter& r, ValueId v) {
  const Node* clip = r.producer(v, "Clip");
  if (clip == nullptr || clip->inputs.size() != 3 || !r.is_scalar(clip->inputs[1], 0) || !r.is_scalar(clip->inputs[2], 6)) return kNone;
  const Node* add = r.producer(clip->inputs[0], "Add");
  const auto shifted = add ? r.with_scalar(*add) : std::nullopt;
  return shifted && shifted->factor == 3.0f && r.shape(shifted->value) == r.shape(v) ? shifted->value : kNone;
}

// The y of y / 6 or y * (1/6).
ValueId sixfold(const Rewriter& r, const Node& node) {
  if (std::string_view(node.op->name) == "Div") return r.is_scalar(node.inputs[1], 6) ? node.inputs[0] : kNone;
  const auto scaled = r.with_scalar(node);
  return scaled && std::fabs(scaled->factor - 1.0f / 6) < 1e-6f ? scaled->value : kNone;
}

std::optional<Node> hard_gate(const Rewriter& r, const Node& node) {
  const ValueId y = sixfold(r, node);
  if (y == kNone) return std::nullopt;
  if (const ValueId x = shifted_relu6_argument(r, y); x != kNone) {
    Node gate{find_op("HardSigmoid"), "", {}, {x}, node.outputs, {}};
    gate.attrs.set("alpha", 1.0f / 6);
    gate.attrs.set("beta", 0.5f);
    return gate;
  }
  const Node* mul = r.producer(y, "Mul");
  for (size_t i = 0; i < 2 && mul != nullptr; ++i) {
    if (mul->inputs[1 - i] == shifted_relu6_argument(r, mul->inputs[i]))
      return Node{find_op("HardSwish"), "", {}, {mul->inputs[1 - i]}, node.outputs, {}};
  }
  return std::nullopt;
}

// x * f(x) for the f that have a name.
std::optional<Node> gated(const Rewriter& r, const Node& mul) {
  for (size_t i : {0u, 1u}) {
    const ValueId x = mul.inputs[1 - i];
    auto named = [&](const char* name) { return Node{find_op(name), "", {}, {x}, mul.outputs, {}}; };
    if (const Node* s = r.producer(mul.inputs[i], "Sigmoid")) {
      if (s->inputs[0] == x) return named("Swish");
      const Node* inner = r.producer(s->inputs[0], "Mul");
      const auto scaled = inner ? r.with_scalar(*inner) : std::nullopt;
      if (scaled && scaled->value == x) {
        Node swish = named("Swish");
        swish.attrs.set("alpha", scaled->factor);
        return swish;
      }
    }
    if (const Node* h = r.producer(mul.inputs[i], "HardSigmoid");
        h && h->inputs[0] == x && std::fabs(h->read().f("alpha") - 1.0f / 6) < 1e-6f && h->read().f("beta") == 0.5f) {
      return named("HardSwish");
    }
    if (const Node* t = r.producer(mul.inputs[i], "Tanh")) {
      const Node* s = r.producer(t->inputs[0], "Softplus");
      if (s && s->inputs[0] == x) return named("Mish");
    }
  }
  return std::nullopt;
}

}  // namespace

void fuse_gates(Graph& graph) {
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const Node* mul = r.at(n, "Mul");
    const Node* node = mul ? mul : r.at(n, "Div");
    if (node == nullptr || r.dtype(node->outputs[0]) != DType::f32) continue;
    auto fused = hard_gate(r, *node);
    if (!fused && mul != nullptr) fused = gated(r, *mul);
    if (fused && fused->op != nullptr) r.replace(n, std::move(*fused));
  }
}

}  // namespace tern
