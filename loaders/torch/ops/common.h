// What the families of operators share: attributes in a line, torch's promotion of dtypes, reductions of axes. Next: pointwise.cpp.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "loaders/torch/ops/operator.h"

namespace tern::torch {

inline Attributes attributes(std::initializer_list<std::pair<const char*, Attributes::Value>> list) {
  Attributes out;
  for (const auto& [name, value] : list) out.set(name, value);
  return out;
}

// The name of a node as a template argument: unary<"Relu">.
template <size_t N>
struct Text {
  char text[N];
  constexpr Text(const char (&s)[N]) { std::copy_n(s, N, text); }  // NOLINT: implicit on purpose
};

// torch.promote_types: bool < integers < floats; f16 with bf16 is f32.
DType promote(DType a, DType b);
// torch.result_type of tensors and Python numbers: dimensions beat scalars, tensors beat numbers, unless those are of a higher kind.
DType result_type(Builder& b, std::initializer_list<const IValue*> operands);
// The operand as a tensor of that dtype.
ValueId operand(Builder& b, const IValue& value, DType dtype);
// Both operands in one dtype, as tensors; to_real: integers and bools in f32.
std::pair<ValueId, ValueId> pair_of(Builder& b, const IValue& x, const IValue& y, bool to_real = false);
// Without what stands behind the point.
ValueId truncated(Builder& b, ValueId v);
// An integer or bool tensor becomes f32, as in torch's functions of real numbers.
ValueId real(Builder& b, ValueId v);
// The tensor of an expression that a node of this operator makes.
inline IValue tensor_of(ValueId v) { return IValue::tensor(v); }
ValueId transpose(Builder& b, ValueId v, int axis0, int axis1);
ValueId permute(Builder& b, ValueId v, const std::vector<int64_t>& order);
ValueId unsqueeze(Builder& b, ValueId v, std::vector<int64_t> axes);
ValueId squeeze(Builder& b, ValueId v, std::vector<int64_t> axes);
std::vector<Int> sizes_of(Builder& b, ValueId v);
// The size of an axis that must be a number now; fails with "who along a dimension that is not known when the model is loaded".
int64_t known_size(Builder& b, ValueId x, int axis, const char* who);
// With at least that many dimensions (1, 2, 3), the new ones where torch's atleast_*d puts them.
ValueId with_rank(Builder& b, ValueId v, int rank);
// x[..., start:end:step, ...] with known numbers; `end` INT64_MAX: to the end.
ValueId slice(Builder& b, ValueId v, int axis, int64_t start, int64_t end, int64_t step = 1);
ValueId concat(Builder& b, std::vector<ValueId> values, int axis);
// f(x) of [N, C, spatial…]; inputs without a batch get one for the while.
template <class F>
ValueId batched(Builder& b, ValueId x, int spatial, F f) {
  if (!b.ok() || b.rank(x) != spatial + 1) return f(x);
  return squeeze(b, f(unsqueeze(b, x, {0})), {0});
}

}  // namespace tern::torch
