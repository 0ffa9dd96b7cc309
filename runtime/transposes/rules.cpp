// See rules.h.
#include "runtime/transposes/rules.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "kernels/movement/axes.h"

namespace tern::transposes {
namespace {

const Shape& shape(const Graph& g, ValueId v) { return g.value(v).type.shape; }

// The contents of a constant list of axes.
std::optional<std::vector<int>> axes_in(const Graph& g, ValueId v, int rank) {
  if (!g.is_constant(v)) return std::nullopt;
  const auto ints = as_ints(g.value(v).constant.view());
  if (!ints) return std::nullopt;
  const auto axes = normalize_axes(*ints, rank);
  return axes ? std::optional(*axes) : std::nullopt;
}
bool given(const Node& n, size_t i) { return i < n.inputs.size() && n.inputs[i] != kNone; }

ValueId ints(Graph& g, const std::string& name, std::span<const int64_t> values) { return g.add_constant(name, Tensor::ints(values)); }
void set_input(Graph& g, Node& n, size_t i, std::span<const int64_t> values) {
  n.inputs.resize(std::max(n.inputs.size(), i + 1), kNone);
  n.inputs[i] = ints(g, g.value(n.outputs[0]).name + ".axes" + std::to_string(i), values);
}
int64_t place_of(const Order& place, int axis) { return place[static_cast<size_t>(axis)]; }

// ---- frames that many share ----

// Every data operand has all axes of the frame.
std::optional<Frame> same_axes(const Graph& g, const Node& n) {
  if (n.outputs[0] == kNone) return std::nullopt;
  Frame f;
  f.rank = shape(g, n.outputs[0]).rank();
  for (size_t i = 0; i < n.inputs.size(); ++i) f.in.push_back(n.inputs[i] == kNone || n.op->value_inputs.has(i) ? Order() : natural(f.rank));
  for (ValueId v : n.outputs) f.out.push_back(v == kNone ? Order() : natural(f.rank));
  return f;
}

std::optional<Frame> elementwise(const Graph& g, const Node& n) {
  if (n.outputs.size() != 1) return std::nullopt;
  Frame f;
  f.aligned = true;
  f.rank = shape(g, n.outputs[0]).rank();
  for (ValueId v : n.inputs) {
    Order axes = v == kNone ? Order() : natural(shape(g, v).rank());
    for (int32_t& a : axes) a += f.rank - static_cast<int32_t>(axes.size());
    f.in.push_back(std::move(axes));
  }
  f.out = {natural(f.rank)};
  return f;
}

// Input 0 has all axes of the frame; the output those that `dropped` does not list, or all when `kept`.
Frame dropping(const Graph& g, const Node& n, const std::vector<int>& dropped, bool kept) {
  Frame f;
  f.rank = shape(g, n.inputs[0]).rank();
  f.in.assign(n.inputs.size(), {});
  f.in[0] = natural(f.rank);
  Order out;
  for (int a = 0; a < f.rank; ++a) {
    if (kept || std::find(dropped.begin(), dropped.end(), a) == dropped.end()) out.push_back(a);
  }
  f.out = {std::move(out)};
  return f;
}
std::vector<int64_t> dropped_places(const Frame& f, const Order& place) {
  std::vector<int64_t> places;
  for (int a = 0; a < f.rank; ++a) {
    if (std::find(f.out[0].begin(), f.out[0].end(), a) == f.out[0].end()) places.push_back(place_of(place, a));
  }
  std::sort(places.begin(), places.end());
  return places;
}
std::vector<int64_t> added_places(const Frame& f, const Order& place) {
  std::vector<int64_t> places;
  for (int a = 0; a < f.rank; ++a) {
    if (std::find(f.in[0].begin(), f.in[0].end(), a) == f.in[0].end()) places.push_back(place_of(place, a));
  }
  std::sort(places.begin(), places.end());
  return places;
}

// ---- attributes and lists that name axes ----

void move_axis(Graph&, Node& n, const Frame& f, const Order& place) {
  const auto axis = normalize_axis(n.read().i("axis"), f.rank);
  n.attrs.set("axis", place_of(place, *axis));
}
std::optional<Frame> along_axis(const Graph& g, const Node& n) {
  if (!normalize_axis(n.read().i("axis"), shape(g, n.inputs[0]).rank())) return std::nullopt;
  return same_axes(g, n);
}

// Input i lists axes.
template <size_t kInput>
void move_list(Graph& g, Node& n, const Frame& f, const Order& place) {
  std::vector<int64_t> places;
  const auto axes = *axes_in(g, n.inputs[kInput], f.rank);
  for (int a : axes) places.push_back(place_of(place, a));
  set_input(g, n, kInput, places);
}

// ---- one by one ----

std::optional<Frame> slice_frame(const Graph& g, const Node& n) {
  const Shape& starts = shape(g, n.inputs[1]);
  const int rank = shape(g, n.inputs[0]).rank();
  if (given(n, 3) ? !axes_in(g, n.inputs[3], rank) : !starts.known() || starts.rank() != 1 || starts[0].value() > rank) return std::nullopt;
  return same_axes(g, n);
}
void slice_rewrite(Graph& g, Node& n, const Frame& f, const Order& place) {
  if (given(n, 3)) return move_list<3>(g, n, f, place);
  const auto count = static_cast<size_t>(shape(g, n.inputs[1])[0].value());
  set_input(g, n, 3, std::vector<int64_t>(place.begin(), place.begin() + static_cast<int64_t>(count)));
}

// A constant list of `times` numbers for each axis.
bool has_list(const Graph& g, const Node& n, size_t i, int rank, int times) {
  return g.is_constant(n.inputs[i]) && as_ints(g.value(n.inputs[i]).constant.view()) &&
         g.value(n.inputs[i]).constant.count() == int64_t(rank) * times;
}
template <int kTimes>
void permute_list(Graph& g, Node& n, const Frame& f, const Order& place) {
  const auto was = *as_ints(g.value(n.inputs[1]).constant.view());
  std::vector<int64_t> is(was.size());
  const auto rank = static_cast<size_t>(f.rank);
  for (size_t i = 0; i < was.size(); ++i) is[i / rank * rank + static_cast<size_t>(place[i % rank])] = was[i];
  set_input(g, n, 1, is);
}

std::optional<Frame> pad_frame(const Graph& g, const Node& n) {
  const int rank = shape(g, n.inputs[0]).rank();
  if (given(n, 3) ? !axes_in(g, n.inputs[3], rank) : !has_list(g, n, 1, rank, 2)) return std::nullopt;
  auto f = same_axes(g, n);
  if (f->in.size() > 2) f->in[2].clear();  // the value that it pads with
  return f;
}
void pad_rewrite(Graph& g, Node& n, const Frame& f, const Order& place) {
  given(n, 3) ? move_list<3>(g, n, f, place) : permute_list<2>(g, n, f, place);
}

std::optional<Frame> tile_frame(const Graph& g, const Node& n) {
  return has_list(g, n, 1, shape(g, n.inputs[0]).rank(), 1) ? same_axes(g, n) : std::nullopt;
}

// The list may be shorter than the output has axes.
std::optional<Frame> expand_frame(const Graph& g, const Node& n) {
  const int rank = shape(g, n.outputs[0]).rank();
  if (!g.is_constant(n.inputs[1]) || g.value(n.inputs[1]).constant.count() > rank) return std::nullopt;
  Frame f = *elementwise(g, n);
  f.in[1].clear();
  return f;
}
void expand_rewrite(Graph& g, Node& n, const Frame& f, const Order& place) {
  const auto was = *as_ints(g.value(n.inputs[1]).constant.view());
  std::vector<int64_t> is(static_cast<size_t>(f.rank), 1);
  const size_t first = is.size() - was.size();
  for (size_t i = 0; i < was.size(); ++i) is[static_cast<size_t>(place[first + i])] = was[i];
  set_input(g, n, 1, is);
}

std::optional<Frame> reduce_frame(const Graph& g, const Node& n) {
  if (!given(n, 1)) return std::nullopt;  // all axes, or none
  const auto axes = axes_in(g, n.inputs[1], shape(g, n.inputs[0]).rank());
  return axes && !axes->empty() ? std::optional(dropping(g, n, *axes, n.read().i("keepdims") != 0)) : std::nullopt;
}
std::optional<Frame> arg_frame(const Graph& g, const Node& n) {
  const auto axis = normalize_axis(n.read().i("axis"), shape(g, n.inputs[0]).rank());
  return axis ? std::optional(dropping(g, n, {*axis}, n.read().i("keepdims") != 0)) : std::nullopt;
}

// The axes of input 0 in that order that are not known to be 1, and which of them are folded.
struct Fold {
  std::vector<int> axes;
  std::vector<bool> folded;
  size_t last_kept() const {  // one past it: what follows is one run of elements
    size_t i = folded.size();
    while (i > 0 && folded[i - 1]) --i;
    return i;
  }
};
Fold fold(const Graph& g, const Node& n, const Order& order) {
  const auto reduced = *axes_in(g, n.inputs[1], static_cast<int>(order.size()));
  Fold f;
  for (int32_t a : order) {
    if (is_one(g, n.inputs[0], a)) continue;
    f.axes.push_back(a);
    f.folded.push_back(std::find(reduced.begin(), reduced.end(), a) != reduced.end());
  }
  return f;
}
// kernels/reduce/reduce.h: sixteen lanes over the run of elements that ends with the last axis, when that is folded; else all in the order in which
// they lie. Extents that are symbols may be 1 when it runs, and then what is next to them counts.
bool reduce_keeps_bits(const Graph& g, const Node& n, const Frame&, const Order& order) {
  if (!is_float(g.value(n.inputs[0]).type.dtype)) return true;
  const Fold was = fold(g, n, natural(static_cast<int>(order.size()))), is = fold(g, n, order);
  auto reduced = [](const Fold& f) {
    std::vector<int> axes;
    for (size_t i = 0; i < f.axes.size(); ++i) {
      if (f.folded[i]) axes.push_back(f.axes[i]);
    }
    return axes;
  };
  if (reduced(was) != reduced(is)) return false;
  if (was.axes == is.axes) return true;
  const size_t a = was.last_kept(), b = is.last_kept();
  const Shape& x = shape(g, n.inputs[0]);
  return was.axes.size() - a == is.axes.size() - b && a > 0 && b > 0 && x[was.axes[a - 1]].known() && x[is.axes[b - 1]].known();
}

// kernels/softmax/softmax.h: sixteen lanes when nothing lies behind the axis.
bool softmax_keeps_bits(const Graph& g, const Node& n, const Frame& f, const Order& order) {
  const Shape& x = shape(g, n.inputs[0]);
  const int axis = *normalize_axis(n.read().i("axis"), f.rank);
  std::vector<int> was, is;  // what lies behind it
  for (int a = axis + 1; a < f.rank; ++a) was.push_back(a);
  for (auto at = std::find(order.begin(), order.end(), axis) + 1; at != order.end(); ++at) is.push_back(*at);
  std::sort(is.begin(), is.end());
  if (was == is) return true;
  auto all_one = [&](const std::vector<int>& axes) { return std::all_of(axes.begin(), axes.end(), [&](int a) { return x[a].is(1); }); };
  auto some_more = [&](const std::vector<int>& axes) {
    return std::any_of(axes.begin(), axes.end(), [&](int a) { return x[a].known() && !x[a].is(1); });
  };
  return (all_one(was) && all_one(is)) || (some_more(was) && some_more(is));
}

std::optional<Frame> squeeze_frame(const Graph& g, const Node& n) {
  std::optional<std::vector<int>> axes;
  if (given(n, 1)) axes = axes_in(g, n.inputs[1], shape(g, n.inputs[0]).rank());
  return axes ? std::optional(dropping(g, n, *axes, false)) : std::nullopt;
}
// Input 0 has the axes of the output but those that `added` lists.
Frame adding(const Graph& g, const Node& n, const std::vector<int>& added) {
  Frame f;
  f.rank = shape(g, n.outputs[0]).rank();
  f.in.assign(n.inputs.size(), {});
  f.out = {natural(f.rank)};
  for (int a = 0; a < f.rank; ++a) {
    if (std::find(added.begin(), added.end(), a) == added.end()) f.in[0].push_back(a);
  }
  return f;
}
std::optional<Frame> unsqueeze_frame(const Graph& g, const Node& n) {
  const auto axes = axes_in(g, n.inputs[1], shape(g, n.outputs[0]).rank());
  return axes ? std::optional(adding(g, n, *axes)) : std::nullopt;
}
void squeeze_rewrite(Graph& g, Node& n, const Frame& f, const Order& place) { set_input(g, n, 1, dropped_places(f, place)); }
void unsqueeze_rewrite(Graph& g, Node& n, const Frame& f, const Order& place) { set_input(g, n, 1, added_places(f, place)); }

// Those axes of `more` whose extents are 1 and without which it is `fewer`; nothing when there are no such.
std::optional<std::vector<int>> ones_between(const Shape& fewer, const Shape& more) {
  std::vector<int> ones;
  int j = fewer.rank() - 1;
  for (int i = more.rank() - 1; i >= 0; --i) {
    if (j >= 0 && fewer[j] == more[i]) --j;
    else if (more[i].is(1)) ones.push_back(i);
    else return std::nullopt;
  }
  return j < 0 ? std::optional(ones) : std::nullopt;
}
// Is the last axis of y the last two of x in one, and all before them as they were? Of these the directions and hidden units of a recurrent layer are
// worth it: others, such as heads, would only make one group of orders out of several.
bool joins_directions(const Shape& x, const Shape& y) {
  const int r = y.rank();
  if (r < 1 || x.rank() != r + 1 || !std::equal(x.dims().begin(), x.dims().end() - 2, y.dims().begin())) return false;
  const Dim &a = x[r - 1], &b = x[r], &c = y[r - 1];
  return a.is(2) && b.known() && c.known() && c.value() % 2 == 0 && b.value() == c.value() / 2;
}
// A Reshape or Flatten that only takes out extents of 1, or only puts some in; or one that joins directions and hidden units, which then stay where they
// are: the first of the two is dropped, the other has both.
std::optional<Frame> reshape_frame(const Graph& g, const Node& n) {
  const Shape &x = shape(g, n.inputs[0]), &y = shape(g, n.outputs[0]);
  if (const auto dropped = ones_between(y, x)) return dropping(g, n, *dropped, false);
  if (const auto added = ones_between(x, y)) return adding(g, n, *added);
  return joins_directions(x, y) ? std::optional(dropping(g, n, {y.rank() - 1}, false)) : std::nullopt;
}
bool reshape_keeps_bits(const Graph& g, const Node& n, const Frame& f, const Order& order) {
  const Shape &x = shape(g, n.inputs[0]), &y = shape(g, n.outputs[0]);
  const bool joins = x.rank() > y.rank() && !ones_between(y, x);
  return !joins || (order[order.size() - 2] == f.rank - 2 && order.back() == f.rank - 1);
}
void reshape_rewrite(Graph& g, Node& n, const Frame& f, const Order& place) {
  const Shape &x = shape(g, n.inputs[0]), &y = shape(g, n.outputs[0]);
  const bool drops = static_cast<int>(f.in[0].size()) == f.rank;
  if (drops && !ones_between(y, x)) {
    std::vector<int64_t> to(static_cast<size_t>(y.rank()), 0);
    to.back() = y[y.rank() - 1].value();
    n.op = find_op("Reshape");
    n.attrs = {};
    n.inputs.resize(1);
    return set_input(g, n, 1, to);
  }
  n.op = find_op(drops ? "Squeeze" : "Unsqueeze");
  n.attrs = {};
  n.inputs.resize(1);
  set_input(g, n, 1, drops ? dropped_places(f, place) : added_places(f, place));
}

// Scales and zero points: one, or one for each place along the axis.
std::optional<Frame> quantize_frame(const Graph& g, const Node& n) {
  const AttrReader attrs = n.read();
  const int rank = shape(g, n.inputs[0]).rank();
  const auto axis = normalize_axis(attrs.i("axis"), rank);
  if (attrs.i("block_size") != 0) return std::nullopt;
  Frame f = dropping(g, n, {}, true);
  for (size_t i = 1; i < n.inputs.size(); ++i) {
    if (n.inputs[i] == kNone || shape(g, n.inputs[i]).rank() == 0) continue;
    if (!axis || shape(g, n.inputs[i]).rank() != 1) return std::nullopt;
    f.in[i] = {*axis};
  }
  return f;
}
void quantize_rewrite(Graph& g, Node& n, const Frame& f, const Order& place) {
  if (normalize_axis(n.read().i("axis"), f.rank)) move_axis(g, n, f, place);
}

// A recurrent operator takes its steps first (layout 0) or its batch first (layout 1). The frame: steps, directions, batch, features of x, hidden
// units.
struct Recurrent {
  int32_t steps, directions, batch, features = 3, hidden = 4;
};
Recurrent recurrent_axes(const Node& n) { return n.read().i("layout") == 0 ? Recurrent{0, 1, 2} : Recurrent{1, 2, 0}; }
std::optional<Frame> recurrent_frame(const Graph&, const Node& n) {
  const auto [t, d, b, i, h] = recurrent_axes(n);
  auto in_order = [&](Order axes) {
    std::sort(axes.begin(), axes.end());
    return axes;
  };
  const Order x = in_order({t, b, i}), state = in_order({d, b, h});
  Frame f;
  f.rank = 5;
  f.in.assign(n.inputs.size(), {});
  f.in[0] = x;
  for (size_t k = 5; k < std::min<size_t>(n.inputs.size(), 7); ++k) {
    if (n.inputs[k] != kNone) f.in[k] = state;
  }
  for (size_t k = 0; k < n.outputs.size(); ++k) f.out.push_back(n.outputs[k] == kNone ? Order() : k == 0 ? in_order({t, d, b, h}) : state);
  return f;
}
bool recurrent_has_layout(const Graph&, const Node& n, const Frame&, const Order& order) {
  const auto [t, d, b, i, h] = recurrent_axes(n);
  const Order place = inverse(order);
  auto at = [&](int32_t a) { return place[static_cast<size_t>(a)]; };
  return at(t) < at(d) && (at(d) < at(b) || at(b) < at(t)) && std::max(at(t), at(b)) < at(i) && std::max(at(d), at(b)) < at(h);
}
void recurrent_rewrite(Graph&, Node& n, const Frame&, const Order& place) {
  const auto [t, d, b, i, h] = recurrent_axes(n);
  n.attrs.set("layout", int64_t(place_of(place, b) < place_of(place, t)));
}

constexpr Rule kElementwise = {elementwise};
constexpr Rule kRecurrent = {recurrent_frame, recurrent_has_layout, recurrent_rewrite};
constexpr Rule kAlongAxis = {along_axis, nullptr, move_axis};
constexpr Rule kReduce = {reduce_frame, reduce_keeps_bits, move_list<1>};
constexpr Rule kArg = {arg_frame, nullptr, move_axis};
constexpr Rule kSoftmaxes = {along_axis, softmax_keeps_bits, move_axis};
constexpr Rule kQuantize = {quantize_frame, nullptr, quantize_rewrite};
constexpr Rule kReshape = {reshape_frame, reshape_keeps_bits, reshape_rewrite};

constexpr std::pair<std::string_view, Rule> kRules[] = {
    {"ArgMax", kArg},
    {"ArgMin", kArg},
    {"Concat", kAlongAxis},
    {"DequantizeLinear", kQuantize},
    {"DynamicQuantizeLSTM", kRecurrent},
    {"Expand", {expand_frame, nullptr, expand_rewrite}},
    {"Flatten", kReshape},
    {"GRU", kRecurrent},
    {"Hardmax", kAlongAxis},
    {"LSTM", kRecurrent},
    {"LogSoftmax", kSoftmaxes},
    {"Pad", {pad_frame, nullptr, pad_rewrite}},
    {"QuantizeLinear", kQuantize},
    {"RNN", kRecurrent},
    {"ReduceL1", kReduce},
    {"ReduceL2", kReduce},
    {"ReduceLogSum", kReduce},
    {"ReduceLogSumExp", kReduce},
    {"ReduceMax", kReduce},
    {"ReduceMean", kReduce},
    {"ReduceMin", kReduce},
    {"ReduceProd", kReduce},
    {"ReduceSum", kReduce},
    {"ReduceSumSquare", kReduce},
    {"Reshape", kReshape},
    {"Slice", {slice_frame, nullptr, slice_rewrite}},
    {"Softmax", kSoftmaxes},
    {"Split", kAlongAxis},
    {"Squeeze", {squeeze_frame, nullptr, squeeze_rewrite}},
    {"Tile", {tile_frame, nullptr, permute_list<1>}},
    {"Unsqueeze", {unsqueeze_frame, nullptr, unsqueeze_rewrite}},
};
// An element of the output comes from the elements of the inputs at its place.
constexpr std::string_view kElementwiseOps[] = {"Abs",         "Acos",
                                                "Acosh",       "Add",
                                                "And",         "Asin",
                                                "Asinh",       "Atan",
                                                "Atanh",       "BitShift",
                                                "BitwiseAnd",  "BitwiseNot",
                                                "BitwiseOr",   "BitwiseXor",
                                                "Cast",        "Ceil",
                                                "Celu",        "Clip",
                                                "Cos",         "Cosh",
                                                "Div",         "Dropout",
                                                "Elu",         "Equal",
                                                "Erf",         "Exp",
                                                "Floor",       "Gelu",
                                                "Greater",     "GreaterOrEqual",
                                                "HardSigmoid", "HardSwish",
                                                "Identity",    "IsInf",
                                                "IsNaN",       "LeakyRelu",
                                                "Less",        "LessOrEqual",
                                                "Log",         "Max",
                                                "Mean",        "Min",
                                                "Mish",        "Mod",
                                                "Mul",         "Neg",
                                                "Not",         "Or",
                                                "PRelu",       "Pow",
                                                "Reciprocal",  "Relu",
                                                "Round",       "Selu",
                                                "Shrink",      "Sigmoid",
                                                "Sign",        "Sin",
                                                "Sinh",        "Softplus",
                                                "Softsign",    "Sqrt",
                                                "Sub",         "Sum",
                                                "Swish",       "Tan",
                                                "Tanh",        "ThresholdedRelu",
                                                "Where",       "Xor"};

}  // namespace

const Rule* find_rule(const OpDef& op) {
  static const std::unordered_map<std::string_view, const Rule*> rules = [] {
    std::unordered_map<std::string_view, const Rule*> all;
    for (const auto& [name, rule] : kRules) all.emplace(name, &rule);
    for (std::string_view name : kElementwiseOps) all.emplace(name, &kElementwise);
    return all;
  }();
  const auto at = rules.find(op.name);
  return at == rules.end() ? nullptr : at->second;
}

bool is_elementwise(const OpDef& op) { return find_rule(op) == &kElementwise; }

Order natural(int rank) {
  Order o(static_cast<size_t>(rank));
  std::iota(o.begin(), o.end(), 0);
  return o;
}
Order inverse(const Order& order) {
  Order places(order.size());
  for (size_t i = 0; i < order.size(); ++i) places[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
  return places;
}

}  // namespace tern::transposes
