// See integer_image.h.
#include "kernels/quantize/integer_image.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/checked.h"

namespace tern {
namespace {

bool inside(int64_t i, int64_t n) { return static_cast<uint64_t>(i) < static_cast<uint64_t>(n); }

struct Pixel {
  int64_t d, h, v;
};
Pixel pixel(const Window& w, int64_t row) { return {row / (w.out[1] * w.out[2]), row / w.out[2] % w.out[1], row % w.out[2]}; }

// The windows of pixels from the image: neighbouring taps are one run.
void copy_windows(const IntegerArgs& a, int64_t first, int64_t count, const uint8_t* image, int64_t channels, const IntegerKernels& k) {
  const Window& w = a.window;
  const Pixel p = pixel(w, first);
  const int64_t column = a.channels, line = a.image_dims[2] * column, plane = a.image_dims[1] * line;
  const bool joined = w.dilation[2] == 1 && channels == a.channels;
  k.windows({image,
             a.rows,
             4 * a.quads(),
             count,
             {p.d, p.h, p.v},
             {w.out[0], w.out[1], w.out[2]},
             {w.stride[0] * plane, w.stride[1] * line, w.stride[2] * column},
             {w.kernel[0], w.kernel[1], joined ? 1 : w.kernel[2]},
             {w.dilation[0] * plane, w.dilation[1] * line, w.dilation[2] * column},
             joined ? w.kernel[2] * channels : channels});
}
// The same from x itself, where padding is most of the image.
void gather_window(const IntegerArgs& a, const uint8_t* x, int64_t row, int64_t channels, uint8_t* to) {
  const Window& w = a.window;
  const Pixel p = pixel(w, row);
  const auto zero = static_cast<uint8_t>(zero_at(a.x_zero, a.x_signed, 0) ^ highest_bit(a));
  const int64_t plane = w.in[0] * w.in[1] * w.in[2], next = a.channels_last ? 1 : plane, step = a.channels_last ? a.channels : 1;
  for (int64_t i = 0; i < w.kernel[0]; ++i) {
    for (int64_t j = 0; j < w.kernel[1]; ++j) {
      for (int64_t l = 0; l < w.kernel[2]; ++l, to += channels) {
        const int64_t d = p.d * w.stride[0] + i * w.dilation[0] - w.begin[0], h = p.h * w.stride[1] + j * w.dilation[1] - w.begin[1],
                      v = p.v * w.stride[2] + l * w.dilation[2] - w.begin[2];
        const bool has = inside(d, w.in[0]) && inside(h, w.in[1]) && inside(v, w.in[2]);
        const uint8_t* from = has ? x + ((d * w.in[1] + h) * w.in[2] + v) * step : x;
        for (int64_t c = 0; c < channels; ++c) to[c] = has ? static_cast<uint8_t>(from[c * next] ^ highest_bit(a)) : zero;
      }
    }
  }
}

}  // namespace

int64_t window_begin(const IntegerArgs& a, int64_t row) {
  const Pixel p = pixel(a.window, row);
  const auto& stride = a.window.stride;
  return (((p.d * stride[0]) * a.image_dims[1] + p.h * stride[1]) * a.image_dims[2] + p.v * stride[2]) * a.channels;
}

void lay_out_image(const IntegerArgs& a, int64_t i, const IntegerKernels& k) {
  const Window& w = a.window;
  const int64_t plane = w.in[0] * w.in[1] * w.in[2], size = a.image_dims[0] * a.image_dims[1] * a.image_dims[2] * a.channels;
  const bool padded = a.image_dims != w.in;
  const uint8_t* x = static_cast<const uint8_t*>(a.x) + i * plane * a.channels;
  if (padded) std::memset(a.image, zero_at(a.x_zero, a.x_signed, 0), static_cast<size_t>(size));
  const int64_t lines = padded ? w.in[0] * w.in[1] : 1, line = plane / lines;  // without padding an image is one line
  for (int64_t l = 0; l < lines; ++l) {
    const int64_t d = l / w.in[1] + w.begin[0], h = l % w.in[1] + w.begin[1];
    uint8_t* to = padded ? a.image + ((d * a.image_dims[1] + h) * a.image_dims[2] + w.begin[2]) * a.channels : a.image;
    if (a.channels_last) std::memcpy(to, x + l * line * a.channels, static_cast<size_t>(line * a.channels));
    else k.turn(x + l * line, plane, a.channels, line, to, a.channels);
  }
  if (a.x_signed) k.flip(a.image, a.image, size, highest_bit(a));
}

void fill_rows(const IntegerArgs& a, const IntegerBatch& b, int64_t first, int64_t count, const IntegerKernels& k) {
  const auto* x = static_cast<const uint8_t*>(a.x) + b.x;
  const int64_t channels = a.conv ? a.k / a.window.taps() : 0, group = a.conv ? b.column / a.n : 0;
  if (a.image != nullptr) return copy_windows(a, first, count, a.image + group * channels, channels, k);
  for (int64_t r = 0; r < count; ++r) {
    uint8_t* to = a.rows + r * 4 * a.quads();
    if (a.conv) gather_window(a, x, first + r, channels, to);
    else k.flip(x + (first + r) * a.k, to, a.k, highest_bit(a));
  }
}

bool set_image(IntegerArgs& a) {
  const Window& w = a.window;
  int64_t cells = a.channels, own = cells;
  for (size_t i = 0; i < 3; ++i) {
    const auto reach = checked_mul(w.out[i] - 1, w.stride[i]), taps = checked_mul(w.kernel[i] - 1, w.dilation[i]);
    const auto seen = reach && taps ? checked_add(*reach, *taps) : std::nullopt;  // the last cell that a window sees
    const auto filled = checked_add(w.begin[i], w.in[i]);
    if (!seen || !filled || *seen == INT64_MAX) return false;
    a.image_dims[i] = std::max(*seen + 1, *filled);
    const auto more = checked_mul(cells, a.image_dims[i]);
    if (!more) return false;
    cells = *more;
    own *= w.in[i];
  }
  return cells / 4 <= own;
}

}  // namespace tern
