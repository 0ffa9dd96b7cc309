// PNG through libpng, when the build found it. Its simplified interface is not used: that one converts by gamma and makes 16 bits 8. See arrays.h.
#include "tools/tern/arrays.h"

#ifdef TERN_PNG
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#endif

namespace tern::command {

#ifndef TERN_PNG

Result<Image> read_png(std::span<const std::byte>) {
  return unsupported("this build has no libpng (package libpng-dev); convert the picture to .pgm");
}

#else

namespace {

struct Decoder {
  std::span<const std::byte> bytes;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<unsigned char> samples;
  std::vector<png_bytep> rows;
  size_t width = 0, height = 0, channels = 0, depth = 0;
  char why[120] = {};

  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto& d = *static_cast<Decoder*>(png_get_error_ptr(png));
  std::snprintf(d.why, sizeof d.why, "damaged PNG: %s", message);
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}
void on_read(png_structp png, png_bytep to, size_t size) {
  auto& d = *static_cast<Decoder*>(png_get_io_ptr(png));
  if (size > d.bytes.size()) png_error(png, "truncated");
  std::memcpy(to, d.bytes.data(), size);
  d.bytes = d.bytes.subspan(size);
}

// Errors of libpng jump back here: nothing in this function, or between it and them, has a destructor.
bool decode(Decoder& d) {
  const size_t file_size = d.bytes.size();
  if (setjmp(png_jmpbuf(d.png)) != 0) return false;
  png_set_read_fn(d.png, &d, on_read);
  png_read_info(d.png, d.info);
  d.width = png_get_image_width(d.png, d.info);
  d.height = png_get_image_height(d.png, d.info);
  if (d.width > static_cast<size_t>(kMostPixels) / std::max<size_t>(d.height, 1)) png_error(d.png, "larger than 64 million pixels");
  constexpr size_t kMostInflation = 1032;  // of deflate
  if (png_get_rowbytes(d.png, d.info) * d.height / kMostInflation > file_size) png_error(d.png, "truncated");
  png_set_expand(d.png);  // palettes, fewer than 8 bits, a colour that is transparent
  png_set_interlace_handling(d.png);
  png_read_update_info(d.png, d.info);
  d.channels = png_get_channels(d.png, d.info);
  d.depth = png_get_bit_depth(d.png, d.info);
  const size_t row = png_get_rowbytes(d.png, d.info);
  d.samples.resize(row * d.height);
  d.rows.resize(d.height);
  for (size_t y = 0; y < d.height; ++y) d.rows[y] = d.samples.data() + y * row;
  png_read_image(d.png, d.rows.data());
  png_read_end(d.png, nullptr);
  return true;
}

}  // namespace

Result<Image> read_png(std::span<const std::byte> bytes) {
  Decoder d;
  d.bytes = bytes;
  d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d, on_error, on_warning);
  d.info = d.png == nullptr ? nullptr : png_create_info_struct(d.png);
  if (d.info == nullptr) return unsupported("no memory for the picture");
  if (!decode(d)) return invalid(d.why);
  const bool has_alpha = d.channels % 2 == 0;
  Image image;
  image.width = static_cast<int64_t>(d.width);
  image.height = static_cast<int64_t>(d.height);
  image.channels = static_cast<int64_t>(d.channels) - has_alpha;
  image.pixels.reserve(d.width * d.height * static_cast<size_t>(image.channels));
  auto sample = [&](size_t i) {
    return d.depth == 8 ? static_cast<float>(d.samples[i]) / 255.0f : static_cast<float>(d.samples[2 * i] << 8 | d.samples[2 * i + 1]) / 65535.0f;
  };
  for (size_t i = 0; i < d.width * d.height * d.channels; i += d.channels) {
    const float alpha = has_alpha ? sample(i + d.channels - 1) : 1.0f;
    if (alpha != 1.0f) image.notes = ", transparency over black";
    for (size_t c = 0; c < d.channels - has_alpha; ++c) image.pixels.push_back(alpha * sample(i + c));
  }
  return image;
}

#endif

}  // namespace tern::command
