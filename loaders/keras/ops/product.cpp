// Products: matmul, einsum, tensordot and what is made of them. See ops.h. Next: create.cpp.
#include <algorithm>

#include "loaders/keras/ops/ops.h"
#include "runtime/graph_einsum.h"

namespace tern::keras {
namespace {

Flows matmul(Call& c) {
  const Operands o(c);
  auto [x, y] = o.pair(0, "x1|a|x", "x2|b|y");
  const auto turned = [&](ValueId v, const char* names) {
    const int rank = c.b.rank(v);
    return o.flag(names, false) && rank >= 2 ? transpose(c.b, v, rank - 2, rank - 1) : v;
  };
  x = turned(x, "transpose_a|adjoint_a");
  y = turned(y, "transpose_b|adjoint_b");
  return {{c.emit("MatMul", {x, y})}};
}

Flows einsum(Call& c) {
  const Operands o(c);
  const Argument equation = o.get(c.layer.class_name.starts_with("tf.") ? 0 : kNamed, "subscripts|equation");
  if (!equation.is(Argument::Kind::text)) return c.invalid("its equation is no text");
  std::vector<ValueId> operands;
  const bool keras = c.layer.class_name.starts_with("ops.");  // each argument is an operand, a list of numbers too
  for (const Argument& a : c.args.positional) {
    Flows all;
    a.flatten(all);
    if (keras) operands.push_back(o.tensor(a));
    else
      for (const Flow& f : all) operands.push_back(f.value);
  }
  if (const Argument* more = c.args.find("inputs"); more != nullptr) {
    Flows all;
    more->flatten(all);
    for (const Flow& f : all) operands.push_back(f.value);
  }
  if (operands.empty()) return c.invalid("its operands are not in the file: Keras 2 leaves them out");
  std::string text = equation.text;
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return {{tern::einsum(c.b, text, o.promoted(operands))}};
}

// The sum over the named axes of both; the others of x, then those of y.
ValueId contract(Call& c, ValueId x, ValueId y, std::vector<int64_t> of_x, std::vector<int64_t> of_y) {
  const int rx = c.b.rank(x), ry = c.b.rank(y);
  if (!c.b.ok() || of_x.size() != of_y.size() || rx + ry > 16) return c.b.fail(invalid("tensordot of axes that do not pair"));
  for (int64_t& axis : of_x) axis = c.axis(axis, rx);
  for (int64_t& axis : of_y) axis = c.axis(axis, ry);
  if (!c.b.ok()) return kNone;
  std::string left, right, out;
  for (int i = 0; i < rx; ++i) left += static_cast<char>('a' + i);
  for (int i = 0; i < ry; ++i) {
    const auto at = std::find(of_y.begin(), of_y.end(), i);
    right += at == of_y.end() ? static_cast<char>('a' + rx + i) : left[static_cast<size_t>(of_x[static_cast<size_t>(at - of_y.begin())])];
  }
  for (char letter : left) out += right.find(letter) == right.npos ? std::string(1, letter) : "";
  for (char letter : right) out += left.find(letter) == left.npos ? std::string(1, letter) : "";
  return tern::einsum(c.b, left + "," + right + "->" + out, {x, y});
}

Flows tensordot(Call& c) {
  const Operands o(c);
  const auto [x, y] = o.pair(0, "x1|a", "x2|b");
  const Argument axes = o.get(2, "axes");
  std::vector<int64_t> of_x, of_y;
  if (axes.is(Argument::Kind::list) && axes.items.size() == 2) {
    const auto list = [](const Argument& a) {
      std::vector<int64_t> out;
      if (a.is(Argument::Kind::integer)) out.push_back(a.integer);
      for (const Argument& item : a.items) out.push_back(item.integer);
      return out;
    };
    of_x = list(axes.items[0]), of_y = list(axes.items[1]);
  } else {
    const int64_t n = axes.is_none() ? 2 : axes.integer;
    if (n < 0 || n > kMaxRank) return c.invalid("tensordot over " + std::to_string(n) + " axes");
    for (int64_t i = 0; i < n; ++i) of_x.push_back(i - n), of_y.push_back(i);
  }
  return {{contract(c, x, y, of_x, of_y)}};
}

// numpy's dot: over the last axis of x and the last but one of y.
Flows dot(Call& c) {
  const auto [x, y] = Operands(c).pair(0, "x1", "x2");
  const int rx = c.b.rank(x), ry = c.b.rank(y);
  if (rx == 0 || ry == 0) return {{c.emit("Mul", {x, y})}};
  if (rx <= 2 && ry <= 2) return {{c.emit("MatMul", {x, y})}};
  return {{contract(c, x, y, {-1}, {ry == 1 ? -1 : -2})}};
}

Flows outer(Call& c) {
  const auto [x, y] = Operands(c).pair(0, "x1", "x2");
  return {{c.emit("Mul", {c.b.reshape(x, {-1, 1}), c.b.reshape(y, {1, -1})})}};
}

Flows inner(Call& c) {
  const auto [x, y] = Operands(c).pair(0, "x1", "x2");
  return {{contract(c, x, y, {-1}, {-1})}};
}

constexpr LayerRow kProductRows[] = {
    {"ops.Matmul tf.linalg.matmul tf.matmul", matmul},
    {"ops.Einsum tf.einsum tf.linalg.einsum", einsum},
    {"ops.Tensordot tf.tensordot", tensordot},
    {"ops.Dot", dot},
    {"ops.Outer", outer},
    {"ops.Inner ops.Vdot", inner},
};

}  // namespace

std::span<const LayerRow> product_operations() { return kProductRows; }

}  // namespace tern::keras
