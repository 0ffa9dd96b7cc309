// Products: linear, matmul and what is made of them. See operator.h. Next: shape.cpp.
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

IValue linear(Builder& b, const Arguments& a) {
  return tensor_of(linear_of(b, a.tensor("input"), a.tensor("weight"), a.tensor_or_none("bias")));
}

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

IValue outer(Builder& b, const Arguments& a) {
  return tensor_of(b.emit("Mul", {unsqueeze(b, a.tensor("input"), {1}), a.tensor("vec2")}));
}

// ---- einsum ----

struct Terms {
  std::vector<std::string> in;
  std::string out;
};

std::optional<Terms> parse_equation(std::string text) {
  std::erase(text, ' ');
  Terms t;
  const size_t arrow = text.find("->");
  std::string left = text.substr(0, arrow);
  for (size_t at = 0; at <= left.size();) {
    const size_t end = std::min(left.find(',', at), left.size());
    t.in.push_back(left.substr(at, end - at));
    at = end + 1;
  }
  if (arrow != std::string::npos) {
    t.out = text.substr(arrow + 2);
  } else {  // letters that appear once, sorted
    std::string all = left;
    std::sort(all.begin(), all.end());
    for (char c : all) {
      if (c != ',' && std::count(left.begin(), left.end(), c) == 1) t.out += c;
    }
  }
  auto letters = [](const std::string& s) {
    std::string sorted = s;
    std::sort(sorted.begin(), sorted.end());
    return std::all_of(s.begin(), s.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }) &&
           std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
  };
  for (const std::string& s : t.in) {
    if (!letters(s)) return std::nullopt;  // an ellipsis, a diagonal
  }
  return letters(t.out) ? std::optional(t) : std::nullopt;
}

ValueId reordered(Builder& b, ValueId v, const std::string& from, const std::string& to) {
  std::vector<int64_t> order;
  for (char c : to) order.push_back(static_cast<int64_t>(from.find(c)));
  return permute(b, v, order);
}

ValueId sum_away(Builder& b, ValueId v, std::string& axes, const std::string& keep) {
  std::vector<int64_t> gone;
  std::string left;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (keep.find(axes[i]) == std::string::npos) gone.push_back(static_cast<int64_t>(i));
    else left += axes[i];
  }
  axes = left;
  return gone.empty() ? v : b.emit("ReduceSum", {v, b.ints(gone)}, attributes({{"keepdims", int64_t(0)}}));
}

// Two operands as one batched product: [batch, x, k] by [batch, k, y].
ValueId contract(Builder& b, ValueId x, std::string xs, ValueId y, std::string ys, const std::string& keep, std::string& made) {
  x = sum_away(b, x, xs, ys + keep);
  y = sum_away(b, y, ys, xs + keep);
  std::string batch, sum, left, right;
  for (char c : xs) (ys.find(c) == std::string::npos ? left : keep.find(c) == std::string::npos ? sum : batch) += c;
  for (char c : ys) {
    if (xs.find(c) == std::string::npos) right += c;
  }
  auto sizes_of = [&](ValueId v, const std::string& axes, const std::string& letters) {
    std::vector<Int> sizes;
    for (char c : letters) sizes.push_back(b.size(v, static_cast<int>(axes.find(c))));
    return sizes;
  };
  auto count = [&](const std::vector<Int>& sizes) {
    Int n = 1;
    for (const Int& s : sizes) n = b.mul(n, s);
    return n;
  };
  const auto batches = sizes_of(x, xs, batch), lefts = sizes_of(x, xs, left), sums = sizes_of(x, xs, sum), rights = sizes_of(y, ys, right);
  auto shape = [&](std::vector<Int> sizes, Int second, Int third) {
    sizes.push_back(second);
    sizes.push_back(third);
    return sizes;
  };
  const ValueId p = b.reshape(reordered(b, x, xs, batch + left + sum), shape(batches, count(lefts), count(sums)));
  const ValueId q = b.reshape(reordered(b, y, ys, batch + sum + right), shape(batches, count(sums), count(rights)));
  std::vector<Int> out = batches;
  out.insert(out.end(), lefts.begin(), lefts.end());
  out.insert(out.end(), rights.begin(), rights.end());
  made = batch + left + right;
  return b.reshape(b.emit("MatMul", {p, q}), out);
}

IValue einsum(Builder& b, const Arguments& a) {
  auto terms = parse_equation(a.string("equation"));
  std::vector<ValueId> operands;
  const IValue& list = a["operands"];
  const IValues* items = list.items();
  if (items != nullptr && items->size() == 1 && (*items)[0].items() != nullptr) items = (*items)[0].items();
  for (size_t i = 0; items != nullptr && i < items->size(); ++i) operands.push_back((*items)[i].id());
  if (!b.ok()) return {};
  if (!terms || operands.empty() || operands.size() != terms->in.size()) {
    b.fail(unsupported("einsum '" + a.string("equation") + "': only letters, each once an operand, are supported"));
    return {};
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    if (operands[i] == kNone || b.rank(operands[i]) != static_cast<int>(terms->in[i].size())) {
      b.fail(invalid("einsum '" + a.string("equation") + "': operand " + std::to_string(i) + " has another number of dimensions"));
      return {};
    }
  }
  ValueId v = operands[0];
  std::string axes = terms->in[0];
  for (size_t i = 1; i < operands.size(); ++i) {
    std::string keep = terms->out;
    for (size_t k = i + 1; k < operands.size(); ++k) keep += terms->in[k];
    std::string made;
    v = contract(b, v, axes, operands[i], terms->in[i], keep, made);
    axes = made;
  }
  v = sum_away(b, v, axes, terms->out);
  for (char c : terms->out) {
    if (axes.find(c) == std::string::npos) return tensor_of(b.fail(invalid("einsum '" + a.string("equation") + "': the result has a letter that no operand has")));
  }
  return tensor_of(b.ok() ? reordered(b, v, axes, terms->out) : kNone);
}

constexpr Operator kRows[] = {
    {"aten.linear.default F.linear", "input, weight, bias=None", linear},
    {"aten.matmul.default aten.mm.default aten.bmm.default aten.mv.default aten.dot.default torch.matmul torch.mm torch.bmm torch.mv torch.dot Tensor.matmul "
     "Tensor.mm Tensor.bmm Tensor.mv Tensor.dot operator.matmul",
     "input|self, other|mat2", matmul},
    {"aten.addmm.default aten.baddbmm.default aten.addmv.default torch.addmm torch.baddbmm Tensor.addmm Tensor.baddbmm",
     "input|self, mat1|batch1, mat2|batch2, *, beta=1, alpha=1", addmm},
    {"aten.bilinear.default F.bilinear torch.bilinear", "input1, input2, weight, bias=None", bilinear},
    {"aten.outer.default torch.outer torch.ger Tensor.outer", "input|self, vec2", outer},
    {"torch.einsum", "equation, *operands", einsum},
    {"aten.einsum.default", "equation, operands|tensors, *, path=None", einsum},
};

}  // namespace

std::span<const Operator> linear_operators() { return kRows; }

}  // namespace tern::torch
