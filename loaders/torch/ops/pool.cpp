// Pools. See operator.h. Next: interpolate.cpp.
#include <cmath>

#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

struct PoolWindow {
  std::vector<int64_t> kernel, stride, padding, dilation;
};

PoolWindow pool_window(Builder& b, const Arguments& a, int spatial) {
  const auto n = static_cast<size_t>(spatial);
  PoolWindow w{a.ints("kernel_size", n), {}, a.ints("padding", n), std::vector<int64_t>(n, 1)};
  const bool strided = a.has("stride") && !(a["stride"].items() != nullptr && a["stride"].items()->empty());
  w.stride = strided ? a.ints("stride", n) : w.kernel;
  if (a.has("dilation")) w.dilation = a.ints("dilation", n);
  if (!b.ok()) return w;
  for (size_t i = 0; i < n; ++i) {
    constexpr int64_t kMost = int64_t(1) << 31;  // and no product overflows
    if (std::max({w.kernel[i], w.stride[i], w.padding[i], w.dilation[i]}) > kMost)
      b.fail(unsupported("a pool's kernel_size, stride, padding or dilation is too large"));
    if (w.kernel[i] < 1 || w.stride[i] < 1 || w.dilation[i] < 1 || w.padding[i] < 0)
      b.fail(invalid("a pool's kernel_size, stride, padding or dilation makes no sense"));
  }
  return w;
}

Attributes pool_attributes(const PoolWindow& w, bool ceil_mode) {
  std::vector<int64_t> pads = w.padding;
  pads.insert(pads.end(), w.padding.begin(), w.padding.end());
  return attributes(
      {{"kernel_shape", w.kernel}, {"strides", w.stride}, {"pads", pads}, {"dilations", w.dilation}, {"ceil_mode", int64_t(ceil_mode)}});
}

// MaxPool counts places through the whole tensor, torch within the plane of a channel.
IValue max_pool_and_places(Builder& b, ValueId x, int spatial, const Attributes& attrs) {
  const bool alone = b.ok() && b.rank(x) == spatial + 1;
  const ValueId v = alone ? unsqueeze(b, x, {0}) : x;
  const std::vector<ValueId> made = b.emit("MaxPool", {v}, attrs, 2);
  Int plane = 1;
  for (int i = 0; i < spatial && b.ok(); ++i) plane = b.mul(plane, b.size(v, b.rank(v) - spatial + i));
  const ValueId places = b.emit("Mod", {made[1], b.scalar(plane)});
  return IValue::tuple({tensor_of(alone ? squeeze(b, made[0], {0}) : made[0]), tensor_of(alone ? squeeze(b, places, {0}) : places)});
}

template <int Spatial>
IValue max_pool_with_indices(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const PoolWindow w = pool_window(b, a, Spatial);
  return max_pool_and_places(b, x, Spatial, pool_attributes(w, a.boolean("ceil_mode")));
}

template <int Spatial>
IValue max_pool(Builder& b, const Arguments& a) {
  if (a.has("return_indices") && a.boolean("return_indices")) return max_pool_with_indices<Spatial>(b, a);
  const ValueId x = a.tensor("input");
  const PoolWindow w = pool_window(b, a, Spatial);
  const bool ceil_mode = a.boolean("ceil_mode");
  return tensor_of(batched(b, x, Spatial, [&](ValueId v) { return b.emit("MaxPool", {v}, pool_attributes(w, ceil_mode)); }));
}

// Sums over windows by a divisor, in ceil mode: the zeros that the last windows reach into are written out, so that all windows are whole.
ValueId divided_sums(Builder& b, ValueId x, const PoolWindow& w, double divisor) {
  const int rank = b.rank(x), spatial = static_cast<int>(w.kernel.size());
  std::vector<int64_t> pads(static_cast<size_t>(2 * rank), 0);
  double count = 1;
  for (int i = 0; i < spatial; ++i) {
    const auto s = static_cast<size_t>(i), at = static_cast<size_t>(rank - spatial + i);
    const Int size = b.size(x, rank - spatial + i);
    if (!size.known())
      return b.fail(unsupported("avg_pool with divisor_override and ceil_mode over a size that is not known when the model is loaded"));
    const int64_t padded = size.value() + 2 * w.padding[s];
    int64_t n = (padded - w.kernel[s] + w.stride[s] - 1) / w.stride[s] + 1;
    if ((n - 1) * w.stride[s] >= size.value() + w.padding[s]) --n;  // a window must begin inside
    pads[at] = w.padding[s];
    pads[at + static_cast<size_t>(rank)] = std::max((n - 1) * w.stride[s] + w.kernel[s] - size.value() - w.padding[s], int64_t(0));
    count *= static_cast<double>(w.kernel[s]);
  }
  const PoolWindow whole{w.kernel, w.stride, std::vector<int64_t>(w.kernel.size(), 0), w.dilation};
  const ValueId y = b.emit("AveragePool", {b.emit("Pad", {x, b.ints(pads)})}, pool_attributes(whole, false));
  return b.emit("Mul", {y, b.scalar_like(y, count / divisor)});
}

template <int Spatial>
IValue avg_pool(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const PoolWindow w = pool_window(b, a, Spatial);
  Attributes attrs = pool_attributes(w, a.boolean("ceil_mode"));
  double divisor = 0;
  if (a.has("divisor_override")) {  // sums: the mean over whole windows times their size, then divided
    divisor = a.number("divisor_override");
    attrs.set("count_include_pad", int64_t(1));
    if (a.boolean("ceil_mode")) return tensor_of(batched(b, x, Spatial, [&](ValueId v) { return divided_sums(b, v, w, divisor); }));
  } else {
    attrs.set("count_include_pad", int64_t(a.boolean("count_include_pad")));
  }
  ValueId y = batched(b, x, Spatial, [&](ValueId v) { return b.emit("AveragePool", {v}, attrs); });
  if (divisor != 0 && b.ok()) {
    double count = 1;
    for (int64_t k : w.kernel) count *= static_cast<double>(k);
    y = b.emit("Mul", {y, b.scalar_like(y, count / divisor)});
  }
  return tensor_of(y);
}

template <int Spatial, bool Maximum>
IValue adaptive_pool_of(Builder& b, ValueId input, const IValue& size) {
  std::vector<IValue> wanted;
  if (size.items() != nullptr) wanted = *size.items();
  else wanted.assign(Spatial, size);
  if (wanted.size() == 1) wanted.assign(Spatial, wanted[0]);
  if (!b.ok()) return {};
  if (wanted.size() != Spatial) return tensor_of(b.fail(invalid("output_size must have " + std::to_string(Spatial) + " numbers")));
  return tensor_of(batched(b, input, Spatial, [&](ValueId x) -> ValueId {
    const int first = b.rank(x) - Spatial;
    std::vector<int64_t> n(Spatial), kernel, all_axes;
    bool equal = true, one = true;
    for (int i = 0; i < Spatial && b.ok(); ++i) {
      const Int s = b.size(x, first + i);
      const Int* want = wanted[static_cast<size_t>(i)].get<Int>();
      if (want == nullptr && !wanted[static_cast<size_t>(i)].is_none()) return b.fail(invalid("output_size must be ints or None"));
      if (want == nullptr && !s.known()) return b.fail(unsupported("an adaptive pool that keeps a size which is not known when the model is loaded"));
      n[static_cast<size_t>(i)] = want == nullptr ? s.value() : want->known() ? want->value() : 0;
      const int64_t k = n[static_cast<size_t>(i)];
      if (k < 1) return b.fail(unsupported("output_size must be at least 1"));
      one = one && k == 1;
      equal = equal && s.known() && s.value() % k == 0;
      kernel.push_back(equal ? s.value() / k : 0);
      all_axes.push_back(first + i);
    }
    if (!b.ok()) return kNone;
    if (one && !equal) return b.emit(Maximum ? "ReduceMax" : "ReduceMean", {x, b.ints(all_axes)}, attributes({{"keepdims", int64_t(1)}}));
    if (equal) {
      if (one) return b.emit(Maximum ? "GlobalMaxPool" : "GlobalAveragePool", {x});
      const PoolWindow w{kernel, kernel, std::vector<int64_t>(Spatial, 0), std::vector<int64_t>(Spatial, 1)};
      return b.emit(Maximum ? "MaxPool" : "AveragePool", {x}, pool_attributes(w, false));
    }
    ValueId y = x;
    for (int i = 0; i < Spatial; ++i) y = adaptive_pool_axis(b, y, first + i, n[static_cast<size_t>(i)], Maximum);
    return y;
  }));
}

template <int Spatial, bool Maximum>
IValue adaptive_pool(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (a.has("return_indices") && a.boolean("return_indices"))
    return tensor_of(b.fail(unsupported("adaptive_max_pool with return_indices is not supported")));
  return adaptive_pool_of<Spatial, Maximum>(b, x, a["output_size"]);
}

// ATen's gives indices too, which only windows of equal size could tell.
template <int Spatial>
IValue adaptive_max_pool(Builder& b, const Arguments& a) {
  return IValue::tuple({adaptive_pool_of<Spatial, true>(b, a.tensor("input"), a["output_size"]),
                        IValue::uncomputed("indices; where its windows are equal, a max_pool with return_indices does")});
}

// (sum x^p)^(1/p), not of |x|; in ceil mode torch scales the mean over what is inside by the whole window.
template <int Spatial>
IValue lp_pool(Builder& b, const Arguments& a) {
  const ValueId input = a.tensor("input");
  const PoolWindow w = pool_window(b, a, Spatial);
  const double p = a.number("norm_type");
  const bool ceil_mode = a.boolean("ceil_mode");
  if (b.ok() && p == 0) b.fail(invalid("norm_type must not be 0"));
  return tensor_of(batched(b, input, Spatial, [&](ValueId x) -> ValueId {
    Attributes attrs = pool_attributes(w, ceil_mode);
    if (p == 2 && !ceil_mode) {
      attrs.set("p", int64_t(2));
      return b.emit("LpPool", {x}, attrs);
    }
    double count = 1;
    for (int64_t k : w.kernel) count *= static_cast<double>(k);
    const ValueId power = p == 1 ? x : p == 2 ? b.emit("Mul", {x, x}) : b.emit("Pow", {x, b.scalar_like(x, p)});
    const ValueId sums = b.emit("Mul", {b.emit("AveragePool", {power}, attrs), b.scalar_like(x, count)});
    return p == 1 ? sums : p == 2 ? b.emit("Sqrt", {sums}) : b.emit("Pow", {sums, b.scalar_like(x, 1 / p)});
  }));
}

constexpr const char* kMax = "input|self, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False";
constexpr const char* kAvg = "input|self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None";
constexpr const char* kAdaptive = "input|self, output_size, return_indices=False";
constexpr const char* kLp = "input, norm_type, kernel_size, stride=None, ceil_mode=False, padding=0";

constexpr Operator kPoolRows[] = {
    {"aten.max_pool1d.default F.max_pool1d torch.max_pool1d", kMax, max_pool<1>},
    {"aten.max_pool2d.default F.max_pool2d torch.max_pool2d", kMax, max_pool<2>},
    {"aten.max_pool3d.default F.max_pool3d torch.max_pool3d", kMax, max_pool<3>},
    {"aten.max_pool2d_with_indices.default", kMax, max_pool_with_indices<2>},
    {"aten.max_pool3d_with_indices.default", kMax, max_pool_with_indices<3>},
    {"aten.avg_pool1d.default F.avg_pool1d torch.avg_pool1d", kAvg, avg_pool<1>},
    {"aten.avg_pool2d.default F.avg_pool2d", kAvg, avg_pool<2>},
    {"aten.avg_pool3d.default F.avg_pool3d", kAvg, avg_pool<3>},
    {"aten.adaptive_avg_pool1d.default F.adaptive_avg_pool1d torch.adaptive_avg_pool1d", kAdaptive, adaptive_pool<1, false>},
    {"aten.adaptive_avg_pool2d.default aten._adaptive_avg_pool2d.default F.adaptive_avg_pool2d", kAdaptive, adaptive_pool<2, false>},
    {"aten.adaptive_avg_pool3d.default aten._adaptive_avg_pool3d.default F.adaptive_avg_pool3d", kAdaptive, adaptive_pool<3, false>},
    {"F.adaptive_max_pool1d", kAdaptive, adaptive_pool<1, true>},
    {"F.adaptive_max_pool2d", kAdaptive, adaptive_pool<2, true>},
    {"F.adaptive_max_pool3d", kAdaptive, adaptive_pool<3, true>},
    {"aten.adaptive_max_pool1d.default torch.adaptive_max_pool1d", kAdaptive, adaptive_max_pool<1>},
    {"aten.adaptive_max_pool2d.default", kAdaptive, adaptive_max_pool<2>},
    {"aten.adaptive_max_pool3d.default", kAdaptive, adaptive_max_pool<3>},
    {"F.lp_pool1d", kLp, lp_pool<1>},
    {"F.lp_pool2d", kLp, lp_pool<2>},
    {"F.lp_pool3d", kLp, lp_pool<3>},
};

}  // namespace

std::span<const Operator> pool_operators() { return kPoolRows; }

}  // namespace tern::torch
