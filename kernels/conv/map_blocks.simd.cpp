// Sixteen channels of a pixel a vector; the halo of y is cleared on the way. See map_blocks.h.
#include "kernels/conv/map_blocks.h"

#include "kernels/conv/halo.h"
#include "kernels/elementwise/lanes.h"
#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

// What is the same for all pixels of a block.
struct Channels {
  f32x16 other, mean, factor, bias;
};
TERN_INLINE Channels channels_of(const MapBlocksArgs& a, int64_t image, int64_t block) {
  const int64_t c = block * 16, n = a.channels - c < 16 ? a.channels - c : 16;
  Channels k = {zero(), zero(), zero(), zero()};
  if (a.single) k.other = splat(*a.other.data);
  if (a.per_channel) k.other = load_n(a.other.data + image * a.other.image + c, n);
  if (a.map != BlockMap::norm) return k;
  k.mean = load_n(a.mean + c, n);
  k.bias = load_n(a.bias + c, n);
  k.factor = load_n(a.scale + c, n) / sqrt(load_n(a.variance + c, n) + splat(a.epsilon));
  return k;
}

template <BlockMap M>
TERN_INLINE f32x16 mapped(f32x16 v, f32x16 o, const Channels& k) {
  if constexpr (M == BlockMap::add) return v + o;
  else if constexpr (M == BlockMap::sub) return v - o;
  else if constexpr (M == BlockMap::mul) return v * o;
  else if constexpr (M == BlockMap::div) return v / o;
  else if constexpr (M == BlockMap::max) return larger(v, o);
  else if constexpr (M == BlockMap::min) return smaller(v, o);
  else if constexpr (M == BlockMap::prelu) return prelu(v, o);
  else if constexpr (M == BlockMap::norm) return fma(v - k.mean, k.factor, k.bias);
  else return v;
}
template <BlockMap M>
TERN_INLINE void map_row_with(int64_t width, const Channels& k, const float* x, const float* other, float* y) {
  if (other == nullptr) {
    for (int64_t w = 0; w < width; ++w) store(y + w * 16, mapped<M>(load(x + w * 16), k.other, k));
  } else {
    for (int64_t w = 0; w < width; ++w) store(y + w * 16, mapped<M>(load(x + w * 16), load(other + w * 16), k));
  }
}
void map_row(const MapBlocksArgs& a, const Channels& k, const float* x, const float* other, float* y) {
  switch (a.map) {
    case BlockMap::none: return map_row_with<BlockMap::none>(a.width, k, x, other, y);
    case BlockMap::add: return map_row_with<BlockMap::add>(a.width, k, x, other, y);
    case BlockMap::sub: return map_row_with<BlockMap::sub>(a.width, k, x, other, y);
    case BlockMap::mul: return map_row_with<BlockMap::mul>(a.width, k, x, other, y);
    case BlockMap::div: return map_row_with<BlockMap::div>(a.width, k, x, other, y);
    case BlockMap::max: return map_row_with<BlockMap::max>(a.width, k, x, other, y);
    case BlockMap::min: return map_row_with<BlockMap::min>(a.width, k, x, other, y);
    case BlockMap::prelu: return map_row_with<BlockMap::prelu>(a.width, k, x, other, y);
    case BlockMap::norm: return map_row_with<BlockMap::norm>(a.width, k, x, other, y);
  }
}

void step_row(const MapBlocksArgs& a, const float* x, float* y) {
  for (int64_t w = 0; w < a.width; ++w) store(y + w * 16, load(x + w * a.x_col));
}

void repeat_row(const MapBlocksArgs& a, const float* x, float* y) {
  for (int64_t w = 0; w < a.width; w += a.repeat_col, x += 16) {
    for (int64_t i = 0; i < a.repeat_col; ++i) store(y + (w + i) * 16, load(x));
  }
}

// In a loop of its own, so that there are not all maps times all activations; the row is in L1.
void activate_row(const MapBlocksArgs& a, float* y) {
  with_activation(a.activation.activation, [&]<Activation A>() {
    for (int64_t w = 0; w < a.width; ++w) store(y + w * 16, activate<A>(load(y + w * 16), a.activation.alpha, a.activation.beta));
  });
}

void map_blocks(const MapBlocksArgs& a) {
  const ConvHalo& h = a.halo;
  const bool pair = a.other.data != nullptr && !a.per_channel && !a.single;
  for (int64_t i = a.begin; i < a.end; ++i) {
    const int64_t n = i / a.blocks, b = i % a.blocks;
    const Channels k = channels_of(a, n, b);
    const float* x = a.x.data + n * a.x.image + b * a.x.block;
    const float* other = pair ? a.other.data + n * a.other.image + b * a.other.block : nullptr;
    float* y = a.y + n * a.y_image + b * a.y_block;
    clear_halo(h, y - (h.top * h.width + h.left) * 16);
    for (int64_t r = 0; r < a.height; ++r) {
      float* row = y + r * a.y_row;
      if (a.x_col != 16) step_row(a, x + r * a.x.row, row);
      else if (a.repeat_col != 1) repeat_row(a, x + r / a.repeat_row * a.x.row, row);
      else map_row(a, k, x + r / a.repeat_row * a.x.row, pair ? other + r * a.other.row : nullptr, row);
      if (a.activation.activation != Activation::none) activate_row(a, row);
    }
  }
}

}  // namespace

constinit const KernelRow map_blocks_f32 = row<MapBlocksArgs, map_blocks>("map_blocks/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
