// Spectrograms: STFTSpectrogram, whose kernels are weights, and MelSpectrogram, whose are made here. See layer.h.
#include <cmath>

#include "kernels/portable_math.h"
#include "loaders/keras/layers/pieces.h"
#include "loaders/keras/ops/ops.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using channels_last::Channels;

ValueId power_of(const Call& c, ValueId re, ValueId im) { return c.emit("Add", {c.emit("Mul", {re, re}), c.emit("Mul", {im, im})}); }
ValueId at_least(const Call& c, ValueId x, double least) { return c.emit("Max", {x, number(c, x, least)}); }

// ---- STFTSpectrogram

// x [batch * channels, steps, 1] by a kernel [frame, 1, bins], as [batch, channels, frames, bins].
ValueId filtered(Call& c, ValueId x, std::string_view name, int64_t frame, int64_t bins, int64_t step, const std::vector<Int>& outer) {
  channels_last::Window window = {.strides = {step}};
  if (c.config.text("padding", "valid") == "same") window.padding = channels_last::Window::Padding::same;
  const ValueId y = channels_last::conv(c.b, x, c.weight(name, {frame, 1, bins}), window);
  return c.b.reshape(y, {outer[0], outer[1], c.b.size(y, 1), Int(bins)});
}

// What a mode makes of both parts; bins are the last axis.
ValueId in_mode(Call& c, const std::string& mode, ValueId re, ValueId im) {
  if (mode == "real") return re;
  if (mode == "imag") return im;
  if (mode == "stft") return concat(c.b, {re, im}, 3);
  if (mode == "angle") return by_tensorflow(c, "Atan2", {im, re})[0].value;
  const ValueId power = power_of(c, re, im);
  if (mode == "psd") return c.emit("Add", {power, c.emit("Pad", {slice(c.b, power, 3, 1, -1), c.b.ints({0, 0, 0, 1, 0, 0, 0, 1})})});
  const ValueId magnitude = c.emit("Sqrt", {at_least(c, power, 1e-7)});
  if (mode == "magnitude") return magnitude;
  if (mode != "log") c.unsupported("mode " + printable(mode, 80));
  return c.emit("Log", {at_least(c, magnitude, 1e-7)});
}

int64_t next_power_of_two(int64_t n) {
  int64_t power = 1;
  while (power < n) power *= 2;
  return power;
}

Flows stft(Call& c) {
  const Channels format = channels_of(c);
  const int64_t frame = c.config.integer("frame_length", 256), step = c.config.integer("frame_step", frame / 2);
  if (c.b.rank(c.x()) != 3 || frame < 1 || frame > int64_t(1) << 30) return c.invalid("its input has no three axes, or frame_length makes no sense");
  const int64_t bins = c.config.integer("fft_length", next_power_of_two(frame)) / 2 + 1;
  const std::string mode = c.config.text("mode", "log");
  ValueId x = format == Channels::last ? permute(c.b, c.x(), {0, 2, 1}) : c.x();  // [batch, channels, steps]
  const std::vector<Int> outer = {c.b.size(x, 0), c.b.size(x, 1)};
  x = c.b.reshape(x, {Int(-1), c.b.size(x, 2), Int(1)});
  const ValueId re = mode == "imag" ? kNone : filtered(c, x, "real_kernel", frame, bins, step, outer);
  const ValueId im = mode == "real" ? kNone : filtered(c, x, "imag_kernel", frame, bins, step, outer);
  const ValueId y = in_mode(c, mode, re, im);
  if (c.config.boolean("expand_dims", false)) return {{format == Channels::last ? permute(c.b, y, {0, 2, 3, 1}) : y}};
  const Int frames = c.b.size(y, 2), all = c.b.mul(outer[1], c.b.size(y, 3));
  if (format == Channels::last) return {{c.b.reshape(permute(c.b, y, {0, 2, 1, 3}), {outer[0], frames, all})}};
  return {{c.b.reshape(permute(c.b, y, {0, 1, 3, 2}), {outer[0], all, frames})}};
}

// ---- MelSpectrogram

// TensorFlow's windows, periodic where their length is even.
std::vector<double> window_of(Call& c, int64_t length) {
  if (!c.config.has("window")) return std::vector<double>(static_cast<size_t>(length), 1.0);
  if (c.config.is_list("window")) return c.config.flat_numbers("window");
  const std::string name = c.config.text("window");
  if (name != "hann" && name != "hamming") c.unsupported("window " + printable(name, 80));
  const double a = name == "hann" ? 0.5 : 0.54;
  const auto period = static_cast<double>(length % 2 == 0 ? length : std::max(length - 1, int64_t(1)));
  std::vector<double> out;
  for (int64_t i = 0; i < length; ++i) out.push_back(a - (1 - a) * portable::cos(2 * M_PI * static_cast<double>(i) / period));
  return out;
}

ValueId matrix(Call& c, Dims dims, const std::vector<float>& values) {
  auto tensor = Tensor::allocate(DType::f32, dims);
  if (!tensor) return c.b.fail(tensor.error());
  std::copy(values.begin(), values.end(), tensor->mutable_data<float>());
  return c.b.constant(std::move(*tensor));
}

// Cosines, then sines, of a transform of `fft` places under a window that begins at place `first`: [2 * bins, 1, length].
ValueId transform(Call& c, int64_t fft, int64_t first, const std::vector<double>& window) {
  std::vector<float> values;
  const int64_t bins = fft / 2 + 1;
  for (int64_t part = 0; part < 2; ++part) {
    for (int64_t k = 0; k < bins; ++k) {
      for (size_t i = 0; i < window.size(); ++i) {
        const int64_t turn = (first + static_cast<int64_t>(i)) * k % fft;
        const double angle = 2 * M_PI * static_cast<double>(turn) / static_cast<double>(fft);
        values.push_back(static_cast<float>(window[i] * (part == 0 ? portable::cos(angle) : -portable::sin(angle))));
      }
    }
  }
  return matrix(c, Dims{2 * bins, 1, static_cast<int64_t>(window.size())}, values);
}

double mel(double hertz) { return 1127.0 * portable::log(1 + hertz / 700.0); }

// Triangles on the mel scale, as the HTK has them: [mels, bins].
ValueId triangles(Call& c, int64_t mels, int64_t bins, double rate, double low, double high) {
  std::vector<float> values;
  const double from = mel(low), by = (mel(high) - from) / static_cast<double>(mels + 1);
  for (int64_t m = 0; m < mels; ++m) {
    values.push_back(0);  // the mean is left out
    for (int64_t k = 1; k < bins; ++k) {
      const double at = mel(rate / 2 * static_cast<double>(k) / static_cast<double>(bins - 1)) - from;
      const double up = at / by - static_cast<double>(m), down = static_cast<double>(m + 2) - at / by;
      values.push_back(static_cast<float>(std::max(0.0, std::min(up, down))));
    }
  }
  return matrix(c, Dims{mels, bins}, values);
}

// x [batch, samples] to [batch, mels, frames].
Flows mel_spectrogram(Call& c) {
  const int64_t fft = c.config.integer("fft_length", 2048), length = c.config.integer("sequence_length", fft), bins = fft / 2 + 1;
  const int64_t stride = c.config.integer("sequence_stride", 512), mels = c.config.integer("num_mel_bins", 128);
  constexpr int64_t kMost = int64_t(1) << 23;  // elements of a matrix that is made here
  if (c.b.rank(c.x()) != 2) return c.unsupported("an input that is not [batch, samples]");
  if (fft < 2 || length < 1 || length > fft || mels < 1) return c.invalid("its config: fft_length, sequence_length or num_mel_bins makes no sense");
  if (fft > kMost || 2 * bins > kMost / length || mels > kMost / bins) return c.unsupported("a transform of " + std::to_string(fft) + " places");
  const std::vector<double> window = window_of(c, length);
  if (static_cast<int64_t>(window.size()) != length) return c.invalid("its config: the window has not sequence_length numbers");
  const int64_t half = fft / 2, before = (fft - length) / 2, behind = fft - length - before;
  const double rate = c.config.number("sampling_rate", 16000);
  ValueId x = unsqueeze(c.b, c.b.cast(c.x(), DType::f32), {1});
  x = c.b.emit("Pad", {x, c.b.ints({0, 0, half, 0, 0, half})}, attributes({{"mode", std::string("reflect")}}));
  x = slice(c.b, x, 2, before, behind == 0 ? INT64_MAX : -behind);
  const ValueId parts = c.emit("Conv", {x, transform(c, fft, before, window)}, attributes({{"strides", std::vector<int64_t>{stride}}}));
  const auto both = c.b.emit("Split", {parts}, attributes({{"axis", int64_t(1)}, {"num_outputs", int64_t(2)}}), 2);
  ValueId y = power_of(c, both[0], both[1]);
  if (const double exponent = c.config.number("mag_exp", 2); exponent != 2) y = c.emit("Pow", {y, number(c, y, exponent / 2)});
  y = c.emit("MatMul", {triangles(c, mels, bins, rate, c.config.number("min_freq", 20), c.config.number("max_freq", std::floor(rate / 2))), y});
  if (!c.config.boolean("power_to_db", true)) return {{c.b.cast(y, c.layer.compute)}};
  const double least = c.config.number("min_power", 1e-10), reference = std::max(std::fabs(c.config.number("ref_power", 1)), least);
  y = c.emit("Mul", {c.emit("Log", {at_least(c, y, least)}), number(c, y, 10 / portable::log(10.0))});
  y = c.emit("Sub", {y, number(c, y, 10 * portable::log(reference) / portable::log(10))});
  const ValueId loudest = reduce(c, "ReduceMax", y, {0, 1, 2}, true);
  y = c.emit("Max", {y, c.emit("Sub", {loudest, number(c, y, c.config.number("top_db", 80))})});
  return {{c.b.cast(y, c.layer.compute)}};
}

constexpr LayerRow kSpectrogramRows[] = {
    {"STFTSpectrogram", stft},
    {"MelSpectrogram", mel_spectrogram},
};

}  // namespace

std::span<const LayerRow> spectrogram_layers() { return kSpectrogramRows; }

}  // namespace tern::keras
