// Interpolation, grid_sample and pixel shuffles. See operator.h. Next: norm.cpp.
#include <cmath>

#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

struct ResizeMode {
  const char *torch, *onnx, *nearest;
};
constexpr ResizeMode kModes[] = {{"nearest", "nearest", "floor"}, {"nearest-exact", "nearest", "round_prefer_ceil"},
                                 {"linear", "linear", ""},        {"bilinear", "linear", ""},
                                 {"trilinear", "linear", ""},     {"bicubic", "cubic", ""}};

// The sizes that factors make, rounded down.
std::vector<Int> scaled_sizes(Builder& b, ValueId x, const std::vector<double>& scales) {
  std::vector<Int> sizes;
  const auto count = static_cast<size_t>(std::max(b.rank(x) - 2, 0));
  if (b.ok() && scales.size() != 1 && scales.size() != count) b.fail(invalid("scale_factor must have a number for each spatial dimension"));
  for (size_t i = 0; i < count && b.ok(); ++i) {
    const Int n = b.size(x, static_cast<int>(i + 2));
    const double scale = scales[scales.size() == 1 ? 0 : i];
    const bool whole = scale == std::floor(scale) && std::fabs(scale) < 1e9;
    if (n.known() && n.value() > int64_t(1) << 40) b.fail(unsupported("interpolation over " + std::to_string(n.value())));
    else if (n.known()) sizes.push_back(static_cast<int64_t>(std::floor(static_cast<double>(n.value()) * scale)));
    else if (whole) sizes.push_back(b.mul(n, static_cast<int64_t>(scale)));
    else b.fail(unsupported("a size that scale_factor makes of one that is not known when the model is loaded"));
  }
  return sizes;
}

// The factor as Resize has it, in f32, such that it makes the size that it makes in f64.
float nearest_float(double scale, const Int& size) {
  const auto near = static_cast<float>(scale);
  if (!size.known()) return near;
  const auto n = static_cast<double>(size.value());
  for (float s : {near, std::nextafter(near, INFINITY), std::nextafter(near, 0.0f)}) {
    if (std::floor(s * static_cast<float>(n)) == std::floor(n * scale)) return s;
  }
  return near;
}

// torch finds the nearest place by a product in f32, Resize by a quotient in f64. Where ties fall apart, these are the places that torch
// reads, for each axis; nothing where Resize reads the same ones, or where the sizes are not known.
std::vector<std::vector<int64_t>> nearest_places(Builder& b, ValueId x, const std::vector<Int>& sizes, const std::vector<double>& scales,
                                                 bool exact) {
  constexpr int64_t kMostPlaces = int64_t(1) << 20;
  std::vector<std::vector<int64_t>> axes;
  const auto count = static_cast<size_t>(b.rank(x) - 2);
  bool same = true;
  for (size_t i = 0; i < count; ++i) {
    const Int n = b.size(x, static_cast<int>(i + 2)), size = sizes.empty() ? Int() : sizes[sizes.size() == 1 ? 0 : std::min(i, sizes.size() - 1)];
    if (!n.known() || !size.known() || n.value() < 1 || n.value() > kMostPlaces) return {};
    const auto in = static_cast<double>(n.value());
    const double scale = scales.empty() ? static_cast<double>(size.value()) / in : scales[scales.size() == 1 ? 0 : std::min(i, scales.size() - 1)];
    const double out = sizes.empty() ? std::floor(in * scale) : static_cast<double>(size.value());
    const float ratio = sizes.empty() ? static_cast<float>(1 / scale) : static_cast<float>(in) / static_cast<float>(out);
    const double resize_scale = sizes.empty() ? static_cast<double>(nearest_float(scale, n)) : scale;
    if (!(out >= 0 && out <= kMostPlaces)) return {};
    std::vector<int64_t> places;
    for (double o = 0; o < out; ++o) {
      const double half = exact ? 0.5 : 0;
      const auto place = static_cast<double>(std::floor(static_cast<float>(o + half) * ratio));
      const double other = std::floor(exact ? (o + 0.5) / resize_scale - 0.5 + 0.5 : o / resize_scale);
      same = same && std::min(place, in - 1) == std::min(other, in - 1);
      places.push_back(static_cast<int64_t>(std::min(place, in - 1)));
    }
    axes.push_back(std::move(places));
  }
  return same ? std::vector<std::vector<int64_t>>() : axes;
}

ValueId gathered(Builder& b, ValueId x, const std::vector<std::vector<int64_t>>& places) {
  for (size_t i = 0; i < places.size(); ++i) x = b.emit("Gather", {x, b.ints(places[i])}, attributes({{"axis", static_cast<int64_t>(i + 2)}}));
  return x;
}

struct Sampling {
  bool align = false, antialias = false;  // align_corners
};

ValueId resize(Builder& b, ValueId x, const std::string& mode, Sampling how, std::vector<Int> sizes, const std::vector<double>& scales) {
  const ResizeMode* m = nullptr;
  for (const ResizeMode& row : kModes) m = mode == row.torch ? &row : m;
  if (m == nullptr) return b.fail(unsupported("interpolate: mode '" + mode + "' is not supported"));
  const int rank = b.rank(x);
  const std::string_view onnx = m->onnx;
  Attributes attrs = attributes({{"mode", std::string(m->onnx)},
                                 {"coordinate_transformation_mode", std::string(onnx == "nearest" ? (mode == "nearest" ? "asymmetric" : "half_pixel")
                                                                                : how.align       ? "align_corners"
                                                                                                  : "half_pixel")}});
  if (onnx == "nearest") attrs.set("nearest_mode", std::string(m->nearest));
  if (onnx == "cubic") attrs.set("cubic_coeff_a", how.antialias ? -0.5f : -0.75f);
  if (how.antialias) {
    if (rank != 4 || onnx == "nearest") return b.fail(invalid("antialias=True is of bilinear and bicubic interpolation of four dimensions"));
    if (how.align) return b.fail(unsupported("antialias=True with align_corners=True is not supported"));
    attrs.set("antialias", int64_t(1));
    attrs.set("exclude_outside", int64_t(1));
  }
  const auto count = static_cast<size_t>(rank - 2);
  if (how.align && sizes.empty()) sizes = scaled_sizes(b, x, scales);  // there a factor says no more than the size
  if (!b.ok()) return kNone;
  if (onnx == "nearest") {
    if (const auto places = nearest_places(b, x, sizes, scales, mode != "nearest"); !places.empty()) return gathered(b, x, places);
  }
  if (!sizes.empty()) {
    std::vector<Int> all = {b.size(x, 0), b.size(x, 1)};
    if (sizes.size() != count && sizes.size() != 1) return b.fail(invalid("interpolate: size must have " + std::to_string(count) + " numbers"));
    for (size_t i = 0; i < count; ++i) all.push_back(sizes[sizes.size() == 1 ? 0 : i]);
    return b.emit("Resize", {x, kNone, kNone, b.ints(all)}, attrs);
  }
  if (scales.size() != count && scales.size() != 1)
    return b.fail(invalid("interpolate: scale_factor must have " + std::to_string(count) + " numbers"));
  std::vector<float> all = {1, 1};
  for (size_t i = 0; i < count; ++i) {
    const double scale = scales[scales.size() == 1 ? 0 : i];
    const Int n = b.size(x, static_cast<int>(i + 2));
    const bool same = onnx == "linear" && n.known() && std::floor(static_cast<double>(n.value()) * scale) == static_cast<double>(n.value());
    all.push_back(same ? 1 : nearest_float(scale, n));  // torch copies such an axis
  }
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
  else
    for (const IValue& x : *v.items()) one(x);
  for (double scale : out) {
    if (b.ok() && !(scale > 0 && scale < 1e6)) b.fail(invalid("a scale_factor must be more than 0 and less than a million"));
  }
  return out;
}

// mode='area': means over windows.
IValue area(Builder& b, ValueId x, const Arguments& a) {
  std::vector<Int> sizes = a.has("size") ? a.sizes("size") : scaled_sizes(b, x, numbers(b, a["scale_factor"]));
  constexpr const char* kPools[] = {"F.adaptive_avg_pool1d", "F.adaptive_avg_pool2d", "F.adaptive_avg_pool3d"};
  if (b.ok() && b.rank(x) > 5) b.fail(invalid("interpolate takes three to five dimensions"));
  return b.ok() ? call(b, kPools[b.rank(x) - 3], {tensor_of(x), IValue::tuple(IValues(sizes.begin(), sizes.end()))}) : IValue();
}

Sampling sampling_of(const Arguments& a, bool antialias) {
  return {.align = a.has("align_corners") && a.boolean("align_corners"), .antialias = antialias};
}

IValue interpolate(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (!b.ok()) return {};
  if (b.rank(x) < 3) return tensor_of(b.fail(invalid("interpolate needs at least three dimensions")));
  const Sampling how = sampling_of(a, a.has("antialias") && a.boolean("antialias"));
  const std::string mode = a.string("mode");
  if (mode == "area") return area(b, x, a);
  if (a.has("size")) return tensor_of(resize(b, x, mode, how, a.sizes("size"), {}));
  if (!a.has("scale_factor")) return tensor_of(b.fail(invalid("interpolate needs size or scale_factor")));
  const std::vector<double> scales = numbers(b, a["scale_factor"]);
  if (!a.has("recompute_scale_factor") || !a.boolean("recompute_scale_factor")) return tensor_of(resize(b, x, mode, how, {}, scales));
  return tensor_of(resize(b, x, mode, how, scaled_sizes(b, x, scales), {}));
}

// Antialias: aten._upsample_bilinear2d_aa, whose filter widens when it shrinks.
template <OpName Name, bool Antialias = false>
IValue upsample_vec(Builder& b, const Arguments& a) {  // aten.upsample_bilinear2d.vec
  const ValueId x = a.tensor("input");
  const Sampling how = sampling_of(a, Antialias);
  if (!b.ok()) return {};
  if (a.has("output_size")) return tensor_of(resize(b, x, Name.text, how, a.sizes("output_size"), {}));
  return tensor_of(resize(b, x, Name.text, how, {}, numbers(b, a["scale_factors"])));
}

// With sizes, and perhaps the factors that made them, which then say where the source lies.
template <OpName Name, bool Antialias = false>
IValue upsample(Builder& b, const Arguments& a) {  // aten.upsample_bilinear2d.default
  const ValueId x = a.tensor("input");
  const Sampling how = sampling_of(a, Antialias);
  std::vector<double> scales;
  for (const char* name : {"scales_d", "scales_h", "scales_w"}) {
    if (!a.has(name)) continue;
    const std::vector<double> scale = numbers(b, a[name]);
    scales.insert(scales.end(), scale.begin(), scale.end());
  }
  if (!b.ok()) return {};
  if (static_cast<int>(scales.size()) == b.rank(x) - 2) return tensor_of(resize(b, x, Name.text, how, {}, scales));
  return tensor_of(resize(b, x, Name.text, how, a.sizes("output_size"), {}));
}

// ---- grid_sample ----

// The n-th of what ATen numbers and F.grid_sample names.
std::string chosen(Builder& b, const Arguments& a, const char* name, std::initializer_list<const char*> words) {
  if (const auto* word = a[name].get<std::string>()) {
    for (const char* known : words) {
      if (*word == known) return *word;
    }
    b.fail(unsupported("grid_sample: " + std::string(name) + " '" + word->substr(0, 100) + "' is not supported"));
    return {};
  }
  const int64_t n = a.integer(name);
  if (b.ok() && (n < 0 || n >= static_cast<int64_t>(words.size())))
    b.fail(invalid("grid_sampler: " + std::string(name) + " is " + std::to_string(n)));
  return b.ok() ? words.begin()[n] : std::string();
}

IValue grid_sample(Builder& b, const Arguments& a) {
  const std::string mode = chosen(b, a, "mode", {"bilinear", "nearest", "bicubic"}),
                    padding = chosen(b, a, "padding_mode", {"zeros", "border", "reflection"});
  const bool align = a.has("align_corners") && a.boolean("align_corners");
  const ValueId x = a.tensor("input"), grid = a.tensor("grid");
  if (!b.ok()) return {};
  // torch clips each place that is read, ONNX the place in between
  if (mode == "bicubic" && padding == "border")
    return tensor_of(b.fail(unsupported("grid_sample: mode 'bicubic' with padding_mode 'border' is not supported")));
  return tensor_of(b.emit("GridSample", {x, grid},
                          attributes({{"mode", std::string(mode == "bilinear"  ? "linear"
                                                           : mode == "bicubic" ? "cubic"
                                                                               : "nearest")},
                                      {"padding_mode", padding},
                                      {"align_corners", int64_t(align)}})));
}

// ---- pixel shuffles: [.., C r^2, H, W] to [.., C, H r, W r] and back ----

template <bool Up>
IValue pixel_shuffle(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int64_t r = a.integer("factor");
  const int rank = b.rank(x);
  if (!b.ok()) return {};
  if (rank < 3 || r < 1 || r > 65536) return tensor_of(b.fail(invalid("pixel_shuffle needs three dimensions and a factor of at least 1")));
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

constexpr const char* kNearest1 = "input|self, output_size, scales_w|scales=None";
constexpr const char* kNearest2 = "input|self, output_size, scales_h=None, scales_w=None";
constexpr const char* kNearest3 = "input|self, output_size, scales_d=None, scales_h=None, scales_w=None";
constexpr const char* kLinear1 = "input|self, output_size, align_corners, scales_w|scales=None";
constexpr const char* kLinear2 = "input|self, output_size, align_corners, scales_h=None, scales_w=None";
constexpr const char* kLinear3 = "input|self, output_size, align_corners, scales_d=None, scales_h=None, scales_w=None";
constexpr const char* kVec = "input, output_size, align_corners=None, scale_factors=None";

constexpr Operator kInterpolateRows[] = {
    {"F.interpolate", "input, size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None, antialias=False",
     interpolate},
    {"F.upsample", "input, size=None, scale_factor=None, mode='nearest', align_corners=None", interpolate},
    {"aten.upsample_nearest1d.default", kNearest1, upsample<"nearest">},
    {"aten.upsample_nearest2d.default", kNearest2, upsample<"nearest">},
    {"aten.upsample_nearest3d.default", kNearest3, upsample<"nearest">},
    {"aten._upsample_nearest_exact1d.default", kNearest1, upsample<"nearest-exact">},
    {"aten._upsample_nearest_exact2d.default", kNearest2, upsample<"nearest-exact">},
    {"aten._upsample_nearest_exact3d.default", kNearest3, upsample<"nearest-exact">},
    {"aten.upsample_linear1d.default", kLinear1, upsample<"linear">},
    {"aten.upsample_bilinear2d.default", kLinear2, upsample<"linear">},
    {"aten.upsample_trilinear3d.default", kLinear3, upsample<"linear">},
    {"aten.upsample_bicubic2d.default", kLinear2, upsample<"bicubic">},
    {"aten.upsample_nearest1d.vec aten.upsample_nearest2d.vec aten.upsample_nearest3d.vec", "input, output_size, scale_factors",
     upsample_vec<"nearest">},
    {"aten._upsample_nearest_exact1d.vec aten._upsample_nearest_exact2d.vec aten._upsample_nearest_exact3d.vec", "input, output_size, scale_factors",
     upsample_vec<"nearest-exact">},
    {"aten.upsample_linear1d.vec aten.upsample_bilinear2d.vec aten.upsample_trilinear3d.vec", kVec, upsample_vec<"linear">},
    {"aten.upsample_bicubic2d.vec", kVec, upsample_vec<"bicubic">},
    {"aten._upsample_bilinear2d_aa.default", kLinear2, upsample<"linear", true>},
    {"aten._upsample_bicubic2d_aa.default", kLinear2, upsample<"bicubic", true>},
    {"aten._upsample_bilinear2d_aa.vec", kVec, upsample_vec<"linear", true>},
    {"aten._upsample_bicubic2d_aa.vec", kVec, upsample_vec<"bicubic", true>},
    {"F.grid_sample", "input, grid, mode='bilinear', padding_mode='zeros', align_corners=None", grid_sample},
    {"aten.grid_sampler.default aten.grid_sampler_2d.default aten.grid_sampler_3d.default torch.grid_sampler",
     "input, grid, mode|interpolation_mode, padding_mode, align_corners", grid_sample},
    {"aten.pixel_shuffle.default F.pixel_shuffle torch.pixel_shuffle", "input|self, factor|upscale_factor", pixel_shuffle<true>},
    {"aten.pixel_unshuffle.default F.pixel_unshuffle torch.pixel_unshuffle", "input|self, factor|downscale_factor", pixel_shuffle<false>},
    {"aten.channel_shuffle.default F.channel_shuffle torch.channel_shuffle", "input|self, groups", channel_shuffle},
};

}  // namespace

std::span<const Operator> interpolate_operators() { return kInterpolateRows; }

}  // namespace tern::torch
