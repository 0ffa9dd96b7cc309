// See graph_einsum.h.
#include "runtime/graph_einsum.h"

#include "kernels/einsum/einsum.h"
#include "runtime/graph_nodes.h"

namespace tern {
namespace {

ValueId reordered(GraphBuilder& b, const Lettered& x, const std::string& to) {
  std::vector<int64_t> order;
  for (char c : to) order.push_back(static_cast<int64_t>(x.axes.find(c)));
  return permute(b, x.v, order);
}

void sum_away(GraphBuilder& b, Lettered& x, const std::string& keep) {
  std::vector<int64_t> gone;
  std::string left;
  for (size_t i = 0; i < x.axes.size(); ++i) {
    if (keep.find(x.axes[i]) == std::string::npos) gone.push_back(static_cast<int64_t>(i));
    else left += x.axes[i];
  }
  x.axes = left;
  if (!gone.empty()) x.v = b.emit("ReduceSum", {x.v, b.ints(gone)}, attributes({{"keepdims", int64_t(0)}}));
}

// "ii": the diagonal of the two axes, which comes last. In the matrix as a vector it is every (n + 1)th element.
void take_diagonals(GraphBuilder& b, Lettered& x) {
  for (size_t i = 0; i < x.axes.size() && b.ok();) {
    const char letter = x.axes[i];
    const size_t again = x.axes.find(letter, i + 1);
    if (again == x.axes.npos) {
      ++i;
      continue;
    }
    std::string rest = x.axes;
    rest.erase(again, 1);
    rest.erase(i, 1);
    std::vector<int64_t> order;
    std::vector<Int> sizes;
    for (size_t axis = 0; axis < x.axes.size(); ++axis) {
      if (axis == i || axis == again) continue;
      order.push_back(static_cast<int64_t>(axis));
      sizes.push_back(b.size(x.v, static_cast<int>(axis)));
    }
    order.insert(order.end(), {static_cast<int64_t>(i), static_cast<int64_t>(again)});
    sizes.push_back(-1);
    const Int n = b.size(x.v, static_cast<int>(i));
    const ValueId places = b.emit("Mul", {b.emit("Range", {b.scalar(Int(0)), b.scalar(n), b.scalar(Int(1))}), b.scalar(b.add(n, 1))});
    x.v = b.emit("Gather", {b.reshape(permute(b, x.v, order), sizes), places}, attributes({{"axis", int64_t(rest.size())}}));
    x.axes = rest + letter;
  }
}

}  // namespace

// [batch, x, k] by [batch, k, y]
Lettered contract(GraphBuilder& b, Lettered x, Lettered y, const std::string& keep) {
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

ValueId einsum(GraphBuilder& b, const std::string& equation, const std::vector<ValueId>& operands) {
  std::vector<int> ranks;
  for (ValueId v : operands) ranks.push_back(b.rank(v));
  const auto terms = parse_einsum(equation, ranks);
  if (!b.ok()) return kNone;
  if (!terms || operands.empty()) return b.fail(invalid("'" + equation + "' does not fit the number of operands or of their dimensions"));
  std::vector<Lettered> lettered;
  for (size_t i = 0; i < operands.size(); ++i) {
    lettered.push_back({operands[i], terms->in[i]});
    take_diagonals(b, lettered[i]);
  }
  Lettered product = lettered[0];
  for (size_t i = 1; i < lettered.size(); ++i) {
    std::string keep = terms->out;
    for (size_t k = i + 1; k < lettered.size(); ++k) keep += lettered[k].axes;
    product = contract(b, product, lettered[i], keep);
  }
  sum_away(b, product, terms->out);
  return b.ok() ? reordered(b, product, terms->out) : kNone;
}

}  // namespace tern
