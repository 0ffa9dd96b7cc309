// Casts, and what changes nothing in eval mode. See operator.h. Next: functions.cpp.
#include "loaders/torch/module/dtypes.h"
#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

IValue to(Builder& b, const Arguments& a) {  // .to(dtype), .to(device), .to(device, dtype), .to(other); devices say nothing
  const ValueId x = a.tensor("input");
  for (const char* name : {"dtype", "first", "second"}) {
    if (const auto* dtype = a[name].get<DType>()) return tensor_of(b.cast(x, *dtype));
    if (a[name].is_tensor()) return tensor_of(b.cast(x, b.dtype(a[name].id())));
  }
  return tensor_of(x);
}

template <DType To>
IValue to_type(Builder& b, const Arguments& a) {
  return tensor_of(b.cast(a.tensor("input"), To));
}

IValue type_as(Builder& b, const Arguments& a) { return tensor_of(b.cast(a.tensor("input"), b.dtype(a.tensor("other")))); }

IValue identity(Builder&, const Arguments& a) { return tensor_of(a.tensor("input")); }

IValue type(Builder& b, const Arguments& a) {  // x.type(torch.float64)
  const ValueId x = a.tensor("input");
  return tensor_of(a.has("dtype") ? b.cast(x, a.dtype("dtype")) : b.fail(unsupported("the name of a type is not supported; compare dtypes")));
}

template <bool Real>
IValue of_kind(Builder& b, const Arguments& a) {
  return is_float(b.dtype(a.tensor("input"))) == Real;
}

// In training it would also give a mask.
IValue native_dropout(Builder& b, const Arguments& a) {
  if (a.has("train") && a.boolean("train")) b.fail(unsupported("dropout in training mode is not supported; call model.eval() before exporting"));
  return IValue::tuple({tensor_of(a.tensor("input")), IValue::uncomputed("mask outside of training")});
}

IValue dropout(Builder& b, const Arguments& a) {
  if (a.boolean("training") && a.number("p") != 0) {
    b.fail(unsupported("dropout in training mode is random: write F.dropout(x, p, self.training), or call model.eval() before exporting"));
  }
  return tensor_of(a.tensor("input"));
}

constexpr Operator kCastsRows[] = {
    {"Tensor.to", "input|self, first|other=None, second=None, third=None, fourth=None, *, dtype=None, non_blocking=False, copy=False, **options", to,
     Shares::perhaps},
    {"aten.to.dtype", "input|self, dtype=None, non_blocking=False, copy=False, memory_format=None, *, layout=None, device=None, pin_memory=None", to,
     Shares::perhaps},
    {"aten._to_copy.default",
     "input|self, dtype=None, non_blocking=False, copy=False, memory_format=None, *, layout=None, device=None, pin_memory=None", to},
    {"aten.to.dtype_layout",
     "input|self, *, dtype=None, layout=None, device=None, pin_memory=None, non_blocking=False, copy=False, memory_format=None", to, Shares::perhaps},
    {"aten.to.device", "input|self, device=None, dtype=None, non_blocking=False, copy=False, memory_format=None", to, Shares::perhaps},
    {"aten.to.other", "input|self, dtype|other=None, non_blocking=False, copy=False, memory_format=None", to, Shares::perhaps},
    {"Tensor.float", "input|self", to_type<DType::f32>, Shares::perhaps},
    {"Tensor.double", "input|self", to_type<DType::f64>, Shares::perhaps},
    {"Tensor.half", "input|self", to_type<DType::f16>, Shares::perhaps},
    {"Tensor.bfloat16", "input|self", to_type<DType::bf16>, Shares::perhaps},
    {"Tensor.long", "input|self", to_type<DType::i64>, Shares::perhaps},
    {"Tensor.int", "input|self", to_type<DType::i32>, Shares::perhaps},
    {"Tensor.bool", "input|self", to_type<DType::boolean>, Shares::perhaps},
    {"Tensor.type_as aten.type_as.default", "input|self, other", type_as, Shares::perhaps},
    {"aten.clone.default torch.clone Tensor.clone", "input|self, *, memory_format=None", identity},
    {"aten.contiguous.default Tensor.contiguous", "input|self, *, memory_format=None", identity, Shares::perhaps},
    {"aten.detach.default aten.alias.default aten.lift_fresh.default aten.detach_.default aten.resolve_conj.default "
     "aten.resolve_neg.default Tensor.detach Tensor.cpu Tensor.cuda torch.detach aten.positive.default torch.positive operator.pos",
     "input|self", identity, Shares::same},
    {"aten.lift_fresh_copy.default", "input|self", identity},
    {"Tensor.requires_grad_", "input|self, requires_grad=True", identity, Shares::same},
    {"F.dropout F.alpha_dropout F.feature_alpha_dropout F.dropout1d F.dropout2d F.dropout3d torch.dropout aten.dropout.default "
     "aten.feature_dropout.default "
     "aten.alpha_dropout.default aten.feature_alpha_dropout.default",
     "input|self, p=0.5, training|train=True, inplace=False", dropout, Shares::same},
    {"Tensor.short", "input|self", to_type<DType::i16>, Shares::perhaps},
    {"Tensor.char", "input|self", to_type<DType::i8>, Shares::perhaps},
    {"Tensor.byte", "input|self", to_type<DType::u8>, Shares::perhaps},
    {"Tensor.type", "input|self, dtype=None", type, Shares::perhaps},
    {"torch.is_floating_point Tensor.is_floating_point", "input|self", of_kind<true>},
    {"aten.native_dropout.default", "input, p, train", native_dropout},
};

}  // namespace

std::span<const Operator> cast_operators() { return kCastsRows; }

}  // namespace tern::torch
