// Resizing. See channels_last.h. Next: resample.cpp, space.cpp.
#include <algorithm>
#include <cstring>

#include "loaders/channels_last/resample.h"

namespace tern::channels_last {
namespace {

using Filter = Resize::Filter;
using Grid = Resize::Grid;

constexpr int64_t kMostPlaces = int64_t(1) << 24;  // of a table or matrix that is made here

// [1, 1, factors…]: of a Resize over all axes, which every reader of ONNX takes, as not all do with some axes.
ValueId scales_of(GraphBuilder& b, const std::vector<int64_t>& factors) {
  auto scales = Tensor::allocate(DType::f32, Dims{static_cast<int64_t>(factors.size()) + 2});
  if (!scales) return b.fail(scales.error());
  float* to = scales->mutable_data<float>();
  to[0] = to[1] = 1;
  for (size_t i = 0; i < factors.size(); ++i) to[2 + i] = static_cast<float>(factors[i]);
  return b.constant(std::move(*scales));
}

// The catalog's Resize over the spatial axes; also of sizes that are not known yet. factors: what the sizes are times the input's, where they are
// whole; else empty.
ValueId resize_node(GraphBuilder& b, ValueId x, const std::vector<Int>& sizes, const std::vector<int64_t>& factors, const Resize& how,
                    Channels channels) {
  const bool nearest = how.filter == Filter::nearest, cubic = how.filter == Filter::bicubic;
  const char* grid = how.grid == Grid::half_pixel ? "half_pixel" : how.grid == Grid::align_corners ? "align_corners" : "asymmetric";
  Attributes attrs = attributes({{"mode", std::string(nearest ? "nearest"
                                                      : cubic ? "cubic"
                                                              : "linear")},
                                 {"coordinate_transformation_mode", std::string(grid)}});
  if (nearest) attrs.set("nearest_mode", std::string(how.grid == Grid::legacy ? "floor" : "round_prefer_ceil"));
  if (cubic) attrs.set("cubic_coeff_a", -0.5f);
  if (how.antialias) attrs.set("antialias", int64_t(1));
  if (how.antialias || (cubic && how.grid == Grid::half_pixel)) attrs.set("exclude_outside", int64_t(1));
  return channels_first(b, x, channels, [&](ValueId v) {
    if (!factors.empty()) return b.emit("Resize", {v, kNone, scales_of(b, factors)}, attrs);
    std::vector<Int> all = {b.size(v, 0), b.size(v, 1)};
    all.insert(all.end(), sizes.begin(), sizes.end());
    return b.emit("Resize", {v, kNone, kNone, b.ints(all)}, attrs);
  });
}

ValueId nearest_axis(GraphBuilder& b, ValueId x, int axis, int64_t in, int64_t out, Grid grid) {
  if (in == out) return x;
  return b.emit("Gather", {x, b.ints(nearest_places(in, out, grid))}, attributes({{"axis", int64_t(axis)}}));
}

// The axis times a matrix [out, in].
ValueId sampled_axis(GraphBuilder& b, ValueId x, int axis, int64_t in, int64_t out, const Resize& how) {
  const std::vector<float> weights = sampling_matrix(in, out, how);
  auto matrix = Tensor::allocate(DType::f32, Dims{out, in});
  if (!matrix) return b.fail(matrix.error());
  std::memcpy(matrix->mutable_raw(), weights.data(), matrix->bytes());
  std::string from = "abcdefgh", to = from;
  from.resize(static_cast<size_t>(b.rank(x)));
  to.resize(from.size());
  to[static_cast<size_t>(axis)] = 'z';
  const std::string equation = "z" + from.substr(static_cast<size_t>(axis), 1) + "," + from + "->" + to;
  return b.emit("Einsum", {b.constant(std::move(*matrix)), x}, attributes({{"equation", equation}}));
}

// Known sizes of the input and the output, or nothing.
struct Extents {
  std::vector<int64_t> in, out;
};
std::optional<Extents> extents_of(GraphBuilder& b, ValueId x, const std::vector<Int>& sizes, Channels channels) {
  Extents e;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Dim& in = b.shape(x)[first_spatial(channels) + static_cast<int>(i)];
    if (!in.known() || !sizes[i].known()) return std::nullopt;
    e.in.push_back(in.value());
    e.out.push_back(sizes[i].value());
  }
  return e;
}

// How many times larger the output is, where those are whole numbers; else empty.
std::vector<int64_t> factors_of(const Extents& e) {
  std::vector<int64_t> factors;
  for (size_t i = 0; i < e.in.size(); ++i) {
    if (e.out[i] % e.in[i] != 0) return {};
    factors.push_back(e.out[i] / e.in[i]);
  }
  return factors;
}

// Whether the catalog's Resize is what is asked for, of sizes that nobody knows yet.
bool resizes_open(const Resize& how, const std::vector<int64_t>& factors) {
  if (how.filter == Filter::nearest || how.filter == Filter::bilinear) return true;
  const auto exact = [](int64_t f) { return f > 0 && f <= 512 && (f & (f - 1)) == 0; };
  return how.filter == Filter::bicubic && (how.antialias || (!factors.empty() && std::all_of(factors.begin(), factors.end(), exact)));
}

}  // namespace

ValueId resize(GraphBuilder& b, ValueId x, const std::vector<Int>& sizes, const Resize& how, Channels channels,
               const std::vector<int64_t>& given_factors) {
  const bool nearest = how.filter == Filter::nearest, linear = how.filter == Filter::bilinear && !how.antialias;
  if (b.rank(x) != static_cast<int>(sizes.size()) + 2)
    return b.ok() ? b.fail(invalid("the input is " + b.shape(x).text() + ", expected " + std::to_string(sizes.size() + 2) + " dimensions")) : kNone;
  if (!nearest && !is_float(b.dtype(x))) x = b.cast(x, DType::f32);
  const auto extents = extents_of(b, x, sizes, channels);
  if (!extents) {
    if (resizes_open(how, given_factors)) return resize_node(b, x, sizes, linear ? std::vector<int64_t>() : given_factors, how, channels);
    return b.fail(unsupported("resizing with this interpolation from or to a size that is not known when the model is loaded"));
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t in = extents->in[i], out = extents->out[i];
    if (in < 1 || out < 1) return b.fail(invalid("resizing from " + std::to_string(in) + " to " + std::to_string(out)));
    if (out > kMostPlaces || (!nearest && !linear && in > kMostPlaces / out))
      return b.fail(unsupported("resizing from " + std::to_string(in) + " to " + std::to_string(out)));
  }
  // What magnifies by whole factors has no ties that f32 and f64 could tell apart.
  const std::vector<int64_t> factors = factors_of(*extents);
  if (linear || (nearest && how.grid != Grid::align_corners && !factors.empty())) return resize_node(b, x, sizes, factors, how, channels);
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int axis = first_spatial(channels) + static_cast<int>(i);
    x = nearest ? nearest_axis(b, x, axis, extents->in[i], extents->out[i], how.grid)
                : sampled_axis(b, x, axis, extents->in[i], extents->out[i], how);
  }
  return x;
}

ValueId repeat(GraphBuilder& b, ValueId x, const std::vector<int64_t>& factors, Channels channels) {
  if (b.rank(x) != static_cast<int>(factors.size()) + 2)
    return b.ok() ? b.fail(invalid("the input is " + b.shape(x).text() + ", expected " + std::to_string(factors.size() + 2) + " dimensions")) : kNone;
  for (int64_t f : factors) {
    if (f < 1 || f > kMostPlaces) return b.fail(invalid("upsampling by " + std::to_string(f)));
  }
  return resize_node(b, x, {}, factors, {.filter = Filter::nearest, .grid = Grid::legacy}, channels);
}

}  // namespace tern::channels_last
