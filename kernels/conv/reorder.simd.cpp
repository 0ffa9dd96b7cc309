// Between plain and blocked layouts, halo included: both sides are described by strides, so one loop serves all four directions.
#include "kernels/conv/halo.h"
#include "kernels/conv/turn.h"

namespace tern::TERN_ISA {
namespace {

void copy_row(const ReorderArgs& a, const float* x, float* y, int64_t lanes, int64_t width) {
  if (a.to_blocked && a.x_channel == 1) {
    if (lanes == 16) {
      for (int64_t w = 0; w < width; ++w) store(y + w * 16, load(x + w * a.x_col));
    } else {
      for (int64_t w = 0; w < width; ++w) store(y + w * 16, load_n(x + w * a.x_col, lanes));
    }
  } else if (a.from_blocked && a.y_channel == 1) {
    if (lanes == 16) {
      for (int64_t w = 0; w < width; ++w) store(y + w * a.y_col, load(x + w * 16));
    } else {
      for (int64_t w = 0; w < width; ++w) store_n(y + w * a.y_col, load(x + w * 16), lanes);
    }
  } else if (a.to_blocked) {
    turn(x, a.x_channel, y, 16, lanes, width);
    if (lanes == 16) return;
    for (int64_t w = 0; w < width; ++w) {
      for (int64_t l = lanes; l < 16; ++l) y[w * 16 + l] = 0;
    }
  } else {
    turn(x, 16, y, a.y_channel, width, lanes);
  }
}

void reorder(const ReorderArgs& a) {
  const int64_t blocks = (a.channels + 15) / 16;
  const ConvHalo& h = a.halo;
  const int64_t x_row = a.width * (a.from_blocked ? 16 : a.x_col), y_row = a.width * (a.to_blocked ? 16 : a.y_col);
  const bool follow = a.x_row == x_row && a.y_row == y_row;  // rows, without a gap
  const int64_t height = follow ? 1 : a.height, width = follow ? a.height * a.width : a.width;
  for (int64_t i = a.begin; i < a.end; ++i) {
    const int64_t n = i / blocks, b = i % blocks, lanes = a.channels - b * 16 < 16 ? a.channels - b * 16 : 16;
    const float* x = a.x + n * a.x_image + b * a.x_block;
    float* y = a.y + n * a.y_image + b * a.y_block;
    if (a.to_blocked) clear_halo(h, y - (h.top * h.width + h.left) * 16);
    for (int64_t r = 0; r < height; ++r) copy_row(a, x + r * a.x_row, y + r * a.y_row, lanes, width);
  }
}

// n channels of a map, all in one block of x and in one of y.
void copy_lanes(const ConcatBlocksArgs& a, const float* x, int64_t x_row, float* y, int64_t n) {
  for (int64_t r = 0; r < a.height; ++r, x += x_row, y += a.y_row) {
    if (n == 16) {
      for (int64_t w = 0; w < a.width; ++w) store(y + w * 16, load(x + w * 16));
    } else {
      for (int64_t w = 0; w < a.width; ++w) store_n(y + w * 16, load_n(x + w * 16, n), n);
    }
  }
}

// The same of a plain x.
void copy_planes(const ConcatBlocksArgs& a, const float* x, const CopyChannels& p, float* y, int64_t n) {
  for (int64_t r = 0; r < a.height; ++r) turn(x + r * p.x_row, p.x_channel, y + r * a.y_row, 16, n, a.width);
}

void copy_channels(const ConcatBlocksArgs& a, const CopyChannels& p, int64_t image) {
  const float* const x = p.x + image * p.x_image;
  float* const y = a.y + image * a.y_image;
  for (int64_t c = 0; c < p.channels;) {
    const int64_t from = p.x_first + c, to = p.y_first + c, lane = from % 16 > to % 16 ? from % 16 : to % 16;
    const int64_t n = p.channels - c < 16 - lane ? p.channels - c : 16 - lane;
    float* const lanes = y + to / 16 * a.y_block + to % 16;
    if (p.x_channel == 0) copy_lanes(a, x + from / 16 * p.x_block + from % 16, p.x_row, lanes, n);
    else copy_planes(a, x + from * p.x_channel, p, lanes, n);
    c += n;
  }
}

void concat_blocks(const ConcatBlocksArgs& a) {
  for (int64_t i = 0; i < a.batch; ++i) {
    float* const map = a.y + i * a.y_image - (a.halo.top * a.halo.width + a.halo.left) * 16;
    if (!a.fills) clear(map + (a.blocks - 1) * a.y_block, a.y_image);
    for (const CopyChannels* p = a.parts; p < a.parts + a.count; ++p) {
      for (int64_t b = p->y_first / 16; b < (p->y_first + p->channels + 15) / 16; ++b) clear_halo(a.halo, map + b * a.y_block);
      copy_channels(a, *p, i);
    }
  }
}

}  // namespace

constinit const KernelRow reorder_f32 = row<ReorderArgs, reorder>("reorder/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow concat_blocks_f32 = row<ConcatBlocksArgs, concat_blocks>("concat_blocks/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
