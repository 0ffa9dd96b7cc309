// See epilogue.h.
#include "kernels/epilogue.h"

namespace tern {
namespace {

bool has(const InferContext& c, int i) { return i >= 0 && c.has(static_cast<size_t>(i)); }

}  // namespace

Status check_epilogue(const InferContext& c, const EpilogueSlots& slots, const Shape& y) {
  const auto activation = fused_activation(c.attrs);
  if (!activation || !slots.computes(activation->activation))
    return unsupported("the activation " + c.attrs.s("activation") + " is not computed here");
  if (has(c, slots.scale) != has(c, slots.shift)) return invalid("scale and shift must be given together");
  for (int i : {slots.residual, slots.scale, slots.shift}) {
    if (!has(c, i)) continue;
    const Shape& v = c.shape(static_cast<size_t>(i));
    if (i == slots.residual) {
      if (v.known() && y.known() && !(v == y)) return invalid("the residual is " + v.text() + ", Y is " + y.text());
    } else if (v.ranked() && y.ranked()) {
      if (v.rank() != 1 || y.rank() < 2 || (v[0].known() && y[1].known() && !(v[0] == y[1])))
        return invalid("input " + std::to_string(i) + " is " + v.text() + ", expected one value per output channel");
    }
  }
  return {};
}

std::optional<ActivationSpec> activation_by_name(const LayoutQuery& q) {
  auto spec = parse_activation(q.op.name);
  if (spec && q.attrs.lists("alpha")) spec->alpha = q.attrs.f("alpha");
  if (spec && q.attrs.lists("beta")) spec->beta = q.attrs.f("beta");
  return spec;
}

Attributes as_attributes(const LayoutQuery& q, const ActivationSpec& spec) {
  Attributes attrs;
  attrs.set("activation", std::string(q.op.name));
  attrs.set("alpha", spec.alpha);
  attrs.set("beta", spec.beta);
  return attrs;
}

}  // namespace tern
