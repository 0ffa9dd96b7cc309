// Mfcc. See audio.h.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/audio/audio.h"
#include "kernels/op.h"
#include "kernels/portable_math.h"

namespace tern {
namespace {

double mel(double hertz) { return 1127.0 * portable::log1p(hertz / 700.0); }

// Band k is a triangle from edges[k] over edges[k + 1] to edges[k + 2].
struct Bands {
  int64_t first, last;        // bins that are read, both included
  std::vector<int64_t> band;  // of each bin the band whose right side it lies on; the left side is the next one's
  std::vector<double> part;   // of the right side
};

Bands bands_of(int64_t bins, int64_t channels, double rate, double lower, double upper) {
  const double low = mel(lower), step = (mel(upper) - low) / static_cast<double>(channels + 1);
  const double width = 0.5 * rate / static_cast<double>(bins - 1);  // hertz
  // Beyond the last bin it does not matter how far.
  auto bin = [&](double at) { return static_cast<int64_t>(std::min(at, static_cast<double>(bins))); };
  Bands b{bin(1.5 + lower / width), bin(upper / width), {}, {}};
  int64_t above = 0;  // the first edge, counted from low + step, that is not below
  for (int64_t i = 0; i < bins; ++i) {
    const double at = mel(static_cast<double>(i) * width);
    while (i >= b.first && above < channels && low + step * static_cast<double>(above + 1) < at) ++above;
    b.band.push_back(above - 1);
    b.part.push_back((low + step * static_cast<double>(above + 1) - at) / step);
  }
  return b;
}

Status infer_mfcc(InferContext& c) {
  if (c.dtype(0) != DType::f32) return bad_dtype(c.dtype(0));
  if (c.dtype(1) != DType::i32) return bad_dtype(c.dtype(1));
  if (c.shape(1).known() && c.shape(1).concrete().count() != 1) return invalid("the rate is " + c.shape(1).text() + ": it must be one number");
  const int64_t channels = c.attrs.i("channels"), coefficients = c.attrs.i("coefficients");
  const float lower = c.attrs.f("lower"), upper = c.attrs.f("upper");
  if (channels < 1 || channels > 1 << 16 || coefficients < 1 || coefficients > channels)
    return invalid(std::to_string(coefficients) + " coefficients of " + std::to_string(channels) + " bands");
  if (!(lower >= 0) || !(upper > lower) || !std::isfinite(upper))
    return invalid("the bands lie between " + std::to_string(lower) + " and " + std::to_string(upper));
  Shape y = c.shape(0);
  if (y.ranked() && y.rank() < 1) return invalid("the spectrogram is one number");
  if (y.ranked()) y[y.rank() - 1] = Dim(coefficients);
  c.set(0, DType::f32, std::move(y));
  return {};
}

Result<std::vector<Tensor>> compute_mfcc(const ComputeRequest& r) {
  const Dims& x = r.inputs[0].dims();
  const int64_t bins = x[x.rank - 1], channels = r.attrs.i("channels"), coefficients = r.attrs.i("coefficients");
  const int32_t rate = r.inputs[1].data<int32_t>()[0];
  if (rate < 1 || bins < 2) return invalid("a spectrogram of " + std::to_string(bins) + " bins at a rate of " + std::to_string(rate));
  const Bands bands = bands_of(bins, channels, rate, r.attrs.f("lower"), r.attrs.f("upper"));
  if (bands.last >= bins) return invalid("the bands reach beyond the spectrogram's " + std::to_string(bins) + " bins");
  Dims dims = x;
  dims[x.rank - 1] = coefficients;
  const int64_t frames = x.count(0, x.rank - 1);
  if (frames > r.work / (bins + channels * coefficients) || frames > r.budget / 4 / coefficients)
    return unsupported("the coefficients of " + std::to_string(frames) + " frames are more than the budget");
  auto y = Tensor::allocate(DType::f32, dims);
  if (!y) return y.error();
  std::vector<double> cosines;  // [coefficients, channels]
  for (int64_t k = 0; k < coefficients; ++k) {
    for (int64_t j = 0; j < channels; ++j) {
      const double n = static_cast<double>(channels), at = static_cast<double>(k) * (static_cast<double>(j) + 0.5);
      cosines.push_back(std::sqrt(2 / n) * portable::cos(M_PI / n * at));
    }
  }
  for (int64_t f = 0; f < frames; ++f) {
    const float* frame = r.inputs[0].data<float>() + f * bins;  // [bins]
    std::vector<double> energy(static_cast<size_t>(channels) + 1);
    for (int64_t i = bands.first; i <= bands.last; ++i) {
      const auto k = static_cast<size_t>(bands.band[static_cast<size_t>(i)] + 1);
      const double size = std::sqrt(static_cast<double>(frame[i])), right = size * bands.part[static_cast<size_t>(i)];
      if (k > 0) energy[k - 1] += right;
      energy[k] += size - right;
    }
    for (double& e : energy) e = portable::log(std::max(e, 1e-12));
    for (int64_t k = 0; k < coefficients; ++k) {
      double sum = 0;
      for (int64_t j = 0; j < channels; ++j) sum += cosines[static_cast<size_t>(k * channels + j)] * energy[static_cast<size_t>(j)];
      y->mutable_data<float>()[f * coefficients + k] = static_cast<float>(sum);
    }
  }
  return std::vector<Tensor>{std::move(*y)};
}

constexpr AttrSpec kMfccAttrs[] = {
    {"channels", AttrKind::i, 40}, {"coefficients", AttrKind::i, 13}, {"lower", AttrKind::f, 20.0f}, {"upper", AttrKind::f, 4000.0f}};

}  // namespace

constinit const OpDef kMfcc = {.name = "Mfcc",
                               .inputs = {2, 2},
                               .outputs = {1, 1},
                               .attrs = kMfccAttrs,
                               .infer = infer_mfcc,
                               .compute = compute_mfcc,
                               .data_dependent = true,
                               .tern_only = true};

}  // namespace tern
