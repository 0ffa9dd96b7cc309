// Products: linear, matmul and what is made of them. See operator.h. Next: einsum.cpp.
#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

// x W' + bias. A constant W keeps its order ([out, in]): Linear reads it so, and no copy is made.
ValueId linear_of(Builder& b, ValueId x, ValueId w, ValueId bias) {
  if (!b.ok()) return kNone;
  if (b.rank(w) == 2 && b.contents(w) != nullptr && (bias == kNone || b.contents(bias) != nullptr) && b.rank(x) >= 1 && b.dtype(x) == DType::f32) {
    return b.emit("Linear", {x, w, bias}, attributes({{"transB", int64_t(1)}}));
  }
  const ValueId y = b.emit("MatMul", {x, b.rank(w) < 2 ? w : transpose(b, w, 0, 1)});
  return bias == kNone ? y : b.emit("Add", {y, bias});
}

IValue linear(Builder& b, const Arguments& a) { return tensor_of(linear_of(b, a.tensor("input"), a.tensor("weight"), a.tensor_or_none("bias"))); }

// A weight that was transposed for a product, as a decomposed linear leaves it; kNone when it is none.
ValueId untransposed(Builder& b, ValueId w) {
  const Node* node = b.producer(w);
  if (node == nullptr || std::string_view(node->op->name) != "Transpose" || b.rank(w) != 2) return kNone;
  return b.contents(node->inputs[0]) != nullptr ? node->inputs[0] : kNone;
}

ValueId product(Builder& b, ValueId x, ValueId y) {
  const ValueId w = b.ok() ? untransposed(b, y) : kNone;
  return w == kNone ? b.emit("MatMul", {x, y}) : linear_of(b, x, w, kNone);
}

IValue matmul(Builder& b, const Arguments& a) { return tensor_of(product(b, a.tensor("input"), a.tensor("other"))); }

ValueId scaled(Builder& b, ValueId v, double factor) { return factor == 1 || !b.ok() ? v : b.emit("Mul", {v, b.scalar_like(v, factor)}); }

IValue addmm(Builder& b, const Arguments& a) {  // beta * input + alpha * mat1 mat2
  const ValueId bias = a.tensor("input"), x = a.tensor("mat1"), y = a.tensor("mat2");
  const double alpha = a.number("alpha"), beta = a.number("beta");
  const ValueId w = b.ok() ? untransposed(b, y) : kNone;
  if (w != kNone && alpha == 1 && beta == 1 && b.rank(bias) == 1 && b.contents(bias) != nullptr) return tensor_of(linear_of(b, x, w, bias));
  const ValueId p = scaled(b, b.emit("MatMul", {x, y}), alpha);
  return tensor_of(beta == 0 ? p : b.emit("Add", {p, scaled(b, bias, beta)}));
}

// y[..., o] = sum_ij x1[..., i] W[o, i, j] x2[..., j] + bias[o]
IValue bilinear(Builder& b, const Arguments& a) {
  const ValueId x1 = a.tensor("input1"), x2 = a.tensor("input2"), w = a.tensor("weight");
  const int rank = b.rank(x1);
  if (!b.ok()) return {};
  // [..., 1, 1, i] by [o, i, j] is [..., o, 1, j]; times x2 as a column [..., 1, j, 1] is [..., o, 1, 1]
  const ValueId row = unsqueeze(b, x1, {rank - 1, rank});
  const ValueId column = unsqueeze(b, x2, {rank - 1, rank + 1});
  const ValueId sums = b.emit("MatMul", {b.emit("MatMul", {row, w}), column});
  const ValueId y = squeeze(b, sums, {rank, rank + 1});
  return tensor_of(a.has("bias") ? b.emit("Add", {y, a.tensor("bias")}) : y);
}

// What bilinear decomposes to: the product of three tensors, each with axes of 1 put in, added up over some axes.
IValue trilinear(Builder& b, const Arguments& a) {
  const ValueId x = unsqueeze(b, a.tensor("i1"), a.ints("expand1")), y = unsqueeze(b, a.tensor("i2"), a.ints("expand2"));
  const ValueId z = unsqueeze(b, a.tensor("i3"), a.ints("expand3"));
  const ValueId product = b.emit("Mul", {b.emit("Mul", {x, y}), z});
  return tensor_of(b.emit("ReduceSum", {product, b.ints(a.ints("sumdim"))}, attributes({{"keepdims", int64_t(0)}})));
}

// v * (g / |v|), the norm over all axes but one; over all of them where dim is -1.
ValueId normalized(Builder& b, const Arguments& a, ValueId& norm) {
  const ValueId v = a.tensor("v");
  const int64_t dim = a.integer("dim"), kept = dim == -1 ? -1 : b.axis(v, dim);
  std::vector<int64_t> others;
  for (int i = 0; i < b.rank(v); ++i) {
    if (i != kept) others.push_back(i);
  }
  norm = b.emit("ReduceL2", {v, b.ints(others)}, attributes({{"noop_with_empty_axes", int64_t(1)}}));
  return b.emit("Mul", {v, b.emit("Div", {a.tensor("g"), norm})});
}

IValue weight_norm(Builder& b, const Arguments& a) {
  ValueId norm = kNone;
  return tensor_of(normalized(b, a, norm));
}

IValue weight_norm_interface(Builder& b, const Arguments& a) {
  ValueId norm = kNone;
  const ValueId w = normalized(b, a, norm);
  return IValue::tuple({tensor_of(w), tensor_of(norm)});
}

// Batches of products, added up.
IValue addbmm(Builder& b, const Arguments& a) {
  const ValueId products = b.emit("MatMul", {a.tensor("batch1"), a.tensor("batch2")});
  const ValueId p = scaled(b, b.emit("ReduceSum", {products, b.ints({0})}, attributes({{"keepdims", int64_t(0)}})), a.number("alpha"));
  const double beta = a.number("beta");
  return tensor_of(beta == 0 ? p : b.emit("Add", {p, scaled(b, a.tensor("input"), beta)}));
}

IValue outer(Builder& b, const Arguments& a) { return tensor_of(b.emit("Mul", {unsqueeze(b, a.tensor("input"), {1}), a.tensor("vec2")})); }

constexpr Operator kLinearRows[] = {
    {"aten.linear.default F.linear", "input, weight, bias=None", linear},
    {"aten.matmul.default aten.linalg_matmul.default aten.mm.default aten.bmm.default aten.mv.default aten.dot.default aten.vdot.default "
     "torch.vdot torch.linalg.matmul torch.matmul torch.mm torch.bmm torch.mv torch.dot Tensor.matmul "
     "Tensor.mm Tensor.bmm Tensor.mv Tensor.dot operator.matmul",
     "input|self, other|mat2|tensor|vec|vec2", matmul},
    {"aten.addmm.default aten.baddbmm.default aten.addmv.default torch.addmm torch.baddbmm torch.addmv Tensor.addmm Tensor.baddbmm Tensor.addmv",
     "input|self, mat1|batch1|mat, mat2|batch2|vec, *, beta=1, alpha=1", addmm},
    {"aten.addbmm.default torch.addbmm Tensor.addbmm", "input|self, batch1, batch2, *, beta=1, alpha=1", addbmm},
    {"aten.bilinear.default F.bilinear torch.bilinear", "input1, input2, weight, bias=None", bilinear},
    {"aten._trilinear.default", "i1, i2, i3, expand1, expand2, expand3, sumdim, unroll_dim=1", trilinear},
    {"aten._weight_norm.default torch._weight_norm", "v, g, dim=0", weight_norm},
    {"aten._weight_norm_interface.default", "v, g, dim=0", weight_norm_interface},
    {"aten.outer.default aten.ger.default torch.outer torch.ger Tensor.outer", "input|self, vec2", outer},
};

}  // namespace

std::span<const Operator> linear_operators() { return kLinearRows; }

}  // namespace tern::torch
