// (x - mean(x)) / sqrt(mean((x - mean)^2) + eps) * scale + bias becomes LayerNormalization. See fuse.h.
#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"

namespace tern {
namespace {

// A mean over the last axis that keeps it; gives what it is the mean of.
ValueId last_axis_mean(const Rewriter& r, ValueId v) {
  const Node* mean = r.producer(v, "ReduceMean");
  if (mean == nullptr || mean->read().i("keepdims") != 1 || mean->inputs.size() != 2) return kNone;
  const Tensor* axes = r.constant(mean->inputs[1], DType::i64);
  const Shape& x = r.shape(mean->inputs[0]);
  if (axes == nullptr || axes->count() != 1 || !x.ranked()) return kNone;
  const int64_t axis = *axes->data<int64_t>();
  return axis == -1 || axis == x.rank() - 1 ? mean->inputs[0] : kNone;
}

// v == x - mean(x): gives x.
ValueId centred(const Rewriter& r, ValueId v) {
  const Node* sub = r.producer(v, "Sub");
  return sub && last_axis_mean(r, sub->inputs[1]) == sub->inputs[0] ? sub->inputs[0] : kNone;
}

// v == d * d, in one of its spellings: gives d.
ValueId squared(const Rewriter& r, ValueId v) {
  if (const Node* pow = r.producer(v, "Pow"); pow && r.is_scalar(pow->inputs[1], 2.0f)) return pow->inputs[0];
  const Node* mul = r.producer(v, "Mul");
  return mul && mul->inputs[0] == mul->inputs[1] ? mul->inputs[0] : kNone;
}

struct Normalized {
  ValueId x = kNone;
  float epsilon = 0;
};

// v == (x - mean) / sqrt(var + epsilon)
std::optional<Normalized> normalized(const Rewriter& r, ValueId v) {
  const Node* div = r.producer(v, "Div");
  const Node* sqrt = div ? r.producer(div->inputs[1], "Sqrt") : nullptr;
  const Node* add = sqrt ? r.producer(sqrt->inputs[0], "Add") : nullptr;
  auto variance = add ? r.with_scalar(*add) : std::nullopt;
  if (!variance) return std::nullopt;
  const ValueId x = centred(r, div->inputs[0]);
  const ValueId d = squared(r, last_axis_mean(r, variance->value));
  if (x == kNone || d == kNone || centred(r, d) != x) return std::nullopt;
  return Normalized{x, variance->factor};
}

}  // namespace

void fuse_layer_norm(Graph& graph) {
  const OpDef* op = find_op("LayerNormalization");
  if (op == nullptr) return;
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const Node* add = r.at(n, "Add");  // … * scale + bias
    if (add == nullptr) continue;
    for (size_t i : {0u, 1u}) {
      const Node* mul = r.producer(add->inputs[i], "Mul");
      const Tensor* bias = r.constant(add->inputs[1 - i]);
      if (mul == nullptr || bias == nullptr || !r.read_once(add->inputs[i])) continue;
      const size_t scale_at = r.constant(mul->inputs[1]) ? 1 : 0;
      const Tensor* scale = r.constant(mul->inputs[scale_at]);
      auto found = scale ? normalized(r, mul->inputs[1 - scale_at]) : std::nullopt;
      if (!found || scale->dims().rank != 1 || bias->dims() != scale->dims()) continue;
      const Shape& x = r.shape(found->x);
      if (!x.ranked() || x.rank() == 0 || !x[x.rank() - 1].is(scale->count())) continue;
      Node fused{op, "", {}, {found->x, mul->inputs[scale_at], add->inputs[1 - i]}, add->outputs, {}};
      fused.attrs.set("axis", int64_t(-1));
      fused.attrs.set("epsilon", found->epsilon);
      if (r.replace(n, std::move(fused))) break;
    }
  }
}

}  // namespace tern
