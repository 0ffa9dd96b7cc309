// Sound: what TensorFlow answers is in tests/loaders/tensorflow_ops.cpp; here files that are broken, and what must not be.
// Contract: kernels/audio/audio.h.
#include <doctest/doctest.h>

#include "tests/support/op_test.h"

namespace tern::test::in_audio {
namespace {

std::string number(uint32_t n, int bytes) {
  std::string s;
  while (bytes-- > 0) s += static_cast<char>(n & 255), n >>= 8;
  return s;
}

std::string wav(uint32_t encoding, uint32_t channels, uint32_t bits, const std::string& samples) {
  const std::string format = number(encoding, 2) + number(channels, 2) + number(16000, 4) + number(32000, 4) + number(2, 2) + number(bits, 2);
  const std::string chunks = "WAVEfmt " + number(16, 4) + format + "data" + number(static_cast<uint32_t>(samples.size()), 4) + samples;
  return "RIFF" + number(static_cast<uint32_t>(chunks.size()), 4) + chunks;
}

Tensor file(const std::string& bytes) { return *Tensor::strings({}, std::vector<std::string>{bytes}); }
std::string error(const std::string& bytes) { return op_error("DecodeWav", {}, {file(bytes)}, 2); }
bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("audio: a file cut anywhere is an error or has fewer samples") {
  const std::string whole = wav(1, 1, 16, std::string("\0\x80\xff\x7f\0\1", 6));
  check_same(run_op("DecodeWav", {}, {file(whole)}, 2)[0], f32({3, 1}, {-1, 32767.0f / 32768, 256.0f / 32768}));
  for (size_t n = 0; n < whole.size(); ++n) {
    CAPTURE(n);
    if (n < 44) CHECK(error(whole.substr(0, n)) != "");
    else CHECK(run_op("DecodeWav", {}, {file(whole.substr(0, n))}, 2)[0].dims()[0] == static_cast<int64_t>(n - 44) / 2);
  }
}

TEST_CASE("audio: chunks that nobody knows are skipped, odd ones with and without the byte that makes them even") {
  const std::string whole = wav(1, 1, 16, std::string("\0\x80", 2));
  const size_t data = whole.find("data");
  const std::string even("LIST\2\0\0\0ab", 10), odd("LIST\3\0\0\0abc", 11);
  for (const std::string& extra : {even, odd, odd + '\0'})
    check_same(run_op("DecodeWav", {}, {file(whole.substr(0, data) + extra + whole.substr(data))}, 2)[0], f32({1, 1}, {-1}));
}

TEST_CASE("audio: what is no 16-bit PCM is told") {
  CHECK(has(error("RIFX" + wav(1, 1, 16, "ab").substr(4)), "no WAV file"));
  CHECK(has(error(wav(3, 1, 32, "abcd")), "16-bit PCM"));
  CHECK(has(error(wav(1, 1, 8, "ab")), "16-bit PCM"));
  CHECK(has(error(wav(1, 0, 16, "ab")), "no channels"));
  CHECK(has(op_error("DecodeWav", {{"samples", int64_t(1) << 39}}, {file(wav(1, 1, 16, "ab"))}, 2), "budget"));
  CHECK(has(op_error("DecodeWav", {}, {*Tensor::strings({2}, std::vector<std::string>{"a", "b"})}, 2), "one file"));
}

TEST_CASE("audio: bands that a spectrogram cannot have are refused") {
  const Tensor power = f32({1, 2, 5}, std::vector<float>(10, 1.0f));
  auto rate = [](int32_t n) { return Tensor::scalar(n); };
  CHECK(op_error("Mfcc", {}, {power, rate(16000)}) == "");
  CHECK(has(op_error("Mfcc", {}, {power, rate(4000)}), "beyond the spectrogram"));
  CHECK(has(op_error("Mfcc", {}, {power, rate(0)}), "at a rate of 0"));
  CHECK(has(op_error("Mfcc", {{"coefficients", int64_t(41)}}, {power, rate(16000)}), "41 coefficients of 40 bands"));
  CHECK(has(op_error("Mfcc", {{"lower", 5000.0f}}, {power, rate(16000)}), "the bands lie between"));
  CHECK(has(op_error("Mfcc", {{"upper", 1e30f}}, {power, rate(16000)}), "beyond the spectrogram"));
}

}  // namespace tern::test::in_audio
