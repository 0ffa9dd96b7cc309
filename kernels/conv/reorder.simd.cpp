// Between plain and blocked layouts, halo included: both sides are described by strides, so one loop serves all four directions.
#include "kernels/conv/halo.h"

namespace tern::TERN_ISA {
namespace {

// Up to 16 rows of up to 16 become columns.
void transpose(const float* x, int64_t x_step, float* y, int64_t y_step, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = x + r * x_step;
    for (int64_t c = 0; c < cols; ++c) y[c * y_step + r] = from[c];
  }
}

void copy_row(const ReorderArgs& a, const float* x, float* y, int64_t lanes) {
  if (a.from_blocked && a.to_blocked) {
    for (int64_t w = 0; w < a.width; ++w) store(y + w * 16, load(x + w * 16));
  } else if (a.to_blocked && a.x_channel == 1) {
    if (lanes == 16) {
      for (int64_t w = 0; w < a.width; ++w) store(y + w * 16, load(x + w * a.x_col));
    } else {
      for (int64_t w = 0; w < a.width; ++w) store(y + w * 16, load_n(x + w * a.x_col, lanes));
    }
  } else if (a.from_blocked && a.y_channel == 1) {
    if (lanes == 16) {
      for (int64_t w = 0; w < a.width; ++w) store(y + w * a.y_col, load(x + w * 16));
    } else {
      for (int64_t w = 0; w < a.width; ++w) store_n(y + w * a.y_col, load(x + w * 16), lanes);
    }
  } else if (a.to_blocked) {
    for (int64_t w = 0; w < a.width; w += 16) {
      transpose(x + w, a.x_channel, y + w * 16, 16, lanes, a.width - w < 16 ? a.width - w : 16);
    }
    if (lanes == 16) return;
    for (int64_t w = 0; w < a.width; ++w) {
      for (int64_t l = lanes; l < 16; ++l) y[w * 16 + l] = 0;
    }
  } else {
    for (int64_t l = 0; l < lanes; ++l) {
      for (int64_t w = 0; w < a.width; ++w) y[l * a.y_channel + w] = x[w * 16 + l];
    }
  }
}

void reorder(const ReorderArgs& a) {
  const int64_t blocks = (a.channels + 15) / 16;
  const ConvHalo& h = a.halo;
  for (int64_t i = a.begin; i < a.end; ++i) {
    const int64_t n = i / blocks, b = i % blocks, lanes = a.channels - b * 16 < 16 ? a.channels - b * 16 : 16;
    const float* x = a.x + n * a.x_image + b * a.x_block;
    float* y = a.y + n * a.y_image + b * a.y_block;
    if (a.to_blocked) clear_halo(h, y - (h.top * h.width + h.left) * 16);
    for (int64_t r = 0; r < a.height; ++r) {
      copy_row(a, x + r * a.x_row, y + r * a.y_row, lanes);
    }
  }
}

void concat_blocks(const ConcatBlocksArgs& a) {
  for (int64_t i = 0; i < a.count; ++i) reorder(a.parts[i]);
}

}  // namespace

constinit const KernelRow reorder_f32 = row<ReorderArgs, reorder>("reorder/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow concat_blocks_f32 = row<ConcatBlocksArgs, concat_blocks>("concat_blocks/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
