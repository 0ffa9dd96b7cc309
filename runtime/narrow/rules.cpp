// The rules of operators that compute along other axes than the ones that are cut, and the list of all rules. See rules.h.
// Of a sum the order depends on extents behind its axis (one lane or sixteen) and never on those before it: only the latter are cut.
#include "runtime/narrow/rules.h"

#include <algorithm>
#include <unordered_map>

#include "kernels/movement/axes.h"
#include "runtime/transposes/rules.h"

namespace tern::narrowing {
namespace {

// Does axis d of x lie along this axis of y and have its extent? A single element is read whole, and where that is not known y is computed whole.
enum class Along { yes, no, unknown };
Along along(const Dim& x, const Dim& y) { return x.is(1) ? Along::no : x == y ? Along::yes : Along::unknown; }

// Input i broadcasts to y, aligned at its last axis but for `behind` axes of y. First what cannot be cut is widened.
void widen_broadcast(const Graph& g, const Node& n, size_t i, int behind, Region& y) {
  if (!given(n, i)) return;
  const Shape &x = shape(g, n.inputs[i]), &out = shape(g, n.outputs[0]);
  for (int d = 0, a = out.rank() - behind - x.rank(); d < x.rank(); ++d, ++a) {
    if (a < 0 || along(x[d], out[a]) == Along::unknown) at(y, std::max(a, 0)) = {};
  }
}
void read_broadcast(const Graph& g, const Node& n, size_t i, int behind, Wanted& w) {
  if (!given(n, i)) return;
  const Shape &x = shape(g, n.inputs[i]), &out = shape(g, n.outputs[0]);
  for (int d = 0, a = out.rank() - behind - x.rank(); d < x.rank(); ++d, ++a) {
    if (a >= 0 && along(x[d], out[a]) == Along::yes) at(*w.in[i], d) = at(*w.out[0], a);
  }
}

// An element of the output comes from the elements of the inputs at its place.
bool elementwise(const Graph& g, const Node& n, Wanted& w) {
  if (n.outputs.size() != 1 || shape(g, n.outputs[0]).rank() == 0) return n.outputs.size() == 1;
  for (size_t i = 0; i < n.inputs.size(); ++i) widen_broadcast(g, n, i, 0, *w.out[0]);
  for (size_t i = 0; i < n.inputs.size(); ++i) read_broadcast(g, n, i, 0, w);
  return true;
}

// Axes before `first` are those of input 0, and nothing is computed along them.
void leading(Wanted& w, int first) {
  for (int a = 0; a < static_cast<int>(w.out[0]->size()); ++a) {
    if (a >= first) at(*w.out[0], a) = {};
    else at(*w.in[0], a) = at(*w.out[0], a);
  }
}

bool along_axis(const Graph& g, const Node& n, Wanted& w) {
  const auto axis = normalize_axis(n.read().i("axis"), shape(g, n.inputs[0]).rank());
  if (axis) leading(w, *axis);
  return axis && one_output(n);
}

bool reduce(const Graph& g, const Node& n, Wanted& w) {
  const auto axes = list(g, n, 1);
  const auto reduced = axes ? normalize_axes(*axes, shape(g, n.inputs[0]).rank()) : Result<std::vector<int>>(std::vector<int>());
  if (!reduced || reduced->empty()) return false;  // all axes, or none
  leading(w, *std::min_element(reduced->begin(), reduced->end()));
  return true;
}

// The output is like input 0, and of its axes only the channel has parameters.
bool by_channel(const Graph&, const Node& n, Wanted& w) {
  if (w.out[0]->size() < 2) return false;
  at(*w.out[0], 1) = {};
  w.in[0] = w.out[0];
  return one_output(n);
}

// [..., M, K] times [..., K, N]: rows and matrices. Fewer columns would be summed in another order.
bool matmul(const Graph& g, const Node& n, Wanted& w) {
  const Shape &a = shape(g, n.inputs[0]), &b = shape(g, n.inputs[1]);
  if (a.rank() < 2 || b.rank() < 2) return false;
  Region& y = *w.out[0];
  const int row = static_cast<int>(y.size()) - 2;
  at(y, row + 1) = {};
  const Range rows = at(y, row);
  auto matrices = [&](size_t i, auto f) {  // the axes before the last two broadcast
    const Shape& x = shape(g, n.inputs[i]);
    for (int d = 0; d < x.rank() - 2; ++d) f(x[d], row - (x.rank() - 2) + d, i, d);
  };
  for (size_t i : {0u, 1u}) {
    matrices(i, [&](const Dim& x, int axis, size_t, int) {
      if (along(x, shape(g, n.outputs[0])[axis]) == Along::unknown) at(y, axis) = {};
    });
  }
  for (size_t i : {0u, 1u}) {
    matrices(i, [&](const Dim& x, int axis, size_t input, int d) {
      if (along(x, shape(g, n.outputs[0])[axis]) == Along::yes) at(*w.in[input], d) = at(y, axis);
    });
  }
  at(*w.in[0], a.rank() - 2) = rows;
  return true;
}

bool gemm(const Graph& g, const Node& n, Wanted& w) {
  Region& y = *w.out[0];
  at(y, 1) = {};
  widen_broadcast(g, n, 2, 0, y);
  at(*w.in[0], n.read().i("transA") != 0 ? 1 : 0) = at(y, 0);
  if (given(n, 2)) read_broadcast(g, n, 2, 0, w);
  return true;
}

bool linear(const Graph&, const Node& n, Wanted& w) {
  Region& y = *w.out[0];
  if (y.size() < 2) return false;  // a row alone
  y.back() = {};
  w.in[0] = y;
  if (given(n, 3)) w.in[3] = y;
  return true;
}

// Batch, heads and rows of q; all of k and v takes part in each row.
bool attention(const Graph& g, const Node& n, Wanted& w) {
  Region& y = *w.out[0];
  at(y, 3) = {};
  const Shape& out = shape(g, n.outputs[0]);
  if (given(n, 3)) {  // the mask has S where y has E
    const Shape& mask = shape(g, n.inputs[3]);
    for (int d = 0, a = 4 - mask.rank(); d < mask.rank() - 1; ++d, ++a) {
      const Along is = along(mask[d], out[a]);
      if (is == Along::unknown) at(y, a) = {};
      else if (is == Along::yes) at(*w.in[3], d) = at(y, a);
    }
  }
  w.in[0] = y;
  for (int axis : {0, 1}) at(*w.in[1], axis) = at(*w.in[2], axis) = at(y, axis);
  return true;
}

constexpr Rule kElementwise = {elementwise}, kLeading = {along_axis}, kReduce = {reduce}, kByChannel = {by_channel};

constexpr std::pair<std::string_view, const Rule*> kShared[] = {
    {"AveragePool", &kAveragePoolRule},
    {"BatchNormalization", &kByChannel},
    {"Concat", &kConcatRule},
    {"Conv", &kConvRule},
    {"DynamicQuantizeLSTM", &kRecurrentRule},
    {"Flatten", &kReshapeRule},
    {"FusedConv", &kConvRule},
    {"GRU", &kRecurrentRule},
    {"Gather", &kGatherRule},
    {"Hardmax", &kLeading},
    {"LSTM", &kRecurrentRule},
    {"LayerNormalization", &kLeading},
    {"LogSoftmax", &kLeading},
    {"LpNormalization", &kLeading},
    {"MaxPool", &kMaxPoolRule},
    {"Pad", &kPadRule},
    {"RMSNormalization", &kLeading},
    {"RNN", &kRecurrentRule},
    {"ReduceL1", &kReduce},
    {"ReduceL2", &kReduce},
    {"ReduceLogSum", &kReduce},
    {"ReduceLogSumExp", &kReduce},
    {"ReduceMax", &kReduce},
    {"ReduceMean", &kReduce},
    {"ReduceMin", &kReduce},
    {"ReduceProd", &kReduce},
    {"ReduceSum", &kReduce},
    {"ReduceSumSquare", &kReduce},
    {"Reshape", &kReshapeRule},
    {"Slice", &kSliceRule},
    {"Softmax", &kLeading},
    {"Split", &kSplitRule},
    {"Squeeze", &kSqueezeRule},
    {"Transpose", &kTransposeRule},
    {"Unsqueeze", &kUnsqueezeRule},
};
constexpr std::pair<std::string_view, Rule> kOwn[] = {{"FusedAttention", {attention}}, {"Gemm", {gemm}}, {"Linear", {linear}}, {"MatMul", {matmul}}};

}  // namespace

const Rule* find_rule(const OpDef& op) {
  static const std::unordered_map<std::string_view, const Rule*> rules = [] {
    std::unordered_map<std::string_view, const Rule*> all(std::begin(kShared), std::end(kShared));
    for (const auto& [name, rule] : kOwn) all.emplace(name, &rule);
    for (const OpDef* known : all_ops()) {
      if (transposes::is_elementwise(*known)) all.emplace(known->name, &kElementwise);
    }
    return all;
  }();
  const auto at = rules.find(op.name);
  return at == rules.end() ? nullptr : at->second;
}

std::optional<std::vector<int64_t>> list(const Graph& g, const Node& n, size_t i) {
  return given(n, i) && g.is_constant(n.inputs[i]) ? as_ints(g.value(n.inputs[i]).constant.view()) : std::nullopt;
}

bool one_output(const Node& n) {
  return std::all_of(n.outputs.begin() + 1, n.outputs.end(), [](ValueId v) { return v == kNone; });
}

}  // namespace tern::narrowing
