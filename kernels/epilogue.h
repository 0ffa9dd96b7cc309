// The epilogue: what a product, a convolution or a map does to each of its results before it stores it.
//   y = act(v + residual) * scale[c] + shift[c]    in this order; each part may be absent, scale and shift together. c is the channel, axis 1 of y.
// An operator that computes one says so in OpDef::epilogue: which of its inputs the parts are, and which activations it knows. One that can be the
// activation says so in OpDef::activation. runtime/fuse/epilogue.cpp brings them together and names neither; what such operators share of schema,
// inference and binding is here.
//   Numerics  each part as its operator alone: v + residual, activate(), fma(v, scale, shift).
// Next: activation.h, activation_attributes.h; in kernels: gemm/tile_ends.h, conv/core.simd.cpp.
#pragma once
#include <array>
#include <utility>

#include "kernels/activation_attributes.h"
#include "kernels/layouts.h"

namespace tern {

constexpr uint32_t activation_bit(Activation a) { return 1u << static_cast<uint32_t>(a); }

struct EpilogueSlots {
  const OpDef* op;                            // the operator that has them: this one, or what it becomes with them (of Conv FusedConv)
  int residual = -1, scale = -1, shift = -1;  // inputs; -1: no such part
  uint32_t activations = ~uint32_t(0);        // bits of those that it computes
  bool computes(Activation a) const { return (activations & activation_bit(a)) != 0; }
};

// The attributes of an operator with an epilogue: its own, and these.
constexpr AttrSpec kEpilogueAttrs[] = {{"activation", AttrKind::s, ""}, {"alpha", AttrKind::f}, {"beta", AttrKind::f}};
template <size_t N, size_t... I>
consteval std::array<AttrSpec, N + 3> with_epilogue(const AttrSpec (&attrs)[N], std::index_sequence<I...>) {
  return {attrs[I]..., kEpilogueAttrs[0], kEpilogueAttrs[1], kEpilogueAttrs[2]};
}
template <size_t N>
consteval std::array<AttrSpec, N + 3> with_epilogue(const AttrSpec (&attrs)[N]) {
  return with_epilogue(attrs, std::make_index_sequence<N>());
}

// What inference asks: an activation that it computes; a residual like y; scale and shift both or neither, of one element a channel.
Status check_epilogue(const InferContext& c, const EpilogueSlots& slots, const Shape& y);

// Sets what arguments have of the parts: residual, scale and shift, addresses, and the activation, which they call `activation` or `epilogue`.
// Precondition: check_epilogue() was content.
template <class Args>
void set_epilogue(BindContext& c, const EpilogueSlots& slots, Args& a) {
  const auto set = [&](const float*& field, int input) {
    if (input >= 0) c.set(field, c.input<const float>(static_cast<size_t>(input)));
  };
  if constexpr (requires { set(a.residual, 0); }) set(a.residual, slots.residual);
  if constexpr (requires { set(a.scale, 0), set(a.shift, 0); }) set(a.scale, slots.scale), set(a.shift, slots.shift);
  const ActivationSpec spec = *fused_activation(c.attrs);
  if constexpr (requires { a.activation = spec; }) a.activation = spec;
  else a.epilogue = spec;
}

// An operator's OpDef::activation: the activation of its name, with its attributes alpha and beta.
std::optional<ActivationSpec> activation_by_name(const LayoutQuery& q);
// The activation that q is, as attributes of the node that computes it.
Attributes as_attributes(const LayoutQuery& q, const ActivationSpec& spec);

}  // namespace tern
