// Pictures as inputs: PGM and PPM here. See arrays.h. Next: images_png.cpp.
#include <algorithm>
#include <cstring>

#include "loaders/load.h"
#include "tools/tern/arrays.h"

namespace tern::command {
namespace {

// P2 and P3 are text, P5 and P6 bytes (two of them, big-endian, when the maximum is above 255).
Result<Image> read_pnm(std::string_view text) {
  size_t at = 2;
  auto number = [&]() -> int64_t {  // -1: none
    while (at < text.size() && (std::isspace(static_cast<unsigned char>(text[at])) || text[at] == '#')) {
      if (text[at] == '#') at = std::min(text.find('\n', at), text.size());
      else ++at;
    }
    int64_t n = -1;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && n < kMostPixels; ++at) n = std::max<int64_t>(n, 0) * 10 + (text[at] - '0');
    return n;
  };
  const char kind = text[1];
  Image image;
  image.channels = kind == '3' || kind == '6' ? 3 : 1;
  image.width = number();
  image.height = number();
  const int64_t most = number();
  if (image.width <= 0 || image.height <= 0 || most <= 0 || most > 65535 || image.width > kMostPixels / image.height) {
    return invalid("the picture's header is damaged");
  }
  const auto count = static_cast<size_t>(image.width * image.height * image.channels);
  if (text.size() < count) return invalid("the picture is truncated");
  ++at;  // the one blank after the maximum
  const bool binary = kind == '5' || kind == '6';
  const size_t width = most > 255 ? 2 : 1;
  if (binary && (at > text.size() || text.size() - at < count * width)) return invalid("the picture is truncated");
  image.pixels.resize(count);
  for (size_t i = 0; i < count; ++i) {
    int64_t v;
    if (!binary) v = number();
    else if (width == 1) v = static_cast<unsigned char>(text[at + i]);
    else v = static_cast<unsigned char>(text[at + 2 * i]) << 8 | static_cast<unsigned char>(text[at + 2 * i + 1]);
    if (v < 0 || v > most) return invalid("the picture is truncated or damaged");
    image.pixels[i] = static_cast<float>(v) / static_cast<float>(most);
  }
  return image;
}

}  // namespace

Result<Image> read_image(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  if (text.size() > 2 && text[0] == 'P' && std::strchr("2356", text[1]) != nullptr && text[1] != '\0') return read_pnm(text);
  if (text.size() > 8 && text.substr(1, 3) == "PNG") {
    return read_png(*bytes);
  }
  return invalid("neither PGM, PPM nor PNG");
}

std::vector<int64_t> dims_of_image(const Image& image, const std::vector<int64_t>& known) {
  if (known.size() < 3) return {};
  std::vector<int64_t> dims(known.size(), 1);
  const size_t channels = known.size() - 3;
  for (bool last : {false, true}) {
    int64_t* d = dims.data() + channels;
    const int64_t depth = known[last ? channels + 2 : channels];
    d[0] = last ? image.height : depth > 0 ? depth : image.channels;
    d[1] = last ? image.width : image.height;
    d[2] = !last ? image.width : depth > 0 ? depth : image.channels;
    bool fits = d[last ? 2 : 0] == 1 || d[last ? 2 : 0] == 3;
    for (size_t i = channels; i < known.size(); ++i) fits = fits && (known[i] < 0 || known[i] == dims[i]);
    if (fits) return dims;
  }
  return {};
}

Text draw(const Image& image) {
  constexpr std::string_view kShades = " .:-=+*#%@";
  const int64_t step = std::max<int64_t>(1, (image.width + 31) / 32);
  std::string text;
  for (int64_t y = 0; y < image.height; y += step) {
    text += "    ";
    for (int64_t x = 0; x < image.width; x += step) {
      float sum = 0;
      for (int64_t c = 0; c < image.channels; ++c) sum += image.pixels[static_cast<size_t>((y * image.width + x) * image.channels + c)];
      const auto shade = static_cast<size_t>(sum / static_cast<float>(image.channels) * 9.0f + 0.5f);
      text.append(2, kShades[std::min<size_t>(shade, 9)]);  // a character is twice as high as wide
    }
    while (text.back() == ' ') text.pop_back();
    text += '\n';
  }
  return Text::safe(text);
}

}  // namespace tern::command
