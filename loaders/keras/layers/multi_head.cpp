// MultiHeadAttention and GroupQueryAttention. See attention.h. Next: image.cpp.
#include <algorithm>
#include <cmath>

#include "loaders/keras/layers/attention.h"
#include "loaders/keras/layers/quantized.h"
#include "loaders/keras/net.h"

namespace tern::keras {
namespace {

struct Heads {
  int64_t count = 0, width = 0;
};

constexpr int64_t kWidest = int64_t(1) << 30;  // of heads and widths: products of two do not overflow

// Where the weights of a Dense of the layer are: Keras 3 has names without an underscore for those of MultiHeadAttention.
Weights weights_of(const Call& c, const std::string& attribute, std::string_view name) {
  const bool plain = c.layer.keras() != 2 && c.layer.class_name == "MultiHeadAttention" && attribute != "gate_dense";
  return c.weights.child(plain ? attribute : "_" + attribute, name);
}

// x [batch, …, features] in heads: [batch, …, heads, width]. attribute, name: of the Dense that does it.
ValueId project(Call& c, ValueId x, const std::string& attribute, std::string_view name, Heads heads) {
  if (!c.b.ok()) return kNone;
  const Weights weights = weights_of(c, attribute, name);
  const int64_t in = c.features(x), out = heads.count * heads.width;
  if (is_quantized(c, weights)) {
    QuantizedProduct product = {"...a,abc->...bc", {in, heads.count, heads.width}, {}};
    if (c.config.boolean("use_bias", true)) product.bias = {heads.count, heads.width};
    return quantized_product(c, weights, x, product);
  }
  ValueId y = c.emit("MatMul", {x, c.b.reshape(c.weight(weights, "kernel", {in, heads.count, heads.width}), {Int(in), Int(out)})});
  if (c.config.boolean("use_bias", true)) y = c.emit("Add", {y, c.b.reshape(c.weight(weights, "bias", {heads.count, heads.width}), {Int(out)})});
  std::vector<Int> sizes = sizes_of(c.b, x);
  if (!c.b.ok()) return kNone;
  sizes.back() = heads.count;
  sizes.emplace_back(heads.width);
  return c.b.reshape(y, sizes);
}

// Heads [batch, …, heads, width] together: [batch, …, out…].
ValueId join(Call& c, ValueId x, Heads heads, const std::vector<int64_t>& out) {
  if (!c.b.ok()) return kNone;
  const Weights weights = weights_of(c, "output_dense", "attention_output");
  std::vector<int64_t> dims = {heads.count, heads.width};
  int64_t wide = 1;
  for (int64_t n : out) {
    if (n < 1 || n > kWidest / wide) return c.invalid("its output shape makes no sense"), kNone;
    dims.push_back(n);
    wide *= n;
  }
  if (is_quantized(c, weights)) {
    std::string letters;
    for (size_t i = 0; i < out.size(); ++i) letters += static_cast<char>('c' + i);
    QuantizedProduct product = {"...ab,ab" + letters + "->..." + letters, dims, {}};
    if (c.config.boolean("use_bias", true)) product.bias = out;
    return quantized_product(c, weights, x, product);
  }
  const Int in(heads.count * heads.width);
  std::vector<Int> sizes = sizes_of(c.b, x);
  if (!c.b.ok()) return kNone;
  sizes.resize(sizes.size() - 2);
  sizes.push_back(in);
  ValueId y = c.emit("MatMul", {c.b.reshape(x, sizes), c.b.reshape(c.weight(weights, "kernel", dims), {in, Int(wide)})});
  if (c.config.boolean("use_bias", true)) y = c.emit("Add", {y, c.b.reshape(c.weight(weights, "bias", out), {Int(wide)})});
  if (out.size() == 1) return y;
  sizes.pop_back();
  for (int64_t n : out) sizes.emplace_back(n);
  return c.b.reshape(y, sizes);
}

// What a call attends by, all of it as bool [batch, queries, keys], or broadcast to that. kNone: everything.
struct Masks {
  ValueId all = kNone;
  ValueId query = kNone;  // [batch, queries], which the output has too
};
// A mask [..., d1, d2 …, e1, e2 …] over several axes of the query and as many of the value as [..., queries, keys].
ValueId over_axes(Call& c, ValueId mask, ValueId q, ValueId v, const std::vector<int64_t>& axes) {
  if (mask == kNone) return kNone;
  const int lead = c.b.rank(mask) - 2 * static_cast<int>(axes.size());
  if (lead < 0) return c.invalid("its mask has fewer axes than attend"), kNone;
  std::vector<Int> whole, merged;
  for (int i = 0; i < lead; ++i) whole.push_back(c.b.size(mask, i));
  merged = whole;
  for (ValueId of : {q, v}) {
    Int n = 1;
    for (int64_t axis : axes) {
      whole.push_back(c.b.size(of, static_cast<int>(axis)));
      n = c.b.mul(n, whole.back());
    }
    merged.push_back(n);
  }
  if (!c.b.ok()) return kNone;
  return c.b.reshape(c.emit("Expand", {mask, c.b.ints(whole)}), merged);
}

Masks masks_of(Call& c, const Flow& q, const Flow& v, const Argument& key, const std::vector<int64_t>& axes) {
  auto given = [&](const Flow& flow, std::string_view name) {
    const ValueId told = c.tensor(SIZE_MAX, name);
    return to_bool(c, told != kNone ? told : flow.mask);
  };
  Masks m;
  m.query = c.layer.class_name == "MultiHeadAttention" ? to_bool(c, q.mask) : given(q, "query_mask");  // that one takes no other
  const ValueId of_value = given(v, "value_mask");
  const ValueId of_key = key.is(Argument::Kind::tensor) ? given(key.flow, "key_mask") : kNone;
  if (m.query != kNone) m.all = unsqueeze(c.b, m.query, {-1});
  for (ValueId mask : {of_value, of_key}) {
    if (mask != kNone) m.all = both(c, m.all, unsqueeze(c.b, mask, {-2}));
  }
  const bool causal = c.arg("use_causal_mask").flag;
  const int64_t window = c.config.integer("sliding_window", 0);
  if (causal || window > 0) m.all = both(c, m.all, unsqueeze(c.b, band(c, c.b.size(q.value, 1), c.b.size(v.value, 1), causal, window), {0}));
  const ValueId given_whole = to_bool(c, c.tensor(SIZE_MAX, "attention_mask"));
  if (axes.size() == 1) {
    m.all = both(c, given_whole, m.all);
  } else {
    if (m.all != kNone) c.unsupported("a mask of steps over several attention axes");
    m.all = over_axes(c, given_whole, q.value, v.value, axes);
  }
  return m;
}

struct Attended {
  ValueId y = kNone, weights = kNone;
};

// q [.., queries, width], k_transposed [.., width, keys], v [.., keys, width]; the mask is broadcast to the scores.
// Keras 3 takes one of two ways, which differ in rows that are masked as a whole: `kernel` spreads them evenly, the other gives zeros.
Attended attend(Call& c, ValueId q, ValueId k_transposed, ValueId v, ValueId mask, double scale, bool kernel) {
  ValueId scores = c.emit("Mul", {c.emit("MatMul", {q, k_transposed}), number(c, q, scale)});
  if (mask != kNone) {
    while (c.b.ok() && c.b.rank(mask) < c.b.rank(scores)) mask = unsqueeze(c.b, mask, {c.b.rank(mask) < 2 ? 0 : c.b.rank(mask) - 2});
    const bool half = c.b.dtype(scores) == DType::f16;
    scores = c.emit("Add", {scores, additive(c, mask, scores, half ? -3e4 : kernel ? -2e38 : -1e9)});
  }
  Attended a;
  a.weights = c.emit("Softmax", {scores}, attributes({{"axis", int64_t(-1)}}));
  if (mask != kNone && !kernel && c.layer.keras() != 2) a.weights = c.emit("Where", {mask, a.weights, number(c, scores, 0)});
  a.y = c.emit("MatMul", {a.weights, v});
  return a;
}

// Which axes of [batch, d1, …, features] attend to each other, and how values with heads are arranged for it:
// [batch, the other axes, heads, the attending axes as one, width].
struct Arrangement {
  std::vector<int64_t> others, attending;  // axes
  std::vector<int64_t> order;              // of [batch, d1, …, heads, width]

  Arrangement(int rank, std::vector<int64_t> axes) : attending(std::move(axes)) {
    for (int64_t i = 1; i < rank - 1; ++i) {
      if (std::find(attending.begin(), attending.end(), i) == attending.end()) others.push_back(i);
    }
    order = {0};
    order.insert(order.end(), others.begin(), others.end());
    order.push_back(rank - 1);
    order.insert(order.end(), attending.begin(), attending.end());
    order.push_back(rank);
  }
  std::vector<Int> sizes(const Call& c, ValueId x, const std::vector<int64_t>& axes) const {
    std::vector<Int> out;
    for (int64_t a : axes) out.push_back(c.b.size(x, static_cast<int>(a)));
    return out;
  }
  ValueId arranged(const Call& c, ValueId x) const {
    const ValueId y = permute(c.b, x, order);
    if (attending.size() == 1) return y;
    std::vector<Int> shape;
    for (size_t i = 0; i < order.size() - attending.size() - 1; ++i) shape.push_back(c.b.size(y, static_cast<int>(i)));
    shape.emplace_back(-1);
    shape.push_back(c.b.size(y, c.b.rank(y) - 1));
    return c.b.reshape(y, shape);
  }
  // Back to [batch, d1, …, heads, width]; q: what it was before.
  ValueId back(const Call& c, ValueId y, ValueId q) const {
    std::vector<Int> shape = sizes(c, q, order);
    shape.back() = c.b.size(y, c.b.rank(y) - 1);
    if (attending.size() > 1) y = c.b.reshape(y, shape);
    std::vector<int64_t> inverse(order.size());
    for (size_t i = 0; i < order.size(); ++i) inverse[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
    return permute(c.b, y, inverse);
  }
};

struct Sizes {
  Heads query, key_value, value;  // heads and widths of the projections
  double scale = 1;
  std::vector<int64_t> axes, out;
};

// Each head of v serves several of the query's: [batch, steps, heads, width].
ValueId shared(const Call& c, ValueId v, Heads have, int64_t want) {
  if (have.count == want) return v;
  std::vector<Int> sizes = sizes_of(c.b, v);
  if (!c.b.ok()) return kNone;
  sizes.insert(sizes.end() - 1, Int(want / have.count));
  const ValueId wide = c.emit("Expand", {unsqueeze(c.b, v, {-2}), c.b.ints(sizes)});
  sizes.erase(sizes.end() - 2);
  sizes[sizes.size() - 2] = want;
  return c.b.reshape(wide, sizes);
}

Flows heads(Call& c, const Sizes& s) {
  const Flow q = c.arg(0, "query").flow, v = c.arg(1, "value").flow;
  const Argument& key = c.arg(2, "key");
  if (q.value == kNone || v.value == kNone) return c.invalid("it is called without query and value");
  const bool scores = c.arg("return_attention_scores").flag;
  const Masks masks = masks_of(c, q, v, key, s.axes);
  const ValueId queries = project(c, q.value, "query_dense", "query", s.query);
  const ValueId keys = project(c, key.is(Argument::Kind::tensor) ? key.flow.value : v.value, "key_dense", "key", s.key_value);
  const ValueId gate =
      c.config.boolean("use_gate", false) ? c.emit("Sigmoid", {project(c, q.value, "gate_dense", "gate", {s.query.count, s.value.width})}) : kNone;
  const ValueId values = project(c, v.value, "value_dense", "value", {s.key_value.count, s.value.width});
  if (!c.b.ok()) return {};
  const Arrangement order(c.b.rank(q.value), s.axes);
  const ValueId k = order.arranged(c, shared(c, keys, s.key_value, s.query.count));
  const bool kernel = c.layer.keras() != 2 && !scores && c.config.number("dropout", 0) == 0 && c.b.rank(q.value) == 3;
  const Attended a = attend(c, order.arranged(c, queries), transpose(c.b, k, c.b.rank(k) - 2, c.b.rank(k) - 1),
                            order.arranged(c, shared(c, values, s.key_value, s.query.count)), masks.all, s.scale, kernel);
  ValueId y = order.back(c, a.y, queries);
  if (gate != kNone) y = c.emit("Mul", {y, gate});
  Flows out = {{join(c, y, {s.query.count, s.value.width}, s.out), masks.query}};
  if (!scores || !c.b.ok()) return out;
  std::vector<Int> shape;
  for (int i = 0; i < c.b.rank(a.weights) - 2; ++i) shape.push_back(c.b.size(a.weights, i));
  for (ValueId of : {q.value, v.value}) {
    for (int64_t axis : s.axes) shape.push_back(c.b.size(of, static_cast<int>(axis)));
  }
  out.push_back({s.axes.size() == 1 ? a.weights : c.b.reshape(a.weights, shape)});
  return out;
}

bool sensible(Call& c, const Sizes& s) {
  for (int64_t n : {s.query.count, s.query.width, s.key_value.count, s.key_value.width, s.value.width}) {
    if (n >= 1 && n <= kWidest) continue;
    c.invalid("its config: " + std::to_string(n) + " heads, or a width of as much");
    return false;
  }
  return c.b.ok();
}

Flows multi_head(Call& c) {
  const int rank = c.b.rank(c.arg(0, "query").flow.value);
  Sizes s;
  s.query = s.key_value = {c.config.integer("num_heads"), c.config.integer("key_dim")};
  s.value = {s.query.count, c.config.integer("value_dim", s.query.width)};
  if (rank < 3 || !sensible(c, s)) return c.invalid("its query has " + std::to_string(rank) + " axes");
  s.scale = 1 / std::sqrt(static_cast<double>(s.query.width));
  for (int64_t a : c.config.ints("attention_axes")) s.axes.push_back(c.axis(a, rank));
  for (int64_t i = 1; s.axes.empty() && i < rank - 1; ++i) s.axes.push_back(i);
  std::vector<int64_t> seen = s.axes;
  std::sort(seen.begin(), seen.end());
  if (seen.front() < 1 || seen.back() > rank - 2 || std::adjacent_find(seen.begin(), seen.end()) != seen.end())
    return c.invalid("its config: attention_axes names the batch, the features, or an axis twice");
  s.out = c.config.ints("output_shape");
  if (s.out.empty()) s.out = {c.features(c.arg(0, "query").flow.value)};
  Flows out = heads(c, s);
  if (c.layer.keras() == 2) return out;
  for (const Flow& f : {c.arg(0, "query").flow, c.arg(1, "value").flow, c.arg(2, "key").flow})
    if (f.value != kNone) c.net.unmasked.insert(f.value);
  return out;
}

Flows group_query(Call& c) {
  const int64_t width = c.config.integer("head_dim");
  Sizes s;
  s.query = {c.config.integer("num_query_heads"), width};
  s.key_value = {c.config.integer("num_key_value_heads"), width};
  s.value = s.key_value;
  if (!sensible(c, s)) return {};
  if (s.query.count % s.key_value.count != 0) return c.invalid("its heads of keys do not divide those of queries");
  if (c.b.rank(c.arg(0, "query").flow.value) != 3) return c.invalid("its query has no three axes");
  s.scale = 1 / std::sqrt(static_cast<double>(width));
  s.axes = {1};
  s.out = {c.features(c.arg(0, "query").flow.value)};
  return heads(c, s);
}

constexpr LayerRow kMultiHeadRows[] = {
    {"MultiHeadAttention", multi_head, Masking::own},
    {"GroupQueryAttention GroupedQueryAttention", group_query, Masking::own},
};

}  // namespace

std::span<const LayerRow> multi_head_layers() { return kMultiHeadRows; }

}  // namespace tern::keras
