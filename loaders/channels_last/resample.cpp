// See resample.h.
#include "loaders/channels_last/resample.h"

#include <algorithm>
#include <cmath>

#include "kernels/portable_math.h"

namespace tern::channels_last {
namespace {

using Filter = Resize::Filter;
using Grid = Resize::Grid;

float scale_of(int64_t in, int64_t out, Grid grid) {
  return grid == Grid::align_corners && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                                                : static_cast<float>(in) / static_cast<float>(out);
}

// Keys' cubic filter at a distance x >= 0.
double cubic(double a, double x) {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

double sinc(double x) { return x == 0 ? 1 : portable::sin(M_PI * x) / (M_PI * x); }

double radius_of(Filter filter) {
  switch (filter) {
    case Filter::lanczos3: return 3;
    case Filter::lanczos5: return 5;
    case Filter::gaussian: return 1.5;
    case Filter::bicubic:
    case Filter::mitchellcubic: return 2;
    default: return 1;
  }
}

// Of a distance x >= 0, within the radius.
double weight_of(Filter filter, double x) {
  const double radius = radius_of(filter);
  if (x > radius) return 0;
  switch (filter) {
    case Filter::lanczos3:
    case Filter::lanczos5: return sinc(x) * sinc(x / radius);
    case Filter::gaussian: return x < radius ? portable::exp(-x * x * 2) : 0;  // a third of the radius is the deviation, 1/2
    case Filter::bicubic: return cubic(-0.5, x);
    case Filter::mitchellcubic:  // B = C = 1/3
      if (x >= 2) return 0;
      return x >= 1 ? ((-7.0 / 18 * x + 2) * x - 10.0 / 3) * x + 16.0 / 9 : (7.0 / 6 * x - 2) * x * x + 8.0 / 9;
    default: return std::max(1 - x, 0.0);
  }
}

void normalize(float* row, int64_t in, double sum) {
  if (std::fabs(sum) < 1e-30) return;
  for (int64_t i = 0; i < in; ++i) row[i] = static_cast<float>(row[i] / sum);
}

// ScaleAndTranslate: the filter is as wide as an output's place when it shrinks (antialias), and what lies outside does not count.
void filtered_row(float* row, int64_t in, int64_t out, int64_t o, const Resize& how) {
  const double inverse = static_cast<double>(in) / static_cast<double>(out), wide = how.antialias ? std::max(inverse, 1.0) : 1.0;
  const double at = (static_cast<double>(o) + 0.5) * inverse, reach = radius_of(how.filter) * wide;
  const auto first = std::max(static_cast<int64_t>(std::ceil(at - reach - 0.5)), int64_t(0));
  const auto last = std::min(static_cast<int64_t>(std::floor(at + reach - 0.5)), in - 1);
  double sum = 0;
  for (int64_t i = first; i <= last; ++i) {
    const double w = weight_of(how.filter, std::fabs(static_cast<double>(i) + 0.5 - at) / wide);
    row[i] = static_cast<float>(w);
    sum += w;
  }
  normalize(row, in, sum);
}

// ResizeBicubic: distances are rounded to 1/1024. With half-pixel centres taps outside are dropped, else they read the edge.
void bicubic_row(float* row, int64_t in, float at, bool drops_outside) {
  const float floor = std::floor(at);
  const double part = static_cast<double>(std::lrint((at - floor) * 1024)) / 1024;
  const double a = drops_outside ? -0.5 : -0.75;
  double sum = 0;
  for (int64_t tap = -1; tap <= 2; ++tap) {
    const int64_t i = static_cast<int64_t>(floor) + tap, inside = std::clamp(i, int64_t(0), in - 1);
    if (drops_outside && i != inside) continue;
    const double w = cubic(a, std::fabs(static_cast<double>(tap) - part));
    row[inside] += static_cast<float>(w);
    sum += w;
  }
  if (drops_outside) normalize(row, in, sum);
}

// ResizeArea: by what a place of the output covers.
void area_row(float* row, int64_t in, float scale, int64_t o) {
  const double begin = static_cast<double>(o) * scale, end = static_cast<double>(o + 1) * scale;
  for (int64_t i = static_cast<int64_t>(begin); static_cast<double>(i) < end; ++i) {
    const double covered = std::min(static_cast<double>(i + 1), end) - std::max(static_cast<double>(i), begin);
    row[std::min(i, in - 1)] += static_cast<float>(covered / scale);
  }
}

}  // namespace

std::vector<int64_t> nearest_places(int64_t in, int64_t out, Grid grid) {
  const float scale = scale_of(in, out, grid);
  std::vector<int64_t> places;
  for (int64_t o = 0; o < out; ++o) {
    const auto at = static_cast<float>(o);
    const float place = grid == Grid::half_pixel      ? std::floor((at + 0.5f) * scale)
                        : grid == Grid::align_corners ? std::round(at * scale)
                                                      : std::floor(at * scale);
    places.push_back(std::clamp(static_cast<int64_t>(place), int64_t(0), in - 1));
  }
  return places;
}

std::vector<float> sampling_matrix(int64_t in, int64_t out, const Resize& how) {
  std::vector<float> matrix(static_cast<size_t>(in * out), 0.0f);
  const float scale = scale_of(in, out, how.grid);
  const bool half_pixel = how.grid == Grid::half_pixel;
  for (int64_t o = 0; o < out; ++o) {
    float* row = matrix.data() + o * in;
    const auto at = static_cast<float>(o);
    if (how.filter == Filter::area) area_row(row, in, scale, o);
    else if (how.filter == Filter::bicubic && !how.antialias) bicubic_row(row, in, half_pixel ? (at + 0.5f) * scale - 0.5f : at * scale, half_pixel);
    else filtered_row(row, in, out, o, how);
  }
  return matrix;
}

}  // namespace tern::channels_last
