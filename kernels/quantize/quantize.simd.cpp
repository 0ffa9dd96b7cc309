// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear, a block of elements at a time: their scales and zero points are laid beside
// them, whatever the axis, and then the arithmetic of linear.h is a plain loop that the compiler vectorises (-O3, CMakeLists.txt). What is
// [[gnu::noinline]] is so for the time of compilation. Next: quantize.cpp.
#include "kernels/quantize/quantize.h"

#include "kernels/quantize/bytes.h"
#include "kernels/quantize/linear.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

constexpr int64_t kBlock = 256;

// The scales and zero points of the elements of a block.
struct Scales {
  float scale[kBlock];
  int32_t zero[kBlock];
};

// Those of a run of elements: number `at`, and `step` (0 or 1) further for each.
[[gnu::noinline]] void read_scales(const QuantArgs& a, float* to, int64_t at, int64_t step, int64_t n) {
  for (int64_t k = 0; k < n; ++k) to[k] = scale_at(a.scale, a.scale_dtype, at + k * step);
}
template <class Q>
[[gnu::noinline]] void read_zeros(const QuantArgs& a, int32_t* to, int64_t at, int64_t step, int64_t n) {
  const Q* zero_point = static_cast<const Q*>(a.zero_point);
  for (int64_t k = 0; k < n; ++k) to[k] = zero_point == nullptr ? 0 : static_cast<int32_t>(zero_point[at + k * step]);
}
template <class Q>
void read(const QuantArgs& a, Scales& to, int64_t k, int64_t at, int64_t step, int64_t n) {
  read_scales(a, to.scale + k, at, step, n);
  read_zeros<Q>(a, to.zero + k, at, step, n);
}
// Of elements [at, at + n): runs of the innermost extent; where that is 1, of the axis, or of a block of it.
template <class Q>
[[gnu::noinline]] void read_block(const QuantArgs& a, Scales& to, int64_t at, int64_t n) {
  int64_t i = at / a.inner % a.n, outer = at / a.inner / a.n, j = at % a.inner;  // element j of row i of outer
  for (int64_t k = 0; k < n;) {
    const int64_t row = outer * a.per_outer + i / a.block * a.per_block;
    const bool along = a.inner == 1;
    const int64_t left = !along ? a.inner - j : a.block == 1 ? a.n - i : (a.block - i % a.block < a.n - i ? a.block - i % a.block : a.n - i);
    const int64_t run = left < n - k ? left : n - k;
    read<Q>(a, to, k, row + j * a.step, !along ? a.step : a.block == 1 ? a.per_block : 0, run);
    k += run;
    if (along) i += run;
    else if ((j += run) == a.inner) j = 0, ++i;
    if (i == a.n) i = 0, ++outer;
  }
}

bool is_one(const QuantArgs& a) { return a.per_outer == 0 && a.per_block == 0 && a.step == 0; }
// work(at, scales, n) for blocks of elements [at, at + n) of this part. Q: of the zero points.
template <class Q, class Work>
void in_blocks(const QuantArgs& a, Work work) {
  Scales s{};
  const int64_t end = a.end * a.inner;
  const bool one = is_one(a);
  if (one) read<Q>(a, s, 0, 0, 0, kBlock);
  for (int64_t at = a.begin * a.inner; at < end; at += kBlock) {
    const int64_t n = end - at < kBlock ? end - at : kBlock;
    if (!one) read_block<Q>(a, s, at, n);
    work(at, s, n);
  }
}

template <class T>
[[gnu::noinline]] void widen_block(const T* x, float* v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) v[i] = widen_f32(x[i]);
}
template <class T>
[[gnu::noinline]] void narrow_block(const float* v, T* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = narrow_f32<T>(v[i]);
}
TERN_INLINE void store_quantized(uint8_t* y, i32x16 v) { store_bytes(y, v); }
TERN_INLINE void store_quantized(int8_t* y, i32x16 v) { store_bytes(reinterpret_cast<uint8_t*>(y), v); }
template <class Q>
TERN_INLINE void store_quantized(Q* y, i32x16 v) {
  int32_t lanes[16];
  store_i32(lanes, v);
  for (int i = 0; i < 16; ++i) y[i] = static_cast<Q>(lanes[i]);
}
// lanes(i, v): what elements [i, i + 16) become, which are v.
template <class Q, class Lanes>
TERN_INLINE void quantize_lanes(const float* x, Q* y, int64_t n, Lanes lanes) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) store_quantized(y + i, lanes(i, load(x + i)));
  if (i == n) return;
  Q last[16];
  store_quantized(last, lanes(i, load_n(x + i, n - i)));
  for (int64_t k = 0; k < n - i; ++k) y[i + k] = last[k];
}
template <class Q>
[[gnu::noinline]] void quantize_block(const float* x, const Scales& s, Q* y, int64_t n) {
  quantize_lanes(x, y, n, [&](int64_t i, f32x16 v) TERN_INLINE_CALL {
    return quantized_lanes(v, load(s.scale + i), quantized_range(load_i32(s.zero + i), kLowest<Q>, kHighest<Q>));
  });
}
// One scale for all.
template <class Q>
[[gnu::noinline]] void quantize_all(const float* x, float scale, int32_t zero, Q* y, int64_t n) {
  const f32x16 step = splat(scale);
  if constexpr (sizeof(Q) == 1) {
    const ByteScale to = byte_scale(step, splat_i32(zero), kLowest<Q> < 0);
    quantize_lanes(x, y, n, [&](int64_t, f32x16 v) TERN_INLINE_CALL { return quantized_lanes(v, to); });
  } else {
    const QuantizedRange range = quantized_range(splat_i32(zero), kLowest<Q>, kHighest<Q>);
    quantize_lanes(x, y, n, [&](int64_t, f32x16 v) TERN_INLINE_CALL { return quantized_lanes(v, step, range); });
  }
}
template <class Q>
[[gnu::noinline]] void dequantize_block(const Q* x, const Scales& s, float* __restrict y, int64_t n) {
  using Wide = std::conditional_t<sizeof(Q) < 4, int32_t, int64_t>;
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(static_cast<Wide>(x[i]) - static_cast<Wide>(s.zero[i])) * s.scale[i];
}

template <class T, class Q>
void quantize_to(const QuantArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  Q* y = static_cast<Q*>(a.y);
  if constexpr (std::is_same_v<T, float>) {
    const int64_t at = a.begin * a.inner;
    const int32_t zero = a.zero_point == nullptr ? 0 : *static_cast<const Q*>(a.zero_point);
    if (is_one(a)) return quantize_all(x + at, scale_at(a.scale, a.scale_dtype, 0), zero, y + at, a.end * a.inner - at);
  }
  in_blocks<Q>(a, [=](int64_t at, const Scales& s, int64_t n) {
    if constexpr (std::is_same_v<T, float>) {
      quantize_block(x + at, s, y + at, n);
    } else {
      float v[kBlock];
      widen_block(x + at, v, n);
      quantize_block(v, s, y + at, n);
    }
  });
}
template <class T>
void quantize(const QuantArgs& a) {
  switch (a.other) {
    case DType::u8: return quantize_to<T, uint8_t>(a);
    case DType::i8: return quantize_to<T, int8_t>(a);
    case DType::u16: return quantize_to<T, uint16_t>(a);
    default: return quantize_to<T, int16_t>(a);
  }
}

template <class Q, class T>
void dequantize_to(const QuantArgs& a) {
  const Q* x = static_cast<const Q*>(a.x);
  T* y = static_cast<T*>(a.y);
  in_blocks<Q>(a, [=](int64_t at, const Scales& s, int64_t n) {
    if constexpr (std::is_same_v<T, float>) {
      dequantize_block(x + at, s, y + at, n);
    } else {
      float v[kBlock];
      dequantize_block(x + at, s, v, n);
      narrow_block(v, y + at, n);
    }
  });
}
template <class Q>
void dequantize(const QuantArgs& a) {
  if (a.other == DType::f32) return dequantize_to<Q, float>(a);
  if (a.other == DType::f16) return dequantize_to<Q, f16>(a);
  dequantize_to<Q, bf16>(a);
}

// The lowest and the highest element, and 0 between them; NaN is neither.
void dynamic_quantize(const DynamicArgs& a) {
  f32x16 lows[4] = {zero(), zero(), zero(), zero()}, highs[4] = {zero(), zero(), zero(), zero()};
  auto take = [&](int j, f32x16 x) TERN_INLINE_CALL {
    lows[j] = min_raw(x, lows[j]);
    highs[j] = max_raw(x, highs[j]);
  };
  int64_t at = 0;
  for (; at + 64 <= a.count; at += 64) unroll<4>([&](auto j) TERN_INLINE_CALL { take(j.v, load(a.x + at + 16 * j.v)); });
  for (; at < a.count; at += 16) take(0, a.count - at < 16 ? load_n(a.x + at, a.count - at) : load(a.x + at));
  const f32x16 low = min_raw(min_raw(lows[0], lows[1]), min_raw(lows[2], lows[3]));
  const f32x16 high = max_raw(max_raw(highs[0], highs[1]), max_raw(highs[2], highs[3]));
  const float lowest = -reduce_max_raw(neg(low)), scale = dynamic_scale(lowest, reduce_max_raw(high));
  const uint8_t zero_point = quantized<uint8_t>(-lowest, scale, 0);
  quantize_all(a.x, scale, zero_point, a.y, a.count);
  *a.scale = scale;
  *a.zero_point = zero_point;
}

}  // namespace

constinit const Rows<4> quantize_any = {{
    row<QuantArgs, quantize<float>>("quantize/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA),
    row<QuantArgs, quantize<f16>>("quantize/f16/" TERN_ISA_NAME, DType::f16, Isa::TERN_ISA),
    row<QuantArgs, quantize<bf16>>("quantize/bf16/" TERN_ISA_NAME, DType::bf16, Isa::TERN_ISA),
    row<QuantArgs, quantize<int32_t>>("quantize/i32/" TERN_ISA_NAME, DType::i32, Isa::TERN_ISA),
}};
constinit const Rows<5> dequantize_any = {{
    row<QuantArgs, dequantize<uint8_t>>("dequantize/u8/" TERN_ISA_NAME, DType::u8, Isa::TERN_ISA),
    row<QuantArgs, dequantize<int8_t>>("dequantize/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA),
    row<QuantArgs, dequantize<uint16_t>>("dequantize/u16/" TERN_ISA_NAME, DType::u16, Isa::TERN_ISA),
    row<QuantArgs, dequantize<int16_t>>("dequantize/i16/" TERN_ISA_NAME, DType::i16, Isa::TERN_ISA),
    row<QuantArgs, dequantize<int32_t>>("dequantize/i32/" TERN_ISA_NAME, DType::i32, Isa::TERN_ISA),
}};
constinit const KernelRow dynamic_quantize_f32 = row<DynamicArgs, dynamic_quantize>("dynamic_quantize/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
