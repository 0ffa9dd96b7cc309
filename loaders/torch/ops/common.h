// What the families of operators share besides runtime/graph_nodes.h: torch's promotion of dtypes. Next: pointwise.cpp.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "loaders/torch/ops/operator.h"
#include "runtime/graph_nodes.h"

namespace tern::torch {

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
// With at least that many dimensions (1, 2, 3), the new ones where torch's atleast_*d puts them.
ValueId with_rank(Builder& b, ValueId v, int rank);

}  // namespace tern::torch
