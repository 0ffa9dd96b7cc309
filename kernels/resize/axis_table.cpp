// See axis_table.h. All in double: ties of nearest modes must fall as the formulas say.
#include "kernels/resize/axis_table.h"

#include <cmath>

namespace tern {
namespace {

double coordinate(const std::string& mode, const AxisGrid& g, double o) {
  const double in = static_cast<double>(g.in), out = static_cast<double>(g.out);
  const double half_pixel = (o + 0.5) / g.scale - 0.5;
  if (mode == "half_pixel") return half_pixel;
  if (mode == "half_pixel_symmetric") return in / 2 * (1 - out / (g.scale * in)) + half_pixel;
  if (mode == "pytorch_half_pixel") return g.out > 1 ? half_pixel : 0;
  if (mode == "align_corners") {
    const double length = g.scale * in;  // not rounded: ONNX's reference keeps the fraction
    return g.out == 1 || length == 1 ? 0 : o * (in - 1) / (length - 1);
  }
  if (mode == "asymmetric") return o / g.scale;
  // tf_crop_and_resize
  if (g.out > 1) return g.roi_start * (in - 1) + o * (g.roi_end - g.roi_start) * (in - 1) / (out - 1);
  return 0.5 * (g.roi_start + g.roi_end) * (in - 1);
}

double round_by(const std::string& mode, double x) {
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5);
  return std::ceil(x - 0.5);  // round_prefer_floor
}

double filter(const ResizeMode& mode, double x) {
  x = std::fabs(x);
  if (mode.filter == ResizeMode::Filter::linear) return x < 1 ? 1 - x : 0;
  const double a = mode.cubic_a;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

// How far a filter looks: the first tap relative to the output's place, and how many there are.
struct Reach {
  double narrow, start;
  int64_t taps;
};
Reach reach(const ResizeMode& mode, const AxisGrid& g) {
  const double support = mode.filter == ResizeMode::Filter::cubic ? 2 : 1;
  const double narrow = mode.antialias ? std::min(g.scale, 1.0) : 1.0;
  // Beyond one whole axis on either side every tap reads the same edge.
  const double start = std::max(std::floor(-support / narrow) + 1, -4.0 * static_cast<double>(g.in) - 4);
  return {narrow, start, mode.filter == ResizeMode::Filter::nearest ? 1 : static_cast<int64_t>(2 - 2 * start)};
}

// Where output o lies in the input.
struct At {
  double x;
  bool outside;
};
At at(const ResizeMode& mode, const AxisGrid& g, int64_t o) {
  double x = coordinate(mode.coordinates, g, static_cast<double>(o));
  if (!(x == x)) x = 0;
  const bool outside = mode.coordinates == "tf_crop_and_resize" && (x < 0 || x > static_cast<double>(g.in - 1));
  return {std::min(std::max(x, -1e9), 1e9), outside};
}

int32_t place(double i, int64_t n) { return static_cast<int32_t>(std::min(std::max(i, 0.0), static_cast<double>(n - 1))); }

}  // namespace

Result<ResizeMode> resize_mode(const AttrReader& attrs) {
  ResizeMode m;
  const std::string mode = attrs.s("mode");
  if (mode == "nearest") m.filter = ResizeMode::Filter::nearest;
  else if (mode == "linear") m.filter = ResizeMode::Filter::linear;
  else if (mode == "cubic") m.filter = ResizeMode::Filter::cubic;
  else return invalid("mode is \"" + mode + "\"");
  m.coordinates = attrs.s("coordinate_transformation_mode");
  m.nearest = attrs.s("nearest_mode");
  auto one_of = [](const std::string& s, std::initializer_list<const char*> names) {
    for (const char* n : names) {
      if (s == n) return true;
    }
    return false;
  };
  if (!one_of(m.coordinates, {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize"})) {
    return invalid("coordinate_transformation_mode is \"" + m.coordinates + "\"");
  }
  if (!one_of(m.nearest, {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})) return invalid("nearest_mode is \"" + m.nearest + "\"");
  m.cubic_a = attrs.f("cubic_coeff_a");
  m.antialias = attrs.i("antialias") != 0;
  m.exclude_outside = attrs.i("exclude_outside") != 0;
  return m;
}

AxisPlan axis_plan(const ResizeMode& mode, const AxisGrid& g) {
  AxisPlan plan;
  const Reach r = reach(mode, g);
  plan.taps = r.taps;
  if (g.out == 0) return plan;
  const bool crop = mode.coordinates == "tf_crop_and_resize";
  // Coordinates grow or shrink along the axis: when both ends lie inside, all do.
  plan.any_outside = crop && (at(mode, g, 0).outside || at(mode, g, g.out - 1).outside);
  if (g.in == g.out && !plan.any_outside) {
    plan.identity = g.out == 1 ? at(mode, g, 0).x == 0 : crop ? g.roi_start == 0 && g.roi_end == 1 : g.scale == 1;
  }
  return plan;
}

void fill_tables(const ResizeMode& mode, const AxisGrid& g, const AxisTables& tables) {
  const Reach r = reach(mode, g);
  const double last = static_cast<double>(g.in - 1);
  int32_t* index = tables.index;
  float* weight = tables.weight;
  for (int64_t o = 0; o < g.out; ++o) {
    const auto [x, outside] = at(mode, g, o);
    if (tables.outside != nullptr) tables.outside[o] = outside;
    if (mode.filter == ResizeMode::Filter::nearest) {
      if (index != nullptr) *index++ = place(round_by(mode.nearest, x), g.in);
      if (weight != nullptr) *weight++ = 1;
      continue;
    }
    const double base = std::floor(x), ratio = x - base;
    for (int64_t t = 0; index != nullptr && t < r.taps; ++t) *index++ = place(base + r.start + static_cast<double>(t), g.in);
    if (weight == nullptr) continue;
    auto tap = [&, from = base, part = ratio](int64_t t) {
      const double i = from + r.start + static_cast<double>(t);
      return mode.exclude_outside && (i < 0 || i > last) ? 0 : filter(mode, (r.start + static_cast<double>(t) - part) * r.narrow);
    };
    double sum = 0;
    for (int64_t t = 0; t < r.taps; ++t) sum += tap(t);
    const bool normalise = (mode.antialias || mode.exclude_outside) && sum != 0;
    for (int64_t t = 0; t < r.taps; ++t) *weight++ = static_cast<float>(normalise ? tap(t) / sum : tap(t));
  }
}

}  // namespace tern
