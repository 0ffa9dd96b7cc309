// Sums of products over named axes: einsum, and what it can say: tensordot, inner, kron, cross. See operator.h. Next: shape.cpp.
#include "loaders/torch/ops/common.h"
#include "runtime/graph_einsum.h"

namespace tern::torch {
namespace {

IValue einsum(Builder& b, const Arguments& a) {
  const IValues* items = a["operands"].items();
  if (items != nullptr && items->size() == 1 && (*items)[0].items() != nullptr) items = (*items)[0].items();
  std::vector<ValueId> operands;
  for (size_t i = 0; items != nullptr && i < items->size(); ++i) {
    if (!(*items)[i].is_tensor() && b.ok()) b.fail(invalid(std::string("an operand must be a tensor, not ") + (*items)[i].kind()));
    operands.push_back((*items)[i].id());
  }
  return tensor_of(tern::einsum(b, a.string("equation"), operands));
}

// ---- what einsum could say ----

std::string letters(char first, int n) {
  std::string s;
  for (int i = 0; i < n; ++i) s += static_cast<char>(first + i);
  return s;
}

// Sums over pairs of axes: the last n of one with the first n of the other, or as listed.
IValue tensordot(Builder& b, const Arguments& a) {
  Lettered x{a.tensor("input"), letters('a', b.rank(a.tensor("input")))}, y{a.tensor("other"), letters('A', b.rank(a.tensor("other")))};
  std::vector<int64_t> of_x, of_y;
  auto list = [&](const IValue& v, std::vector<int64_t>& out) {
    if (const Int* n = v.get<Int>(); n != nullptr && n->known()) return out.push_back(n->value());
    for (size_t i = 0; v.items() != nullptr && i < v.items()->size(); ++i) {
      const Int* n = (*v.items())[i].get<Int>();
      if (n != nullptr && n->known()) out.push_back(n->value());
    }
  };
  if (a.has("dims_other")) {  // before all else: [1, 2] is two dims here, and a pair of ints in Python's form
    list(a["dims"], of_x);
    list(a["dims_other"], of_y);
  } else if (const Int* n = a["dims"].get<Int>(); n != nullptr && n->known()) {
    for (int64_t i = 0; i < n->value() && i < kMaxRank; ++i) {
      of_x.push_back(i - n->value());
      of_y.push_back(i);
    }
  } else if (const IValues* both = a["dims"].items(); both != nullptr && both->size() == 2) {
    list((*both)[0], of_x);
    list((*both)[1], of_y);
  }
  if (b.ok() && of_x.size() != of_y.size()) b.fail(invalid("dims must be an int, or as many dims of one tensor as of the other"));
  for (size_t i = 0; i < of_x.size() && b.ok(); ++i) {
    const int p = b.axis(x.v, of_x[i]), q = b.axis(y.v, of_y[i]);
    if (b.ok()) y.axes[static_cast<size_t>(q)] = x.axes[static_cast<size_t>(p)];
  }
  if (!b.ok()) return {};
  std::string keep;
  for (char c : x.axes + y.axes) {
    if (x.axes.find(c) == std::string::npos || y.axes.find(c) == std::string::npos) keep += c;
  }
  return tensor_of(contract(b, x, y, keep).v);
}

IValue inner(Builder& b, const Arguments& a) {  // over the last axis of both
  const ValueId x = a.tensor("input"), y = a.tensor("other");
  const int n = b.rank(x), m = b.rank(y);
  if (!b.ok()) return {};
  if (n == 0 || m == 0) return tensor_of(b.emit("Mul", {x, y}));
  std::string of_y = letters('A', m), keep = letters('a', n - 1) + letters('A', m - 1);
  of_y.back() = static_cast<char>('a' + n - 1);
  return tensor_of(contract(b, {x, letters('a', n)}, {y, of_y}, keep).v);
}

// Every element of one times the whole other, side by side.
IValue kron(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input"), y = a.tensor("other");
  const int rank = std::max(b.rank(x), b.rank(y));
  std::vector<Int> of_x, of_y, made;
  for (int i = 0; i < rank; ++i) {
    const int p = i - rank + b.rank(x), q = i - rank + b.rank(y);
    const Int n = p < 0 ? Int(1) : b.size(x, p), m = q < 0 ? Int(1) : b.size(y, q);
    of_x.insert(of_x.end(), {n, Int(1)});
    of_y.insert(of_y.end(), {Int(1), m});
    made.push_back(b.mul(n, m));
  }
  if (b.ok() && 2 * rank > kMaxRank)
    return tensor_of(b.fail(unsupported("kron of more than " + std::to_string(kMaxRank / 2) + " dimensions is not supported")));
  return tensor_of(b.reshape(b.emit("Mul", {b.reshape(x, of_x), b.reshape(y, of_y)}), made));
}

IValue cross(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), y = a.tensor("other");
  int axis = 0;
  if (a.has("dim")) {
    axis = b.axis(x, a.integer("dim"));
  } else {
    while (b.ok() && axis < b.rank(x) && !b.shape(x)[axis].is(3)) ++axis;  // the first of size 3
  }
  if (!b.ok()) return {};
  if (axis >= b.rank(x) || !b.shape(x)[axis].is(3)) return tensor_of(b.fail(invalid("cross needs a dimension of size 3")));
  auto turned = [&](ValueId v, std::vector<int64_t> order) {
    return b.emit("Gather", {v, b.ints(order)}, attributes({{"axis", int64_t(axis - b.rank(x))}}));
  };
  const ValueId first = b.emit("Mul", {turned(x, {1, 2, 0}), turned(y, {2, 0, 1})}),
                second = b.emit("Mul", {turned(x, {2, 0, 1}), turned(y, {1, 2, 0})});
  return tensor_of(b.emit("Sub", {first, second}));
}

IValue vecdot(Builder& b, const Arguments& a) {
  const ValueId p = b.emit("Mul", {a.tensor("input"), a.tensor("other")});
  const int axis = b.axis(p, a.integer("dim"));
  return tensor_of(b.emit("ReduceSum", {p, b.ints({axis})}, attributes({{"keepdims", int64_t(0)}})));
}

IValue multi_dot(Builder& b, const Arguments& a) {
  ValueId product = kNone;
  for (ValueId v : a.tensors("tensors")) product = product == kNone ? v : b.emit("MatMul", {product, v});
  return tensor_of(product);
}

constexpr Operator kEinsumRows[] = {
    {"torch.einsum", "equation, *operands", einsum},
    {"aten.einsum.default", "equation, operands|tensors, *, path=None", einsum},
    {"torch.tensordot", "input|a, other|b, dims=2", tensordot},
    {"aten.tensordot.default", "input|self, other, dims|dims_self, dims_other", tensordot},
    {"aten.inner.default torch.inner Tensor.inner", "input|self, other", inner},
    {"aten.kron.default torch.kron Tensor.kron", "input|self, other", kron},
    {"aten.cross.default torch.cross Tensor.cross", "input|self, other, dim=None", cross},
    {"aten.linalg_cross.default torch.linalg.cross", "input|self, other, *, dim=-1", cross},
    {"aten.linalg_vecdot.default torch.linalg.vecdot", "input|self|x, other|y, *, dim=-1", vecdot},
    {"aten.linalg_multi_dot.default torch.linalg.multi_dot", "tensors", multi_dot},
};

}  // namespace

std::span<const Operator> einsum_operators() { return kEinsumRows; }

}  // namespace tern::torch
