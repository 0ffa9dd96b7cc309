// x * 0.5 * (1 + erf(x / sqrt 2)) and its other spellings become Gelu. See fuse.h.
#include <cmath>

#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"

namespace tern {
namespace {

constexpr float kSqrtHalf = 0.70710678f, kSqrt2 = 1.41421356f;

// The x of x / sqrt 2.
ValueId halved(const Rewriter& r, ValueId v) {
  if (const Node* div = r.producer(v, "Div"); div && r.is_scalar(div->inputs[1], kSqrt2, 1e-5f)) return div->inputs[0];
  const Node* mul = r.producer(v, "Mul");
  auto scaled = mul ? r.with_scalar(*mul) : std::nullopt;
  return scaled && std::fabs(scaled->factor - kSqrtHalf) <= 1e-5f ? scaled->value : kNone;
}

// The x of erfc(-x / sqrt 2), which TensorFlow's operator computes as 1 - erf in f64; f32(…) around it.
ValueId erfc_argument(const Rewriter& r, ValueId v) {
  const Node *narrow = r.producer(v, "Cast"), *sub = narrow ? r.producer(narrow->inputs[0], "Sub") : nullptr;
  const Tensor* one = sub ? r.constant(sub->inputs[0], DType::f64) : nullptr;
  if (one == nullptr || one->count() != 1 || *one->data<double>() != 1) return kNone;
  const Node *erf = r.producer(sub->inputs[1], "Erf"), *wide = erf ? r.producer(erf->inputs[0], "Cast") : nullptr;
  const Node* neg = wide ? r.producer(halved(r, wide->inputs[0]), "Neg") : nullptr;
  return neg ? neg->inputs[0] : kNone;
}

// The x of erf(x / sqrt 2) + 1, given the value of the sum; kNone when it is something else.
ValueId erf_argument(const Rewriter& r, ValueId sum) {
  const Node* add = r.producer(sum, "Add");
  auto one = add ? r.with_scalar(*add) : std::nullopt;
  if (!one || one->factor != 1.0f) return erfc_argument(r, sum);
  const Node* erf = r.producer(one->value, "Erf");
  return erf ? halved(r, erf->inputs[0]) : kNone;
}

// The x of 1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)).
ValueId tanh_argument(const Rewriter& r, ValueId sum) {
  const Node* add = r.producer(sum, "Add");
  auto one = add ? r.with_scalar(*add) : std::nullopt;
  if (!one || one->factor != 1.0f) return kNone;
  const Node* tanh = r.producer(one->value, "Tanh");
  const Node* mul = tanh ? r.producer(tanh->inputs[0], "Mul") : nullptr;
  auto inner = mul ? r.with_scalar(*mul) : std::nullopt;
  if (!inner || std::fabs(inner->factor - 0.79788456f) > 1e-5f) return kNone;
  const Node* poly = r.producer(inner->value, "Add");
  if (poly == nullptr) return kNone;
  for (size_t i : {0u, 1u}) {
    const ValueId x = poly->inputs[i];
    const Node* cubic = r.producer(poly->inputs[1 - i], "Mul");
    auto scaled = cubic ? r.with_scalar(*cubic) : std::nullopt;
    if (!scaled || std::fabs(scaled->factor - 0.044715f) > 1e-6f) continue;
    const Node* pow = r.producer(scaled->value, "Pow");
    if (pow && pow->inputs[0] == x && r.is_scalar(pow->inputs[1], 3.0f)) return x;
  }
  return kNone;
}

struct Found {
  ValueId x = kNone;
  bool tanh = false;
};

// v == x * (1 + erf(...)), in either order of the factors.
Found half_gelu(const Rewriter& r, const Node& mul) {
  for (size_t i : {0u, 1u}) {
    if (ValueId x = erf_argument(r, mul.inputs[i]); x != kNone && x == mul.inputs[1 - i]) return {x, false};
    if (ValueId x = tanh_argument(r, mul.inputs[i]); x != kNone && x == mul.inputs[1 - i]) return {x, true};
  }
  return {};
}

// The Mul node is the last of a GELU.
Found gelu(const Rewriter& r, const Node& mul) {
  if (auto half = r.with_scalar(mul); half && half->factor == 0.5f) {  // (x * (1 + erf)) * 0.5
    const Node* inner = r.producer(half->value, "Mul");
    return inner ? half_gelu(r, *inner) : Found{};
  }
  for (size_t i : {0u, 1u}) {  // (x * 0.5) * (1 + erf), or x * (0.5 * (1 + erf))
    const Node* scaled = r.producer(mul.inputs[i], "Mul");
    auto half = scaled ? r.with_scalar(*scaled) : std::nullopt;
    if (!half || half->factor != 0.5f) continue;
    const ValueId rest = mul.inputs[1 - i];
    if (erf_argument(r, rest) == half->value) return {half->value, false};
    if (tanh_argument(r, rest) == half->value) return {half->value, true};
    if (erf_argument(r, half->value) == rest) return {rest, false};
    if (tanh_argument(r, half->value) == rest) return {rest, true};
  }
  return {};
}

}  // namespace

void fuse_gelu(Graph& graph) {
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const Node* mul = r.at(n, "Mul");
    if (mul == nullptr || r.dtype(mul->outputs[0]) != DType::f32) continue;
    if (Found found = gelu(r, *mul); found.x != kNone && find_op("Gelu") && r.shape(found.x) == r.shape(mul->outputs[0])) {
      Node fused{find_op("Gelu"), "", {}, {found.x}, mul->outputs, {}};
      if (found.tanh) fused.attrs.set("approximate", std::string("tanh"));
      r.replace(n, std::move(fused));
    }
  }
}

}  // namespace tern
