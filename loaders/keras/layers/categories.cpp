// Layers that make categories of numbers and words: Discretization, CategoryEncoding, Hashing, HashedCrossing. See categories.h and layer.h.
#include "loaders/keras/layers/categories.h"

#include <algorithm>
#include <numeric>

#include "runtime/graph_nodes.h"

namespace tern::keras {
namespace {

constexpr int64_t kMostCategories = int64_t(1) << 24;

// x[..., d] is 1 where number [...] is d. Not by OneHot, which counts negative numbers from the end.
ValueId one_hot(Call& c, ValueId numbers, int64_t depth, DType dtype) {
  std::vector<int64_t> all(static_cast<size_t>(depth));
  std::iota(all.begin(), all.end(), int64_t(0));
  const int rank = c.b.rank(numbers);
  const ValueId categories = c.b.cast(c.b.ints(all), c.b.dtype(numbers));
  return c.b.cast(c.emit("Equal", {unsqueeze(c.b, numbers, {rank}), categories}), dtype);
}

ValueId reduced(Call& c, const char* op, ValueId x, int axis) { return c.emit(op, {x, c.b.ints({axis})}, attributes({{"keepdims", int64_t(0)}})); }

// The dtype of what the layer gives: its own in mode int, when it is one of integers, else that of floats.
DType output_dtype(const Call& c, const std::string& mode, DType numbers) {
  const DType said = dtype_named(c.config.policy());
  if (mode == "int") return is_int(said) ? said : numbers;
  return said != DType::none ? (c.layer.keras() == 2 ? c.layer.compute : said) : DType::f32;
}

std::string mode_of(const Call& c, const char* otherwise) {
  const std::string mode = c.config.text("output_mode", otherwise);
  return mode == "binary" ? "multi_hot" : mode;
}

// y at x on the line through (xs[i], ys[i]), xs ascending; beyond the ends those of the ends. As numpy.interp.
double interpolated(double x, std::span<const float> xs, std::span<const float> ys) {
  const auto after =
      static_cast<size_t>(std::upper_bound(xs.begin(), xs.end(), x, [](double a, float b) { return a < static_cast<double>(b); }) - xs.begin());
  if (after == 0) return ys.front();
  if (after == xs.size()) return ys.back();
  const double x0 = xs[after - 1], y0 = ys[after - 1];
  return (ys[after] - y0) / (xs[after] - x0) * (x - x0) + y0;
}

// Keras 2 keeps of an adapted layer a summary: values, and how many of the data each stands for. The boundaries are its quantiles.
std::vector<double> bounds_of_summary(std::span<const float> values, std::span<const float> weights, int64_t bins) {
  std::vector<double> bounds(values.begin(), values.end());
  const double step = 1.0 / static_cast<double>(bins);
  if (static_cast<double>(values.size()) * step >= 1) {
    std::vector<float> parts(weights.size());
    std::partial_sum(weights.begin(), weights.end(), parts.begin());
    const float all = parts.back();
    for (float& part : parts) part /= all;
    bounds.clear();
    for (int64_t i = 0; i < bins; ++i) bounds.push_back(static_cast<float>(interpolated(step + static_cast<double>(i) * step, parts, values)));
  }
  bounds.pop_back();
  return bounds;
}

// Number of boundaries that are no more than x. A NaN is beyond all of them.
Flows discretization(Call& c) {
  std::vector<double> bounds = c.config.numbers("bin_boundaries");
  const int64_t bins = c.config.integer("num_bins", 0);
  if (bounds.empty() && bins > 0 && bins <= kMostCategories && c.weights.has("summary")) {
    const Tensor* t = c.b.contents(c.weights.get("summary", {2, kAnySize}, false));
    const auto all = t != nullptr && t->dtype() == DType::f32 ? t->span<float>() : std::span<const float>();
    if (!all.empty()) bounds = bounds_of_summary(all.first(all.size() / 2), all.last(all.size() / 2), bins);
  }
  if (bounds.empty()) return c.invalid("it has no bin_boundaries: it was neither given any nor adapted");
  const std::vector<float> narrow(bounds.begin(), bounds.end());
  const ValueId x = c.b.cast(c.x(), c.b.dtype(c.x()) == DType::f64 ? DType::f64 : DType::f32);
  const int rank = c.b.rank(x);
  const ValueId limits = c.b.cast(c.b.constant(Tensor::of<float>({static_cast<int64_t>(narrow.size())}, narrow)), c.b.dtype(x));
  const ValueId below = c.emit("Less", {unsqueeze(c.b, x, {rank}), limits});
  const std::string mode = mode_of(c, "int");
  const DType numbers = c.layer.keras() == 2 ? DType::i64 : DType::i32;
  const ValueId numbered = reduced(c, "ReduceSum", c.b.cast(c.emit("Not", {below}), DType::i32), rank);
  const auto depth = static_cast<int64_t>(bounds.size()) + 1;
  return {{encode(c, numbered, {mode, depth, mode == "int" && c.layer.keras() == 3 ? numbers : output_dtype(c, mode, numbers), kNone, kNone})}};
}

Flows category_encoding(Call& c) {
  const int64_t depth = c.config.integer("num_tokens");
  const std::string mode = mode_of(c, "multi_hot");
  if (mode == "int") return c.invalid("its output_mode is int");
  const ValueId weights = c.tensor(1, "count_weights");
  return {{encode(c, c.x(), {mode, depth, output_dtype(c, mode, DType::f32), mode == "count" ? weights : kNone, kNone})}};
}

// With a mask value bin 0 is its own.
Flows hashing(Call& c) {
  const int64_t bins = c.config.integer("num_bins");
  if (bins < 1) return c.invalid("num_bins is " + std::to_string(bins));
  const bool masked = c.config.has("mask_value") && bins > 1;
  const ValueId x = c.x();
  ValueId text = x;
  if (is_float(c.b.dtype(x))) text = c.b.cast(text, DType::i64);
  if (c.b.dtype(text) != DType::string) text = c.emit("AsString", {text});
  ValueId y = hashed(c, text, bins - (masked ? 1 : 0));
  if (masked) {
    ValueId mask = kNone;
    if (c.b.dtype(x) == DType::string) {
      const std::string token = c.config.text("mask_value");
      auto t = Tensor::strings({}, {&token, 1});
      if (t) mask = c.b.constant(std::move(*t));
    } else {
      mask = c.b.scalar_like(x, c.config.number("mask_value", 0));
    }
    const ValueId zero = c.b.scalar(DType::i64, 0);
    y = c.emit("Where", {c.emit("Equal", {x, mask}), zero, c.emit("Add", {y, c.b.scalar(DType::i64, 1)})});
  }
  const std::string mode = mode_of(c, "int");
  return {{encode(c, y, {mode, bins, output_dtype(c, mode, DType::i64), kNone, kNone})}};
}

Flows hashed_crossing(Call& c) {
  const int64_t bins = c.config.integer("num_bins");
  if (bins < 1 || c.inputs.size() < 2)
    return c.invalid("it crosses " + std::to_string(c.inputs.size()) + " inputs into " + std::to_string(bins) + " bins");
  std::vector<ValueId> columns;
  for (const Flow& f : c.inputs) columns.push_back(f.value);
  const ValueId y = c.emit("HashCross", columns, attributes({{"buckets", bins}}));
  const std::string mode = mode_of(c, "int");
  return {{encode(c, y, {mode, bins, output_dtype(c, mode, DType::i64), kNone, kNone})}};
}

constexpr LayerRow kCategoriesRows[] = {
    {"Discretization", discretization, Masking::dropped, false},
    {"CategoryEncoding", category_encoding, Masking::dropped, false},
    {"Hashing", hashing, Masking::dropped, false},
    {"HashedCrossing", hashed_crossing, Masking::dropped, false},
};

}  // namespace

ValueId encode(Call& c, ValueId numbers, const Encoding& how) {
  GraphBuilder& b = c.b;
  if (c.config.boolean("sparse", false)) return c.unsupported("sparse=True"), kNone;
  if (how.mode == "int") return b.cast(numbers, how.dtype);
  if (how.depth < 1 || how.depth > kMostCategories) return b.fail(tern::invalid("it has " + std::to_string(how.depth) + " categories"));
  const bool counts = how.mode == "count";
  if (!counts && how.mode != "multi_hot" && how.mode != "one_hot") return c.unsupported("output_mode " + how.mode), kNone;
  if (how.splits != kNone) {
    if (how.mode == "one_hot") return c.unsupported("output_mode one_hot of rows of different lengths"), kNone;
    const ValueId y =
        b.emit("Bincount", {numbers, b.scalar(DType::i64, static_cast<double>(how.depth)), how.splits}, attributes({{"binary", int64_t(!counts)}}));
    return b.cast(y, how.dtype);
  }
  int rank = b.rank(numbers);
  if (rank == 0) numbers = unsqueeze(b, numbers, {0}), rank = 1;
  if (!b.ok()) return kNone;
  if (how.mode == "one_hot") {
    if (rank > 1 && b.shape(numbers)[rank - 1].is(1)) numbers = squeeze(b, numbers, {rank - 1});
    return one_hot(c, numbers, how.depth, how.dtype);
  }
  // Two axes: each row is a sample. More: Keras reduces the second, whatever comes after it.
  const int axis = rank > 1 ? 1 : 0;
  if (how.weights == kNone) return reduced(c, counts ? "ReduceSum" : "ReduceMax", one_hot(c, numbers, how.depth, how.dtype), axis);
  const DType weighed = b.dtype(how.weights);
  const ValueId each = b.emit("Mul", {one_hot(c, numbers, how.depth, weighed), unsqueeze(b, how.weights, {b.rank(how.weights)})});
  return b.cast(reduced(c, "ReduceSum", each, axis), how.dtype);
}

ValueId hashed(Call& c, ValueId text, int64_t buckets) {
  Attributes attrs = attributes({{"buckets", buckets}});
  std::vector<int64_t> salt = c.config.ints("salt");
  if (salt.size() == 1) salt.push_back(salt[0]);
  if (!salt.empty()) attrs.set("key", salt);
  return c.b.emit("StringHash", {text}, std::move(attrs));
}

std::span<const LayerRow> category_layers() { return kCategoriesRows; }

}  // namespace tern::keras
