// Sound: the front of speech models. See operator.h and kernels/audio. Next: refused.cpp.
#include <cmath>

#include "kernels/portable_math.h"
#include "loaders/tensorflow/ops/complex.h"
#include "loaders/tensorflow/ops/ragged.h"

namespace tern::tensorflow {
namespace {

Values decode_wav(Call& c) {
  const int64_t channels = c.integer("desired_channels", -1), samples = c.integer("desired_samples", -1);
  const auto y = c.b.emit("DecodeWav", {c.b.reshape(c.tensor(0), {Int(1)})}, attributes({{"channels", channels}, {"samples", samples}}), 2);
  return {y[0], y[1]};
}

// [samples, channels] to [channels, windows, bins]: Hann's window, padded to a power of two, the size of each frequency. In f64, as TensorFlow does.
Values spectrogram(Call& c) {
  GraphBuilder& b = c.b;
  const int64_t window = c.integer("window_size"), stride = c.integer("stride");
  if (!has_rank(c, 0, 2)) return {};
  if (window < 2 || stride < 1 || window > 1 << 16)
    return c.fail(invalid("window_size is " + std::to_string(window) + ", stride " + std::to_string(stride)));
  int64_t n = 1;
  while (n < window) n *= 2;
  std::vector<double> hann;
  for (int64_t i = 0; i < window; ++i) hann.push_back(0.5 - 0.5 * portable::cos(2 * M_PI * static_cast<double>(i) / static_cast<double>(window)));
  const ValueId x = b.cast(transpose(b, c.tensor(0), 0, 1), DType::f64);  // [channels, samples]
  const ValueId room = b.scalar(b.floor_div(b.sub(b.size(x, 1), window), stride));
  const Int windows = b.elements(with(b, "Max", with(b, "Add", room, 1), 0))[0];
  const ValueId begins = with(b, "Mul", counted(b, windows), static_cast<double>(stride));
  const ValueId places = b.emit("Add", {unsqueeze(b, begins, {1}), unsqueeze(b, counted(b, window), {0})});
  ValueId cut = b.emit("Gather", {x, places}, attributes({{"axis", int64_t(1)}}));  // [channels, windows, window]
  cut = b.emit("Mul", {cut, b.constant(Tensor::of<double>({window}, hann))});
  if (n > window) cut = concat(b, {cut, full(b, DType::f64, 0, {b.size(x, 0), windows, Int(n - window)})}, 2);
  const Complex y = fourier(b, {cut, kNone}, 2, n, -1);
  const ValueId size = b.emit("Add", {square(b, slice(b, y.real, 2, 0, n / 2 + 1)), square(b, slice(b, y.imaginary, 2, 0, n / 2 + 1))});
  return {b.cast(c.boolean("magnitude_squared", false) ? size : b.emit("Sqrt", {size}), DType::f32)};
}

Values mfcc(Call& c) {
  if (!has_rank(c, 0, 3)) return {};
  return {c.b.emit("Mfcc", {c.tensor(0), c.tensor(1)},
                   attributes({{"channels", c.integer("filterbank_channel_count", 40)},
                               {"coefficients", c.integer("dct_coefficient_count", 13)},
                               {"lower", static_cast<float>(c.number("lower_frequency_limit", 20))},
                               {"upper", static_cast<float>(c.number("upper_frequency_limit", 4000))}}))};
}

constexpr Operator kAudioRows[] = {
    {"DecodeWav", "audio sample_rate", decode_wav},
    {"AudioSpectrogram", nullptr, spectrogram},
    {"Mfcc", nullptr, mfcc},
};

}  // namespace

std::span<const Operator> audio_operators() { return kAudioRows; }

}  // namespace tern::tensorflow
