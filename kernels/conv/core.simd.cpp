// The loop over tiles: prepare the input, pack the weights when they are no constants, compute every tile, apply the epilogue while the
// tile is in L1, write the zero halo. See conv.h; the register tiles are in conv_tile.h.
#include "kernels/conv/conv_tile.h"
#include "kernels/conv/prepare.h"
#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

// The register tile: oc blocks x pixels.
#if defined(__AVX512F__)
constexpr RegisterTile kTile = {2, 14};
#elif defined(__AVX2__) || defined(TERN_NEON)
constexpr RegisterTile kTile = {1, 6};
#else
constexpr RegisterTile kTile = {1, 4};
#endif
constexpr int64_t kB = kTile.blocks, kP = kTile.pixels;

struct Unit {
  int64_t image, group, oc_group, row, tile;
};

TileFn pick_tile(const ConvArgs& a, int64_t blocks, int64_t width) {
  if (a.depthwise) {
    if (a.x_col == 16) return depthwise_fn<kP, 16>(width);
    return depthwise_fn<kP, 0>(width);
  }
  if (blocks == kB) {
    if (a.x_col == 16) return dense_fn<kB, kP, 16>(width);
    if (a.x_col == 1) return dense_fn<kB, kP, 1>(width);
    if (a.x_col == 32) return dense_fn<kB, kP, 32>(width);
    return dense_fn<kB, kP, 0>(width);
  }
  if (a.x_col == 16) return dense_fn<1, kP, 16>(width);
  return dense_fn<1, kP, 0>(width);
}

// Residual, activation, scale: on the tile just stored at y (blocks y_block apart, pixels y_col apart, blocked lanes).
struct Finish {
  float* y;
  int64_t y_block, y_col;
  const float* residual;  // null: none
  bool r_blocked;
  int64_t r_block, r_col, r_lane;
  int64_t blocks, width, channel, left;  // channel: index into scale and shift
};

TERN_INLINE f32x16 residual_at(const Finish& f, int64_t b, int64_t p) {
  const float* r = f.residual + b * f.r_block + p * f.r_col;
  if (f.r_blocked) return load(r);
  float lanes[16] = {};
  const int64_t n = f.left - b * 16;
  for (int64_t l = 0; l < 16 && l < n; ++l) lanes[l] = r[l * f.r_lane];
  return load(lanes);
}

template <Activation A>
TERN_INLINE void finish_tile(const ConvArgs& a, const Finish& f) {
  for (int64_t b = 0; b < f.blocks; ++b) {
    const bool scaled = a.scale != nullptr;
    const f32x16 scale = scaled ? channels(a.scale + f.channel + b * 16, f.left - b * 16) : zero();
    const f32x16 shift = scaled ? channels(a.shift + f.channel + b * 16, f.left - b * 16) : zero();
    for (int64_t p = 0; p < f.width; ++p) {
      float* y = f.y + b * f.y_block + p * f.y_col;
      f32x16 v = load(y);
      if (f.residual != nullptr) v = v + residual_at(f, b, p);
      v = activate<A>(v, a.alpha, a.beta);
      store(y, scaled ? fma(v, scale, shift) : v);
    }
  }
}

void scatter(const Finish& f, float* y, int64_t lane, int64_t block, int64_t col) {
  for (int64_t b = 0; b < f.blocks; ++b) {
    const int64_t n = f.left - b * 16 < 16 ? f.left - b * 16 : 16;
    for (int64_t l = 0; l < n; ++l) {
      float* to = y + b * block + l * lane;
      const float* from = f.y + b * f.y_block + l;
      for (int64_t p = 0; p < f.width; ++p) to[p * col] = from[p * 16];
    }
  }
}

void clear(float* p, int64_t floats) {
  for (int64_t i = 0; i < floats; i += 16) store(p + i, zero());
}

// The part of the halo around `row` of the map that begins at `map`. Rows are the map's own only without flattening; flattened maps
// have no left and right halo and one row.
void clear_halo(const ConvArgs& a, float* map, int64_t row) {
  const ConvHalo& h = a.halo;
  const int64_t pitch = h.width * 16, rows = a.rows_hi * a.rows_lo;
  if (row == 0) clear(map, h.top * pitch);
  if (row == rows - 1) clear(map + (h.height - h.bottom) * pitch, h.bottom * pitch);
  if (h.left + h.right == 0) return;
  const int64_t first = rows == 1 ? h.top : h.top + row, last = rows == 1 ? h.height - h.bottom : first + 1;
  for (int64_t r = first; r < last; ++r) {
    clear(map + r * pitch, h.left * 16);
    clear(map + (r + 1) * pitch - h.right * 16, h.right * 16);
  }
}

void run_tile(const ConvArgs& a, const float* x, const float* w, const Unit& u, int64_t blocks, TileFn fn) {
  const int64_t c0 = a.cols * u.tile / a.tiles, width = a.cols * (u.tile + 1) / a.tiles - c0;
  const int64_t hi = a.rows_hi == 1 ? 0 : u.row / a.rows_lo, lo = u.row - hi * a.rows_lo;
  const int64_t block = u.oc_group * kB, channel = u.group * a.ocs + block * 16, left = a.ocs - block * 16;
  const bool plain = !a.y.blocked;
  float* const y = a.y.data + u.image * a.y.image + u.group * a.y.group + block * a.y.block + hi * a.y.hi + lo * a.y.lo + c0 * a.y.col;
  alignas(64) float buffer[kB * kP * 16];
  TileCall t;
  t.x = x + hi * a.x_hi + lo * a.x_lo + c0 * a.x_col + (a.depthwise ? block * a.x_block : 0);
  t.w = w + block * 16 * a.taps * (a.depthwise ? 1 : a.ics);
  t.bias = a.bias == nullptr ? nullptr : a.bias + channel;
  t.left = left;
  t.y = plain ? buffer : y;
  t.y_block = plain ? kP * 16 : a.y.block;
  t.y_col = plain ? 16 : a.y.col;
  t.relu = a.activation == Activation::relu && a.residual.data == nullptr && a.scale == nullptr;
  if (a.depthwise) {
    for (int64_t b = 0; b < blocks; ++b) {
      fn(a, t);
      t.x += a.x_block;
      t.w += 16 * a.taps;
      if (t.bias != nullptr) t.bias += 16;
      t.left -= 16;
      t.y += t.y_block;
    }
    t.y -= blocks * t.y_block;
  } else {
    fn(a, t);
  }
  Finish f{t.y, t.y_block, t.y_col, nullptr, false, 0, 0, 1, blocks, width, channel, left};
  if (a.residual.data != nullptr) {
    const ConvPixels& r = a.residual;
    f.residual = r.data + u.image * r.image + u.group * r.group + block * r.block + hi * r.hi + lo * r.lo + c0 * r.col;
    f.r_blocked = r.blocked;
    f.r_block = r.block;
    f.r_col = r.col;
    f.r_lane = r.lane;
  }
  if (!t.relu && (f.residual != nullptr || a.scale != nullptr || a.activation != Activation::none)) {
    with_activation(a.activation, [&]<Activation A>() { finish_tile<A>(a, f); });
  }
  if (plain) scatter(f, y, a.y.lane, a.y.block, a.y.col);
}

void conv(const ConvArgs& a) {
  const int64_t all_blocks = (a.ocs + 15) / 16, oc_groups = (all_blocks + kB - 1) / kB, rows = a.rows_hi * a.rows_lo;
  const float* packed = a.w;
  if (a.pack.w != nullptr) {
    pack_weights(a.pack, a.packed_here);
    packed = a.packed_here;
  }
  Unit u;
  int64_t i = a.begin;
  while (i < a.end) {  // one (image, group, oc group) at a time
    int64_t rest = i;
    u.tile = rest % a.tiles, rest /= a.tiles;
    u.row = rest % rows, rest /= rows;
    u.oc_group = rest % oc_groups, rest /= oc_groups;
    u.group = rest % a.groups, u.image = rest / a.groups;
    const float* x = a.x + u.image * a.x_image + u.group * a.x_group;
    if (a.prepare.x != nullptr) {
      x = a.prepared;
      if (i == a.begin || (u.oc_group == 0 && u.row == 0 && u.tile == 0)) prepare(a.prepare, u.image, u.group, a.prepared);
    }
    const float* w = packed + u.group * a.w_group;
    const int64_t blocks = all_blocks - u.oc_group * kB < kB ? all_blocks - u.oc_group * kB : kB;
    const int64_t narrow = a.cols / a.tiles;
    const TileFn fns[2] = {narrow > 0 ? pick_tile(a, blocks, narrow) : nullptr, narrow < kP ? pick_tile(a, blocks, narrow + 1) : nullptr};
    for (; i < a.end && u.row < rows; ++u.row, u.tile = 0) {
      for (; i < a.end && u.tile < a.tiles; ++u.tile, ++i) {
        const int64_t width = a.cols * (u.tile + 1) / a.tiles - a.cols * u.tile / a.tiles;
        run_tile(a, x, w, u, blocks, fns[width - narrow]);
        if (a.halo.height != 0 && u.tile == 0) {
          for (int64_t b = 0; b < blocks; ++b) {
            float* map = a.y.data + u.image * a.y.image + u.group * a.y.group + (u.oc_group * kB + b) * a.y.block;
            clear_halo(a, map - (a.halo.top * a.halo.width + a.halo.left) * 16, u.row);
          }
        }
      }
    }
  }
}

}  // namespace

constinit const KernelRow conv_f32 = row<ConvArgs, conv>("conv/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA, kTile);

}  // namespace tern::TERN_ISA
