// See integer_lines.h.
#include "kernels/quantize/integer_lines.h"

#include <algorithm>

#include "kernels/quantize/integer_image.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr int64_t kRun = 28;  // pixels whose sums are made before they are scaled: 7 KB, four rounds of the tile

// Groups from a pixel's own to the next one's, or from a pair's to the next pair's.
int64_t groups_apart(const Window& w) { return w.stride[2] == 1 ? 1 : w.stride[2] / 2; }
std::optional<int64_t> groups_of(const IntegerArgs& a) {
  const auto last = checked_mul((a.window.out[2] - 1) / a.pixels(), groups_apart(a.window));
  return last ? checked_add(*last, 2 * a.tap_quads - 1) : std::nullopt;
}

struct Lines {
  const IntegerArgs& a;
  const uint8_t* x;  // the image, from the panel's first channel on
  int64_t channels;  // of the panel
  int64_t groups, filled = 0;

  // The lines that output line `line` meets, of which those before `filled` are there.
  void fill(int64_t line, const IntegerKernels& k) {
    const Window& w = a.window;
    const int64_t lines = ring_lines(a), first = line * w.stride[1];
    const auto zero = static_cast<uint8_t>(packed_x_zero(a, 0));
    for (int64_t row = std::max(filled, first); row < first + lines; ++row) {
      const int64_t h = row - w.begin[1];
      const bool inside = h >= 0 && h < w.in[1];
      k.groups({inside ? x + h * w.in[2] * a.channels : nullptr, a.channels, w.in[2], channels, w.begin[2],
                a.image != nullptr ? uint8_t(0) : highest_bit(a), zero, a.ring + row % lines * groups * 64, groups});
    }
    filled = first + lines;
  }
};

}  // namespace

int64_t tap_quads(const IntegerArgs& a) {
  const Window& w = a.window;
  const bool plane = w.in[0] == 1 && w.out[0] == 1 && w.kernel[0] == 1, near = w.dilation[2] == 1 && (w.stride[2] == 1 || w.stride[2] % 2 == 0);
  if (!a.depthwise || a.channels < kTileColumns || !plane || !near) return 0;
  return (w.kernel[2] + a.pixels() + 2) / 4;
}

int64_t ring_lines(const IntegerArgs& a) { return (a.window.kernel[1] - 1) * a.window.dilation[1] + 1; }
std::optional<int64_t> ring_bytes(const IntegerArgs& a) {
  const auto groups = groups_of(a);
  const auto line = groups ? checked_mul(*groups, 64) : std::nullopt;
  return line ? checked_mul(*line, ring_lines(a)) : std::nullopt;
}

void pack_tap(const IntegerArgs& a, int64_t tap, int32_t v, int8_t* to, int64_t j) {
  const int64_t width = a.window.kernel[2], line = tap / width;
  const int32_t first = std::clamp(v, -128, 127), parts[] = {first, v - first};
  for (int64_t part = 0; part < a.tap_parts(); ++part) {
    for (int64_t p = 0; p < a.pixels(); ++p) {
      const int64_t at = tap % width + p, quad = ((line * a.tap_parts() + part) * a.pixels() + p) * a.tap_quads + at / 4;
      to[64 * (1 + quad) + j * 4 + at % 4] = static_cast<int8_t>(parts[part]);
    }
  }
}

void convolve_lines(const IntegerArgs& a, const IntegerBatch& b, int64_t first, int64_t end, const int8_t* packed, const IntegerKernels& k) {
  alignas(64) int32_t sum[kRun * kSumStride];
  const Window& w = a.window;
  const int64_t width = w.out[2], pixels = a.pixels(), lines = ring_lines(a), groups = *groups_of(a);
  const int64_t element = static_cast<int64_t>(size_of(a.y_dtype));
  for (int64_t panel = 0; panel < a.panels(); ++panel, packed += a.panel()) {
    const int64_t channel = panel * kTileColumns;
    Lines x{a, (a.image != nullptr ? a.image : static_cast<const uint8_t*>(a.x) + b.x) + channel, std::min<int64_t>(kTileColumns, a.n - channel),
            groups};
    IntegerFinish f{};
    f.count = x.channels;
    f.offset = a.offset + channel;
    f.multiplier = a.y_dtype == DType::i32 ? nullptr : a.multiplier + channel;
    f.y_float = a.y_dtype == DType::f32;
    f.bias = a.float_bias == nullptr ? nullptr : a.float_bias + channel;
    f.low = a.low;
    f.high = a.high;
    f.y_zero = zero_at({a.y_zero, 0}, a.y_signed(), 0);
    f.y_signed = a.y_signed();
    f.y_stride = a.block != nullptr ? x.channels : a.y_row;
    for (int64_t at = first, line_end; at < end; at = line_end) {
      const int64_t line = at / width, begin = line * width;
      line_end = std::min(end, begin + width);
      x.fill(line, k);
      for (int64_t from = at - (at - begin) % pixels; from < line_end; from += kRun) {
        const int64_t count = (std::min(kRun, line_end - from) + pixels - 1) / pixels, group = (from - begin) / pixels * groups_apart(w);
        k.lines({a.ring, groups * 64, lines, line * w.stride[1] % lines, w.dilation[1] % lines, w.kernel[1], a.tap_quads, group, groups_apart(w),
                 count, pixels == 2, a.tap_parts(), packed + 64, sum});
        const int64_t wanted = std::max(from, at);
        f.sum = sum + (wanted - from) * kSumStride;
        f.rows = std::min(from + kRun, line_end) - wanted;
        uint8_t* y = static_cast<uint8_t*>(a.y) + (b.y + wanted * a.y_row + channel * a.y_column) * element;
        f.y = a.block != nullptr ? a.block : y;
        k.finish(f);
        if (a.block != nullptr) put_turned(a, f.rows, x.channels, y, k);
      }
    }
  }
}

}  // namespace tern
