// Pools, interpolation, pixel shuffles. See operator.h. Next: reduce.cpp.
#include <cmath>

#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

struct Window {
  std::vector<int64_t> kernel, stride, padding, dilation;
};

Window window_of(Builder& b, const Arguments& a, int spatial) {
  const auto n = static_cast<size_t>(spatial);
  Window w{a.ints("kernel_size", n), {}, a.ints("padding", n), std::vector<int64_t>(n, 1)};
  const bool strided = a.has("stride") && !(a["stride"].items() != nullptr && a["stride"].items()->empty());
  w.stride = strided ? a.ints("stride", n) : w.kernel;
  if (a.has("dilation")) w.dilation = a.ints("dilation", n);
  if (!b.ok()) return w;
  for (size_t i = 0; i < n; ++i) {
    if (w.kernel[i] < 1 || w.stride[i] < 1 || w.dilation[i] < 1 || w.padding[i] < 0) b.fail(invalid("a pool's kernel_size, stride, padding or dilation makes no sense"));
  }
  return w;
}

Attributes pool_attributes(const Window& w, bool ceil_mode) {
  std::vector<int64_t> pads = w.padding;
  pads.insert(pads.end(), w.padding.begin(), w.padding.end());
  return attributes({{"kernel_shape", w.kernel}, {"strides", w.stride}, {"pads", pads}, {"dilations", w.dilation}, {"ceil_mode", int64_t(ceil_mode)}});
}

template <int Spatial>
ValueId max_pool_of(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const Window w = window_of(b, a, Spatial);
  if (a.has("return_indices") && a.boolean("return_indices")) return b.fail(unsupported("max_pool with return_indices is not supported"));
  const bool ceil_mode = a.boolean("ceil_mode");
  return batched(b, x, Spatial, [&](ValueId v) { return b.emit("MaxPool", {v}, pool_attributes(w, ceil_mode)); });
}

template <int Spatial>
IValue max_pool(Builder& b, const Arguments& a) { return tensor_of(max_pool_of<Spatial>(b, a)); }
template <int Spatial>
IValue max_pool_with_indices(Builder& b, const Arguments& a) { return IValue::tuple({tensor_of(max_pool_of<Spatial>(b, a)), IValue()}); }

template <int Spatial>
IValue avg_pool(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const Window w = window_of(b, a, Spatial);
  Attributes attrs = pool_attributes(w, a.boolean("ceil_mode"));
  double divisor = 0;
  if (a.has("divisor_override")) {  // sums: the mean over whole windows times their size, then divided
    divisor = a.number("divisor_override");
    attrs.set("count_include_pad", int64_t(1));
    if (a.boolean("ceil_mode")) return tensor_of(b.fail(unsupported("avg_pool with divisor_override and ceil_mode is not supported")));
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

// Window i of n over size s covers [floor(i s / n), ceil((i + 1) s / n)). Equal windows are one pool, others one piece an output.
ValueId adaptive_axis(Builder& b, ValueId x, int axis, int64_t n, bool maximum) {
  const char* reduce = maximum ? "ReduceMax" : "ReduceMean";
  auto over = [&](ValueId v) { return b.emit(reduce, {v, b.ints(std::vector<int64_t>{axis})}, attributes({{"keepdims", int64_t(1)}})); };
  if (n == 1) return over(x);
  const Int size = b.size(x, axis);
  if (!size.known()) return b.fail(unsupported("an adaptive pool over a size that is not known when the model is loaded"));
  const int64_t s = size.value();
  if (n > 4096) return b.fail(unsupported("an adaptive pool of " + std::to_string(n) + " windows"));
  std::vector<ValueId> parts;
  for (int64_t i = 0; i < n; ++i) parts.push_back(over(slice(b, x, axis, i * s / n, (i + 1) * s / n + ((i + 1) * s % n != 0))));
  return concat(b, parts, axis);
}

template <int Spatial, bool Maximum>
IValue adaptive_pool(Builder& b, const Arguments& a) {
  const ValueId input = a.tensor("input");
  if (a.has("return_indices") && a.boolean("return_indices")) return tensor_of(b.fail(unsupported("adaptive_max_pool with return_indices is not supported")));
  std::vector<IValue> wanted;
  const IValue& size = a["output_size"];
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
      const Window w{kernel, kernel, std::vector<int64_t>(Spatial, 0), std::vector<int64_t>(Spatial, 1)};
      return b.emit(Maximum ? "MaxPool" : "AveragePool", {x}, pool_attributes(w, false));
    }
    ValueId y = x;
    for (int i = 0; i < Spatial; ++i) y = adaptive_axis(b, y, first + i, n[static_cast<size_t>(i)], Maximum);
    return y;
  }));
}

IValue lp_pool(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int spatial = b.rank(x) - 2;
  if (!b.ok() || spatial < 1) return {};
  const Window w = window_of(b, a, spatial);
  Attributes attrs = pool_attributes(w, a.boolean("ceil_mode"));
  const double p = a.number("norm_type");
  if (p != std::floor(p)) return tensor_of(b.fail(unsupported("lp_pool with a norm_type that is no whole number is not supported")));
  attrs.set("p", static_cast<int64_t>(p));
  return tensor_of(b.emit("LpPool", {x}, attrs));
}

// ---- interpolation ----

struct Mode {
  const char *torch, *onnx, *nearest;
};
constexpr Mode kModes[] = {{"nearest", "nearest", "floor"},       {"nearest-exact", "nearest", "round_prefer_ceil"}, {"linear", "linear", ""},
                           {"bilinear", "linear", ""},            {"trilinear", "linear", ""},                       {"bicubic", "cubic", ""}};

ValueId resize(Builder& b, ValueId x, const std::string& mode, bool align_corners, const std::vector<Int>& sizes, const std::vector<double>& scales) {
  const Mode* m = nullptr;
  for (const Mode& row : kModes) m = mode == row.torch ? &row : m;
  if (m == nullptr) return b.fail(unsupported("interpolate: mode '" + mode + "' is not supported"));
  const int rank = b.rank(x);
  const std::string_view onnx = m->onnx;
  Attributes attrs = attributes({{"mode", std::string(m->onnx)},
                                 {"coordinate_transformation_mode", std::string(onnx == "nearest" ? (mode == "nearest" ? "asymmetric" : "half_pixel")
                                                                                : align_corners ? "align_corners" : "pytorch_half_pixel")}});
  if (onnx == "nearest") attrs.set("nearest_mode", std::string(m->nearest));
  if (onnx == "cubic") attrs.set("cubic_coeff_a", -0.75f);
  const auto count = static_cast<size_t>(rank - 2);
  if (!sizes.empty()) {
    std::vector<Int> all = {b.size(x, 0), b.size(x, 1)};
    if (sizes.size() != count && sizes.size() != 1) return b.fail(invalid("interpolate: size must have " + std::to_string(count) + " numbers"));
    for (size_t i = 0; i < count; ++i) all.push_back(sizes[sizes.size() == 1 ? 0 : i]);
    return b.emit("Resize", {x, kNone, kNone, b.ints(all)}, attrs);
  }
  if (scales.size() != count && scales.size() != 1) return b.fail(invalid("interpolate: scale_factor must have " + std::to_string(count) + " numbers"));
  std::vector<float> all = {1, 1};
  for (size_t i = 0; i < count; ++i) all.push_back(static_cast<float>(scales[scales.size() == 1 ? 0 : i]));
  return b.emit("Resize", {x, kNone, b.constant(tern::Tensor::of<float>({static_cast<int64_t>(all.size())}, std::span<const float>(all)))}, attrs);
}

std::vector<double> numbers(Builder& b, const IValue& v) {
  std::vector<double> out;
  auto one = [&](const IValue& x) {
    if (const auto* d = x.get<double>()) out.push_back(*d);
    else if (const auto* n = x.get<Int>(); n != nullptr && n->known()) out.push_back(static_cast<double>(n->value()));
    else if (b.ok()) b.fail(invalid("scale_factor must be numbers"));
  };
  if (v.items() == nullptr) one(v);
  else for (const IValue& x : *v.items()) one(x);
  return out;
}

IValue interpolate(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (!b.ok()) return {};
  if (b.rank(x) < 3) return tensor_of(b.fail(invalid("interpolate needs at least three dimensions")));
  const bool align = a.has("align_corners") && a.boolean("align_corners");
  const std::string mode = a.string("mode");
  if (a.has("size")) return tensor_of(resize(b, x, mode, align, a.sizes("size"), {}));
  if (!a.has("scale_factor")) return tensor_of(b.fail(invalid("interpolate needs size or scale_factor")));
  const std::vector<double> scales = numbers(b, a["scale_factor"]);
  if (!a.has("recompute_scale_factor") || !a.boolean("recompute_scale_factor")) return tensor_of(resize(b, x, mode, align, {}, scales));
  std::vector<Int> sizes;
  for (int i = 2; i < b.rank(x) && b.ok(); ++i) {
    const Int s = b.size(x, i);
    if (!s.known()) return tensor_of(b.fail(unsupported("recompute_scale_factor of a size that is not known when the model is loaded")));
    sizes.push_back(static_cast<int64_t>(std::floor(static_cast<double>(s.value()) * scales[scales.size() == 1 ? 0 : static_cast<size_t>(i - 2)])));
  }
  return tensor_of(resize(b, x, mode, align, sizes, {}));
}

template <Text Name>
IValue upsample_vec(Builder& b, const Arguments& a) {  // aten.upsample_bilinear2d.vec
  const ValueId x = a.tensor("input");
  const bool align = a.has("align_corners") && a.boolean("align_corners");
  if (!b.ok()) return {};
  if (a.has("output_size")) return tensor_of(resize(b, x, Name.text, align, a.sizes("output_size"), {}));
  return tensor_of(resize(b, x, Name.text, align, {}, numbers(b, a["scale_factors"])));
}

// ---- pixel shuffles: [.., C r^2, H, W] to [.., C, H r, W r] and back ----

template <bool Up>
IValue pixel_shuffle(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int64_t r = a.integer("factor");
  const int rank = b.rank(x);
  if (!b.ok()) return {};
  if (rank < 3 || r < 1) return tensor_of(b.fail(invalid("pixel_shuffle needs three dimensions and a factor of at least 1")));
  std::vector<Int> lead;
  for (int i = 0; i < rank - 3; ++i) lead.push_back(b.size(x, i));
  const Int c = b.size(x, rank - 3), h = b.size(x, rank - 2), w = b.size(x, rank - 1);
  auto with = [&](std::initializer_list<Int> tail) {
    std::vector<Int> sizes = lead;
    sizes.insert(sizes.end(), tail);
    return sizes;
  };
  const int n = rank - 3;
  std::vector<int64_t> order;
  for (int i = 0; i < n; ++i) order.push_back(i);
  const Int square = r * r;
  if (Up) {
    for (int i : {0, 3, 1, 4, 2}) order.push_back(n + i);
    const Int out = b.floor_div(c, square);
    const ValueId split = b.reshape(x, with({out, r, r, h, w}));
    return tensor_of(b.reshape(permute(b, split, order), with({out, b.mul(h, r), b.mul(w, r)})));
  }
  for (int i : {0, 2, 4, 1, 3}) order.push_back(n + i);
  const Int down = b.floor_div(h, r), right = b.floor_div(w, r);
  const ValueId split = b.reshape(x, with({c, down, r, right, r}));
  return tensor_of(b.reshape(permute(b, split, order), with({b.mul(c, square), down, right})));
}

IValue channel_shuffle(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const Int groups = a.size("groups");
  const int rank = b.rank(x);
  if (!b.ok() || rank < 3) return {};
  std::vector<Int> split = {b.size(x, 0), groups, b.floor_div(b.size(x, 1), groups)}, whole;
  for (int i = 2; i < rank; ++i) split.push_back(b.size(x, i));
  for (int i = 0; i < rank; ++i) whole.push_back(b.size(x, i));
  return tensor_of(b.reshape(transpose(b, b.reshape(x, split), 1, 2), whole));
}

constexpr const char* kMax = "input|self, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False";
constexpr const char* kAvg = "input|self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None";
constexpr const char* kAdaptive = "input|self, output_size, return_indices=False";
constexpr const char* kVec = "input, output_size, align_corners=None, scale_factors=None";

constexpr Operator kRows[] = {
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
    {"F.lp_pool1d F.lp_pool2d F.lp_pool3d", "input, norm_type, kernel_size, stride=None, ceil_mode=False, padding=0", lp_pool},
    {"F.interpolate", "input, size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None, antialias=False", interpolate},
    {"F.upsample", "input, size=None, scale_factor=None, mode='nearest', align_corners=None", interpolate},
    {"aten.upsample_nearest1d.vec", "input, output_size, scale_factors", upsample_vec<"nearest">},
    {"aten.upsample_nearest2d.vec aten.upsample_nearest3d.vec", "input, output_size, scale_factors", upsample_vec<"nearest">},
    {"aten._upsample_nearest_exact1d.vec aten._upsample_nearest_exact2d.vec", "input, output_size, scale_factors", upsample_vec<"nearest-exact">},
    {"aten.upsample_linear1d.vec aten.upsample_bilinear2d.vec aten.upsample_trilinear3d.vec", kVec, upsample_vec<"linear">},
    {"aten.upsample_bicubic2d.vec", kVec, upsample_vec<"bicubic">},
    {"aten.pixel_shuffle.default F.pixel_shuffle torch.pixel_shuffle", "input|self, factor|upscale_factor", pixel_shuffle<true>},
    {"aten.pixel_unshuffle.default F.pixel_unshuffle torch.pixel_unshuffle", "input|self, factor|downscale_factor", pixel_shuffle<false>},
    {"aten.channel_shuffle.default F.channel_shuffle torch.channel_shuffle", "input|self, groups", channel_shuffle},
};

}  // namespace

std::span<const Operator> pool_operators() { return kRows; }

}  // namespace tern::torch
