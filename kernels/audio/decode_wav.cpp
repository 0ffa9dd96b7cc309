// DecodeWav. See audio.h.
#include <algorithm>
#include <string_view>

#include "kernels/audio/audio.h"
#include "kernels/op.h"
#include "kernels/strings/text.h"

namespace tern {
namespace {

uint32_t number(std::string_view s, size_t at, size_t bytes) {  // little-endian
  uint32_t n = 0;
  for (size_t i = 0; i < bytes; ++i) n |= static_cast<uint32_t>(static_cast<unsigned char>(s[at + i])) << 8 * i;
  return n;
}

struct Wav {
  uint32_t channels = 0, rate = 0;
  std::string_view samples;
};

// "RIFF" u32 "WAVE", then chunks: four letters, u32 bytes, so many bytes, and a 0 where that is odd, which some leave out. "fmt " comes before "data".
Result<Wav> parse(std::string_view file) {
  if (file.size() < 12 || file.substr(0, 4) != "RIFF" || file.substr(8, 4) != "WAVE") return invalid("the text is no WAV file");
  Wav wav;
  for (size_t at = 12; at + 8 <= file.size();) {
    const std::string_view kind = file.substr(at, 4);
    const size_t bytes = number(file, at + 4, 4);
    at += 8;
    const std::string_view chunk = file.substr(at, bytes);
    if (kind == "fmt ") {  // u16 encoding, u16 channels, u32 rate, u32 bytes a second, u16 bytes a frame, u16 bits a sample
      if (chunk.size() < 16) return invalid("the WAV file is cut short");
      wav.channels = number(chunk, 2, 2);
      wav.rate = number(chunk, 4, 4);
      if (number(chunk, 0, 2) != 1 || number(chunk, 14, 2) != 16) return unsupported("a WAV file of anything but 16-bit PCM is not supported");
      if (wav.channels == 0 || wav.rate == 0 || wav.rate > INT32_MAX) return invalid("the WAV file has no channels or no rate");
    } else if (kind == "data") {
      if (wav.channels == 0) return invalid("the WAV file has samples before it says what they are");
      wav.samples = chunk;
      return wav;
    }
    if (bytes > file.size() - at) break;
    at += bytes;
    if (bytes % 2 == 1 && at < file.size() && file[at] == '\0') ++at;
  }
  return invalid("the WAV file has no samples");
}

Status infer(InferContext& c) {
  if (Status s = check_text(c); !s) return s;
  if (const Shape& x = c.shape(0); x.known() && x.concrete().count() != 1) return invalid("contents are " + x.text() + ": one file is read");
  const int64_t channels = c.attrs.i("channels"), samples = c.attrs.i("samples");
  if (channels == 0 || samples > int64_t(1) << 40 || channels > 1 << 16) return invalid("there cannot be " + std::to_string(channels) + " channels");
  c.set(0, DType::f32, Shape{samples >= 0 ? Dim(samples) : c.fresh(), channels > 0 ? Dim(channels) : c.fresh()});
  c.set(1, DType::i32, Shape{});
  return {};
}

Result<std::vector<Tensor>> compute(const ComputeRequest& r) {
  auto wav = parse(strings_of(r.inputs[0])[0].view());
  if (!wav) return wav.error();
  const int64_t have = static_cast<int64_t>(wav->samples.size()) / 2 / wav->channels;
  const int64_t channels = r.attrs.i("channels") < 0 ? wav->channels : r.attrs.i("channels");
  const int64_t samples = r.attrs.i("samples") < 0 ? have : r.attrs.i("samples");
  if (samples > r.budget / 4 / channels) return unsupported("the samples need more memory than the budget");
  auto y = Tensor::allocate(DType::f32, {samples, channels});
  if (!y) return y.error();
  for (int64_t i = 0; i < samples; ++i) {
    for (int64_t k = 0; k < channels; ++k) {
      const auto at = static_cast<size_t>((i * wav->channels + k % wav->channels) * 2);
      const auto sample = i < have ? static_cast<int16_t>(number(wav->samples, at, 2)) : int16_t(0);
      y->mutable_data<float>()[i * channels + k] = static_cast<float>(sample) / 32768.0f;
    }
  }
  return std::vector<Tensor>{std::move(*y), Tensor::scalar(static_cast<int32_t>(wav->rate))};
}

constexpr AttrSpec kAttrs[] = {{"channels", AttrKind::i, -1}, {"samples", AttrKind::i, -1}};

}  // namespace

constinit const OpDef kDecodeWav = {.name = "DecodeWav",
                                    .inputs = {1, 1},
                                    .outputs = {2, 2},
                                    .attrs = kAttrs,
                                    .infer = infer,
                                    .compute = compute,
                                    .data_dependent = true,
                                    .tern_only = true};

}  // namespace tern
