// See portable.h.
#include "kernels/pool/portable.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/choose.h"
#include "kernels/portable_row.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

template <class T>
constexpr bool kHalf = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;
template <class T>
using Wide = std::conditional_t<kHalf<T>, float, T>;

template <class T>
Wide<T> widen(T v) {
  if constexpr (kHalf<T>) return to_f32(v);
  else return v;
}
template <class T>
T narrow(Wide<T> v) {
  if constexpr (std::is_same_v<T, f16>) return to_f16(v);
  else if constexpr (std::is_same_v<T, bf16>) return to_bf16(v);
  else return v;
}
template <class W>
W lowest() {
  if constexpr (std::is_floating_point_v<W>) return -std::numeric_limits<W>::infinity();
  else return std::numeric_limits<W>::lowest();
}
template <class W>
bool takes_over(W x, W v) {
  return (x > v) | (x != x);
}

template <class W>
W raised(W x, int64_t p) {
  const W magnitude = choose(x < 0, static_cast<W>(-x), x);
  return p == 1 ? magnitude : p == 2 ? x * x : static_cast<W>(std::pow(static_cast<double>(magnitude), static_cast<double>(p)));
}
template <class W>
W root(W sum, int64_t p) {
  return p == 1 ? sum : p == 2 ? std::sqrt(sum) : static_cast<W>(std::pow(static_cast<double>(sum), 1.0 / static_cast<double>(p)));
}

// The taps [first, last) of one axis that fall inside x, and how many fall inside the padded x.
struct Taps {
  int64_t first, last, padded, at;
};
Taps taps(const Window& w, size_t axis, int64_t o) {
  Taps t{0, 0, 0, o * w.stride[axis] - w.begin[axis]};
  const int64_t d = w.dilation[axis];
  auto below = [&](int64_t limit) { return limit <= t.at ? int64_t(0) : std::min(w.kernel[axis], (limit - t.at + d - 1) / d); };
  t.last = below(w.in[axis]);
  t.padded = below(w.in[axis] + w.end[axis]);
  t.first = std::min(t.last, t.at < 0 ? (-t.at + d - 1) / d : 0);
  return t;
}

// f(element, position in the plane) for every tap inside x, in order.
template <class T, class F>
void each_tap(const Window& w, const T* plane, const Taps& d, const Taps& h, const Taps& k, F f) {
  if (h.first >= h.last || k.first >= k.last) return;  // the other axes may be of any extent
  for (int64_t z = d.first; z < d.last; ++z) {
    for (int64_t y = h.first; y < h.last; ++y) {
      const int64_t row = ((d.at + z * w.dilation[0]) * w.in[1] + h.at + y * w.dilation[1]) * w.in[2] + k.at;
      for (int64_t i = k.first; i < k.last; ++i) f(widen(plane[row + i * w.dilation[2]]), row + i * w.dilation[2]);
    }
  }
}

int64_t column_major(const Window& w, int64_t at) {
  const int64_t x = at % w.in[2], y = at / w.in[2] % w.in[1], z = at / (w.in[2] * w.in[1]);
  return z + w.in[0] * (y + w.in[1] * x);
}

// One output of MaxPool; position -1 when no tap falls inside x.
template <class T>
struct Best {
  Wide<T> v = lowest<Wide<T>>();
  int64_t position = -1;
};
template <class T>
Best<T> best_of(const Window& w, const T* plane, const Taps& d, const Taps& h, const Taps& k) {
  Best<T> best;
  each_tap(w, plane, d, h, k, [&](Wide<T> x, int64_t position) {
    const bool take = takes_over(x, best.v) | (best.position < 0);
    best = {choose(take, x, best.v), choose(take, position, best.position)};
  });
  return best;
}

template <class T, PoolKind kKind>
T mean_or_norm(const PoolArgs& a, const T* plane, const Taps& d, const Taps& h, const Taps& k) {
  Wide<T> sum = 0;
  if constexpr (kKind == PoolKind::norm) {
    each_tap(a.window, plane, d, h, k, [&](Wide<T> x, int64_t) { sum += raised(x, a.p); });
    return narrow<T>(root(sum, a.p));
  }
  each_tap(a.window, plane, d, h, k, [&](Wide<T> x, int64_t) { sum += x; });
  const int64_t n = a.include_pad ? d.padded * h.padded * k.padded : (d.last - d.first) * (h.last - h.first) * (k.last - k.first);
  return narrow<T>(sum / static_cast<Wide<T>>(n));
}

template <class T, PoolKind kKind>
void pool_plane(const PoolArgs& a, const T* plane, int64_t plane_index, T* y, int64_t* indices) {
  const Window& w = a.window;
  int64_t at = 0;
  for (int64_t oz = 0; oz < w.out[0]; ++oz) {
    const Taps d = taps(w, 0, oz);
    for (int64_t oy = 0; oy < w.out[1]; ++oy) {
      const Taps h = taps(w, 1, oy);
      for (int64_t ox = 0; ox < w.out[2]; ++ox, ++at) {
        const Taps k = taps(w, 2, ox);
        if constexpr (kKind != PoolKind::max) {
          y[at] = mean_or_norm<T, kKind>(a, plane, d, h, k);
        } else {
          const Best<T> best = best_of(w, plane, d, h, k);
          y[at] = narrow<T>(best.v);
          if (indices == nullptr) continue;
          const int64_t position = best.position < 0 ? 0 : best.position;
          indices[at] = plane_index * w.in[0] * w.in[1] * w.in[2] + (a.column_major ? column_major(w, position) : position);
        }
      }
    }
  }
}

template <class T, PoolKind kKind>
T global(const PoolArgs& a, const T* plane) {
  const int64_t cols = a.window.in[2], rows = cols == 0 ? 0 : a.window.in[0] * a.window.in[1];
  Wide<T> total = kKind == PoolKind::global_max ? lowest<Wide<T>>() : Wide<T>(0);
  for (int64_t r = 0; r < rows; ++r, plane += cols) {
    [[maybe_unused]] Wide<T> sum = 0;
    for (int64_t i = 0; i < cols; ++i) {
      const Wide<T> x = widen(plane[i]);
      if constexpr (kKind == PoolKind::global_max) total = choose(takes_over(x, total), x, total);
      else if constexpr (kKind == PoolKind::global_mean) sum += x;
      else sum += raised(x, a.p);
    }
    if constexpr (kKind != PoolKind::global_max) total += sum;
  }
  if constexpr (kKind == PoolKind::global_mean) total /= static_cast<Wide<T>>(rows * cols);
  if constexpr (kKind == PoolKind::global_norm) total = root(total, a.p);
  return narrow<T>(total);
}

template <class T, PoolKind kKind>
void pool(const PoolArgs& a) {
  const Window& w = a.window;
  const int64_t in = w.in[0] * w.in[1] * w.in[2], out = w.out[0] * w.out[1] * w.out[2];
  for (int64_t i = a.begin; i < a.end; ++i) {
    const T* x = static_cast<const T*>(a.x) + i * in;
    T* y = static_cast<T*>(a.y) + i * out;
    if constexpr (kKind >= PoolKind::global_max) *y = global<T, kKind>(a, x);
    else pool_plane<T, kKind>(a, x, i, y, a.indices == nullptr ? nullptr : a.indices + i * out);
  }
}

template <Text kName, PoolKind kKind, class... T>
constexpr std::array<KernelRow, sizeof...(T)> pool_rows(Types<T...>) {
  return {portable_row<kName, T, PoolArgs, pool<T, kKind>>()...};
}
using MaxTypes = Types<float, double, f16, bf16, int8_t, uint8_t>;

}  // namespace

constinit const std::array<KernelRow, 6> portable::kMaxPool = pool_rows<"max_pool", PoolKind::max>(MaxTypes());
constinit const std::array<KernelRow, 4> portable::kAveragePool = pool_rows<"average_pool", PoolKind::mean>(Floats());
constinit const std::array<KernelRow, 4> portable::kLpPool = pool_rows<"lp_pool", PoolKind::norm>(Floats());
constinit const std::array<KernelRow, 6> portable::kGlobalMaxPool = pool_rows<"global_max_pool", PoolKind::global_max>(MaxTypes());
constinit const std::array<KernelRow, 4> portable::kGlobalAveragePool = pool_rows<"global_average_pool", PoolKind::global_mean>(Floats());
constinit const std::array<KernelRow, 4> portable::kGlobalLpPool = pool_rows<"global_lp_pool", PoolKind::global_norm>(Floats());

}  // namespace tern
