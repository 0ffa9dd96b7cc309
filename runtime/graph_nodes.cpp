// See graph_nodes.h.
#include "runtime/graph_nodes.h"

#include <algorithm>

namespace tern {

ValueId permute(GraphBuilder& b, ValueId v, const std::vector<int64_t>& order) {
  if (std::is_sorted(order.begin(), order.end())) return v;
  return b.emit("Transpose", {v}, attributes({{"perm", order}}));
}

ValueId transpose(GraphBuilder& b, ValueId v, int axis0, int axis1) {
  std::vector<int64_t> order(static_cast<size_t>(b.rank(v)));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  if (!order.empty()) std::swap(order[static_cast<size_t>(axis0)], order[static_cast<size_t>(axis1)]);
  return permute(b, v, order);
}

ValueId unsqueeze(GraphBuilder& b, ValueId v, std::vector<int64_t> axes) { return axes.empty() ? v : b.emit("Unsqueeze", {v, b.ints(axes)}); }
ValueId squeeze(GraphBuilder& b, ValueId v, std::vector<int64_t> axes) { return axes.empty() ? v : b.emit("Squeeze", {v, b.ints(axes)}); }

std::vector<Int> sizes_of(GraphBuilder& b, ValueId v) {
  std::vector<Int> sizes;
  for (int i = 0; i < b.rank(v); ++i) sizes.push_back(b.size(v, i));
  return sizes;
}

int64_t known_size(GraphBuilder& b, ValueId x, int axis, const char* who) {
  const Int n = b.size(x, axis);
  if (n.known()) return n.value();
  if (b.ok()) b.fail(unsupported(std::string(who) + " along a dimension that is not known when the model is loaded"));
  return 0;
}

ValueId slice(GraphBuilder& b, ValueId v, int axis, int64_t start, int64_t end, int64_t step) {
  if (start == 0 && end == INT64_MAX && step == 1) return v;
  auto one = [&](int64_t n) { return b.ints({n}); };
  return b.emit("Slice", {v, one(start), one(end), one(axis), one(step)});
}

ValueId concat(GraphBuilder& b, std::vector<ValueId> values, int axis) {
  if (values.size() == 1) return values[0];
  return b.emit("Concat", std::move(values), attributes({{"axis", int64_t(axis)}}));
}

ValueId reorder_parts(GraphBuilder& b, ValueId x, const std::vector<int64_t>& order, int64_t size) {
  std::vector<Int> whole = sizes_of(b, x), parts = whole;
  if (whole.empty()) return x;
  parts.back() = static_cast<int64_t>(order.size());
  parts.emplace_back(size);
  const ValueId moved = b.emit("Gather", {b.reshape(x, parts), b.ints(order)}, attributes({{"axis", static_cast<int64_t>(whole.size()) - 1}}));
  return b.reshape(moved, whole);
}

ValueId reverse(GraphBuilder& b, ValueId v, int axis) { return slice(b, v, axis, -1, INT64_MIN, -1); }

ValueId adaptive_pool_axis(GraphBuilder& b, ValueId x, int axis, int64_t n, bool maximum) {
  const char* reduce = maximum ? "ReduceMax" : "ReduceMean";
  auto over = [&](ValueId v) { return b.emit(reduce, {v, b.ints({axis})}, attributes({{"keepdims", int64_t(1)}})); };
  if (n < 1) return b.fail(invalid("an adaptive pool of " + std::to_string(n) + " windows"));
  if (n == 1) return over(x);
  const Int size = b.size(x, axis);
  if (!size.known()) return b.fail(unsupported("an adaptive pool over a size that is not known when the model is loaded"));
  const int64_t s = size.value();
  if (n > 4096 || s > int64_t(1) << 40) return b.fail(unsupported("an adaptive pool of " + std::to_string(n) + " windows over " + std::to_string(s)));
  std::vector<ValueId> parts;
  for (int64_t i = 0; i < n; ++i) parts.push_back(over(slice(b, x, axis, i * s / n, (i + 1) * s / n + ((i + 1) * s % n != 0))));
  return concat(b, parts, axis);
}

}  // namespace tern
