// What every loader writes with a GraphBuilder besides operators: axes put in order, cut and joined, attributes in a line. As in GraphBuilder,
// nothing happens after an error, and no node is added where none is needed.
// Next: graph_nodes.cpp, then loaders/channels_last/channels_last.h and loaders/torch/ops.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "runtime/graph_builder.h"

namespace tern {

inline Attributes attributes(std::initializer_list<std::pair<const char*, Attributes::Value>> list) {
  Attributes out;
  for (const auto& [name, value] : list) out.set(name, value);
  return out;
}

// The name of a node as a template argument: unary<"Relu">.
template <size_t N>
struct OpName {
  char text[N];
  constexpr OpName(const char (&s)[N]) { std::copy_n(s, N, text); }  // NOLINT: implicit on purpose
};

ValueId permute(GraphBuilder& b, ValueId v, const std::vector<int64_t>& order);
ValueId transpose(GraphBuilder& b, ValueId v, int axis0, int axis1);
ValueId unsqueeze(GraphBuilder& b, ValueId v, std::vector<int64_t> axes);
ValueId squeeze(GraphBuilder& b, ValueId v, std::vector<int64_t> axes);
std::vector<Int> sizes_of(GraphBuilder& b, ValueId v);
// The size of an axis that must be a number now; fails with "who along a dimension that is not known when the model is loaded".
int64_t known_size(GraphBuilder& b, ValueId x, int axis, const char* who);
// x[..., start:end:step, ...] with known numbers; `end` INT64_MAX: to the end.
ValueId slice(GraphBuilder& b, ValueId v, int axis, int64_t start, int64_t end, int64_t step = 1);
ValueId concat(GraphBuilder& b, std::vector<ValueId> values, int axis);
// x[..., n * size] as n parts of the last axis, part i being what part order[i] was.
ValueId reorder_parts(GraphBuilder& b, ValueId x, const std::vector<int64_t>& order, int64_t size);
// The axis backwards.
ValueId reverse(GraphBuilder& b, ValueId v, int axis);
// The maxima or means of n windows along an axis: window i of n over size s covers [floor(i s / n), ceil((i + 1) s / n)). Fails when s is not known,
// but for n = 1.
ValueId adaptive_pool_axis(GraphBuilder& b, ValueId x, int axis, int64_t n, bool maximum);
// f(x) of [N, C, spatial…]; inputs without a batch get one for the while.
template <class F>
ValueId batched(GraphBuilder& b, ValueId x, int spatial, F f) {
  if (!b.ok() || b.rank(x) != spatial + 1) return f(x);
  return squeeze(b, f(unsqueeze(b, x, {0})), {0});
}

}  // namespace tern
