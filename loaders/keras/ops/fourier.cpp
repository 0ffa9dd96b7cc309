// Transforms between time and frequency: a complex tensor is a pair (real, imaginary). See ops.h. Next: nan.cpp.
#include <cmath>

#include "kernels/portable_math.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

using tensorflow::NodeTensor;

constexpr int64_t kLongest = int64_t(1) << 16;

// The parts of the first argument.
NodeTensor complex_of(Call& c) {
  const std::vector<ValueId> parts = Operands(c).tensors(0, "x");
  if (parts.size() == 2) return {parts[0], parts[1]};
  return c.b.fail(invalid("it is called with " + std::to_string(parts.size()) + " tensors, not with a real and an imaginary part"));
}

Flows both(const NodeTensor& z) { return {{z.value}, {z.imaginary}}; }

NodeTensor imaginary_zero(const Call& c, NodeTensor z) {
  if (z.imaginary == kNone && z.value != kNone) z.imaginary = c.emit("Mul", {z.value, c.b.scalar_like(z.value, 0)});
  return z;
}

template <Text op>
Flows transform(Call& c) {
  return both(by_tensorflow(c, op.text, {complex_of(c)})[0]);
}

int64_t length_of(Call& c, int64_t otherwise) {
  const int64_t n = Operands(c).integer("fft_length", otherwise);
  if (c.b.ok() && (n < 1 || n > kLongest)) c.unsupported("a transform of length " + std::to_string(n));
  return n;
}

// The last axis with zeros behind, or cut, to be n long.
ValueId sized(Call& c, ValueId x, int64_t n) {
  const int64_t have = c.known_size(x, -1);
  const int last = c.b.rank(x) - 1;
  if (!c.b.ok() || have == n) return x;
  if (have > n) return slice(c.b, x, last, 0, n);
  std::vector<int64_t> pads(static_cast<size_t>(2 * last + 2), 0);
  pads.back() = n - have;
  return c.emit("Pad", {x, c.b.ints(pads)});
}

NodeTensor spectrum(Call& c, ValueId x, int64_t n) { return imaginary_zero(c, by_tensorflow(c, "RFFT", {sized(c, x, n), c.b.ints({n})})[0]); }
ValueId signal(Call& c, NodeTensor z, int64_t n) {
  const NodeTensor whole(sized(c, z.value, n / 2 + 1), sized(c, z.imaginary, n / 2 + 1));
  return by_tensorflow(c, "IRFFT", {whole, c.b.ints({n})})[0].value;
}

Flows rfft(Call& c) {
  const ValueId x = Operands(c).tensor(0, "x");
  const int64_t n = length_of(c, c.b.ok() && !Operands(c).has("fft_length") ? c.known_size(x, -1) : 1);
  return c.b.ok() ? both(spectrum(c, x, n)) : Flows();
}

Flows irfft(Call& c) {
  const NodeTensor z = complex_of(c);
  const int64_t n = length_of(c, c.b.ok() && !Operands(c).has("fft_length") ? 2 * (c.known_size(z.value, -1) - 1) : 1);
  return c.b.ok() ? Flows{{signal(c, z, n)}} : Flows();
}

// ---- frames

struct Frames {
  int64_t length = 0, step = 0, fft = 0;
  std::vector<double> window;  // [fft]; none: ones
  bool center = true;
};

Frames frames_of(Call& c) {
  const Operands o(c);
  Frames f{o.integer("sequence_length", 0), o.integer("sequence_stride", 0), 0, {}, o.flag("center", true)};
  f.fft = length_of(c, f.length);
  if (f.length < 1 || f.step < 1 || f.length > f.fft) c.invalid("its config: sequence_length, sequence_stride or fft_length makes no sense");
  if (!c.b.ok() || !o.has("window")) return f;
  const std::string name = o.text("window");
  if (name != "hann" && name != "hamming") c.unsupported("this window");
  const double mean = name == "hann" ? 0.5 : 0.54;
  f.window.assign(static_cast<size_t>(f.fft), 0);
  for (int64_t i = 0; i < f.length; ++i) {
    const double turn = 2 * M_PI * static_cast<double>(i) / static_cast<double>(f.length);
    f.window[static_cast<size_t>((f.fft - f.length) / 2 + i)] = mean - (1 - mean) * portable::cos(turn);
  }
  return f;
}

// [..., samples] as [..., frames, length], a frame every `step` samples.
ValueId cut(Call& c, ValueId x, int64_t length, int64_t step) {
  const int64_t samples = c.known_size(x, -1), count = samples < length ? 0 : (samples - length) / step + 1;
  if (c.b.ok() && count < 1) return c.b.fail(invalid("its input has " + std::to_string(samples) + " samples, fewer than a frame"));
  if (!c.b.ok() || count > (int64_t(1) << 22) / length) return c.b.ok() ? c.b.fail(unsupported("so many frames are not supported")) : kNone;
  std::vector<int64_t> places;
  for (int64_t f = 0; f < count; ++f) {
    for (int64_t i = 0; i < length; ++i) places.push_back(f * step + i);
  }
  const ValueId at = c.b.reshape(c.b.ints(places), {Int(count), Int(length)});
  return c.emit("Gather", {x, at}, attributes({{"axis", int64_t(c.b.rank(x)) - 1}}));
}

Flows extract_sequences(Call& c) {
  const Operands o(c);
  const int64_t length = o.integer("sequence_length", 0), step = o.integer("sequence_stride", 0);
  if (length < 1 || step < 1) return c.invalid("its config: sequence_length or sequence_stride makes no sense");
  return {{cut(c, o.tensor(0, "x"), length, step)}};
}

ValueId row(const Call& c, ValueId like, const std::vector<double>& values) {
  return c.b.cast(c.b.constant(Tensor::of<double>({static_cast<int64_t>(values.size())}, values)), c.b.dtype(like));
}

Flows stft(Call& c) {
  const Frames f = frames_of(c);
  ValueId x = Operands(c).tensor(0, "x");
  const int rank = c.b.rank(x);
  if (!c.b.ok()) return {};
  if (f.center) {
    std::vector<int64_t> pads(static_cast<size_t>(2 * rank), 0);
    pads[static_cast<size_t>(rank) - 1] = pads.back() = f.fft / 2;
    x = c.emit("Pad", {x, c.b.ints(pads)}, attributes({{"mode", std::string("reflect")}}));
  }
  x = cut(c, x, f.fft, f.step);
  if (!f.window.empty()) x = c.emit("Mul", {x, row(c, x, f.window)});
  return c.b.ok() ? both(spectrum(c, x, f.fft)) : Flows();
}

// What a window gives, divided by the sum of the squares of all that cover a place.
std::vector<double> inverse(const Frames& f) {
  std::vector<double> squares(static_cast<size_t>(f.step), 0), out;
  for (size_t i = 0; i < f.window.size(); ++i) squares[i % squares.size()] += f.window[i] * f.window[i];
  for (size_t i = 0; i < f.window.size(); ++i) out.push_back(f.window[i] / squares[i % squares.size()]);
  return out;
}

Flows istft(Call& c) {
  const Frames f = frames_of(c);
  const NodeTensor z = complex_of(c);
  if (!c.b.ok()) return {};
  ValueId x = signal(c, z, f.fft);  // [..., frames, fft]
  if (!f.window.empty()) x = c.emit("Mul", {x, row(c, x, inverse(f))});
  std::vector<Int> outer = sizes_of(c.b, x);
  const int64_t count = c.known_size(x, -2);
  if (!c.b.ok()) return {};
  if (f.fft > 4096) return c.unsupported("a transform back of more than 4096 places");
  // Frames that overlap are added: a transposed convolution of each frame's places with ones at their own.
  std::vector<float> ones(static_cast<size_t>(f.fft * f.fft), 0);
  for (int64_t i = 0; i < f.fft; ++i) ones[static_cast<size_t>(i * f.fft + i)] = 1;
  const ValueId kernel = c.b.cast(c.b.constant(Tensor::of<float>({f.fft, 1, f.fft}, ones)), c.b.dtype(x));
  const ValueId channels = transpose(c.b, c.b.reshape(x, {Int(-1), Int(count), Int(f.fft)}), 1, 2);
  ValueId y = c.emit("ConvTranspose", {channels, kernel}, attributes({{"strides", std::vector<int64_t>{f.step}}}));
  outer.resize(outer.size() - 2);
  outer.emplace_back(f.fft + f.step * (count - 1));
  y = c.b.reshape(y, outer);
  const int64_t length = Operands(c).integer("length", -1), first = f.center ? f.fft / 2 : 0;
  if (first == 0 && length < 0) return {{y}};
  return {{slice(c.b, y, c.b.rank(y) - 1, first, length >= 0 ? first + length : f.center ? -(f.fft / 2) : INT64_MAX)}};
}

constexpr LayerRow kFourierRows[] = {
    {"ops.FFT", transform<"FFT">},
    {"ops.FFT2", transform<"FFT2D">},
    {"ops.IFFT2", transform<"IFFT2D">},
    {"ops.RFFT", rfft},
    {"ops.IRFFT", irfft},
    {"ops.ExtractSequences", extract_sequences},
    {"ops.STFT", stft},
    {"ops.ISTFT", istft},
};

}  // namespace

std::span<const LayerRow> fourier_operations() { return kFourierRows; }

}  // namespace tern::keras
