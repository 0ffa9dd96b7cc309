// Sums of products over named axes: einsum, and what it can say: tensordot, inner, kron, cross. See operator.h. Next: shape.cpp.
#include "kernels/einsum/einsum.h"

#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

// A tensor whose axes have letters.
struct Lettered {
  ValueId v = kNone;
  std::string axes;
};

ValueId reordered(Builder& b, const Lettered& x, const std::string& to) {
  std::vector<int64_t> order;
  for (char c : to) order.push_back(static_cast<int64_t>(x.axes.find(c)));
  return permute(b, x.v, order);
}

void sum_away(Builder& b, Lettered& x, const std::string& keep) {
  std::vector<int64_t> gone;
  std::string left;
  for (size_t i = 0; i < x.axes.size(); ++i) {
    if (keep.find(x.axes[i]) == std::string::npos) gone.push_back(static_cast<int64_t>(i));
    else left += x.axes[i];
  }
  x.axes = left;
  if (!gone.empty()) x.v = b.emit("ReduceSum", {x.v, b.ints(gone)}, attributes({{"keepdims", int64_t(0)}}));
}

// Two operands as one batched product: [batch, x, k] by [batch, k, y]. Batch axes of size 1 broadcast.
Lettered contract(Builder& b, Lettered x, Lettered y, const std::string& keep) {
  sum_away(b, x, y.axes + keep);
  sum_away(b, y, x.axes + keep);
  std::string batch, sum, left, right;
  for (char c : x.axes) (y.axes.find(c) == std::string::npos ? left : keep.find(c) == std::string::npos ? sum : batch) += c;
  for (char c : y.axes) {
    if (x.axes.find(c) == std::string::npos) right += c;
  }
  auto sizes = [&](const Lettered& t, const std::string& letters) {
    std::vector<Int> out;
    for (char c : letters) out.push_back(b.size(t.v, static_cast<int>(t.axes.find(c))));
    return out;
  };
  auto count = [&](const Lettered& t, const std::string& letters) {
    Int n = 1;
    for (const Int& s : sizes(t, letters)) n = b.mul(n, s);
    return n;
  };
  auto as_matrices = [&](const Lettered& t, const std::string& rows, const std::string& columns) {
    std::vector<Int> shape = sizes(t, batch);
    shape.push_back(count(t, rows));
    shape.push_back(count(t, columns));
    return b.reshape(reordered(b, t, batch + rows + columns), shape);
  };
  const ValueId p = as_matrices(x, left, sum), q = as_matrices(y, sum, right);
  std::vector<Int> out = sizes(x, batch);
  const std::vector<Int> other = sizes(y, batch), lefts = sizes(x, left), rights = sizes(y, right);
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i].known() && out[i].value() == 1) out[i] = other[i];
  }
  out.insert(out.end(), lefts.begin(), lefts.end());
  out.insert(out.end(), rights.begin(), rights.end());
  return {b.reshape(b.emit("MatMul", {p, q}), out), batch + left + right};
}

// ---- einsum ----

// "ii": the diagonal of the two axes, which comes last.
void take_diagonals(Builder& b, Lettered& x) {
  for (size_t i = 0; i < x.axes.size();) {
    const size_t again = x.axes.find(x.axes[i], i + 1);
    if (again == x.axes.npos) {
      ++i;
      continue;
    }
    x.v = call(b, "torch.diagonal", {tensor_of(x.v), Int(0), Int(static_cast<int64_t>(i)), Int(static_cast<int64_t>(again))}).id();
    const char letter = x.axes[i];
    x.axes.erase(again, 1);
    x.axes.erase(i, 1);
    x.axes += letter;
    if (!b.ok()) return;
  }
}

IValue einsum(Builder& b, const Arguments& a) {
  const std::string equation = a.string("equation");
  const IValues* items = a["operands"].items();
  if (items != nullptr && items->size() == 1 && (*items)[0].items() != nullptr) items = (*items)[0].items();
  std::vector<Lettered> operands;
  std::vector<int> ranks;
  for (size_t i = 0; items != nullptr && i < items->size(); ++i) {
    if (!(*items)[i].is_tensor() && b.ok()) b.fail(invalid(std::string("an operand must be a tensor, not ") + (*items)[i].kind()));
    operands.push_back({(*items)[i].id(), {}});
    ranks.push_back(b.rank((*items)[i].id()));
  }
  const auto terms = parse_einsum(equation, ranks);
  if (!b.ok()) return {};
  if (!terms || operands.empty()) return tensor_of(b.fail(invalid("'" + equation + "' does not fit the number of operands or of their dimensions")));
  for (size_t i = 0; i < operands.size(); ++i) {
    operands[i].axes = terms->in[i];
    take_diagonals(b, operands[i]);
  }
  Lettered product = operands[0];
  for (size_t i = 1; i < operands.size(); ++i) {
    std::string keep = terms->out;
    for (size_t k = i + 1; k < operands.size(); ++k) keep += operands[k].axes;
    product = contract(b, product, operands[i], keep);
  }
  sum_away(b, product, terms->out);
  return tensor_of(b.ok() ? reordered(b, product, terms->out) : kNone);
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

constexpr Operator kRows[] = {
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

std::span<const Operator> einsum_operators() { return kRows; }

}  // namespace tern::torch
