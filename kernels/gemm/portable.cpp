// The product in plain C++, sixteen columns at a time, k ascending: f64, f16 and bf16 (sums in f32), and wrapping integers.
#include <algorithm>
#include <type_traits>

#include "kernels/elementwise/convert.h"
#include "kernels/gemm/gemm.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

// The type that products and sums have: unsigned for integers, because it wraps.
template <class T>
struct SumOf {
  using type = float;
};
template <>
struct SumOf<double> {
  using type = double;
};
template <class T>
requires std::is_integral_v<T>
struct SumOf<T> {
  using type = std::make_unsigned_t<T>;
};

template <class T>
typename SumOf<T>::type to_sum(T v) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) {
    return to_f32(v);
  } else {
    return static_cast<typename SumOf<T>::type>(v);
  }
}
template <class T>
T from_sum(typename SumOf<T>::type v) {
  if constexpr (std::is_same_v<T, f16>) {
    return to_f16(v);
  } else if constexpr (std::is_same_v<T, bf16>) {
    return to_bf16(v);
  } else {
    return static_cast<T>(v);
  }
}
// alpha and beta are floats. When both are whole numbers the integers that they multiply stay exact, and wrap.
template <class S>
S factor(float f) {
  if constexpr (std::is_floating_point_v<S>) {
    return static_cast<S>(f);
  } else {
    return static_cast<S>(static_cast<int64_t>(f));
  }
}
bool whole(float f) { return f > -9.2e18f && f < 9.2e18f && static_cast<float>(static_cast<int64_t>(f)) == f; }
// alpha * sum + beta * c of integers, in double and truncated.
template <class T, class S>
T scaled(const PortableGemmArgs& g, S sum, const T* c) {
  const double v = static_cast<double>(g.alpha) * static_cast<double>(static_cast<T>(sum));
  return convert<T>(c != nullptr ? v + static_cast<double>(g.beta) * static_cast<double>(*c) : v);
}

template <class T>
void gemm(const PortableGemmArgs& g) {
  using S = typename SumOf<T>::type;
  const bool fraction = std::is_integral_v<T> && !(whole(g.alpha) && whole(g.beta));
  const S alpha = fraction ? S(1) : factor<S>(g.alpha), beta = fraction ? S(0) : factor<S>(g.beta);
  for (int64_t row = g.row_begin; row < g.row_end; ++row) {
    const BatchOffset at = g.batch[row / g.m];
    const int64_t r = row % g.m;
    const T* a = static_cast<const T*>(g.a) + at.x + r * g.a_row;
    const T* b = static_cast<const T*>(g.b) + at.w;
    const int64_t out = at.y + r * g.n;
    for (int64_t begin = 0; begin < g.n; begin += 16) {
      const int64_t columns = std::min<int64_t>(16, g.n - begin);
      S sum[16] = {};
      for (int64_t k = 0; k < g.k; ++k) {
        const S x = to_sum(a[k * g.a_k]);
        const T* w = b + k * g.b_k + begin * g.b_column;
        for (int64_t j = 0; j < columns; ++j) sum[j] = static_cast<S>(sum[j] + x * to_sum(w[j * g.b_column]));
      }
      for (int64_t j = 0; j < columns; ++j) {
        const int64_t column = begin + j;
        const T* c = g.c == nullptr ? nullptr : static_cast<const T*>(g.c) + r * g.c_row + column * g.c_column;
        if constexpr (std::is_integral_v<T>) {
          if (fraction) {
            static_cast<T*>(g.y)[out + column] = scaled<T>(g, sum[j], c);
            continue;
          }
        }
        S v = static_cast<S>(alpha * sum[j]);
        if (c != nullptr) v = static_cast<S>(v + beta * to_sum(*c));
        if (g.residual != nullptr) v = static_cast<S>(v + to_sum(static_cast<const T*>(g.residual)[out + column]));
        if constexpr (std::is_floating_point_v<S>) {
          if (g.relu) v = S(0) > v ? S(0) : v;
        }
        static_cast<T*>(g.y)[out + column] = from_sum<T>(v);
      }
    }
  }
}

template <class T>
constexpr KernelRow gemm_row(const char* name) {
  return row<PortableGemmArgs, gemm<T>>(name, dtype_of<T>(), Isa::scalar);
}

}  // namespace

constinit const KernelRow portable::kGemm[] = {
    gemm_row<double>("gemm/f64/scalar"),   gemm_row<f16>("gemm/f16/scalar"),     gemm_row<bf16>("gemm/bf16/scalar"),
    gemm_row<int32_t>("gemm/i32/scalar"),  gemm_row<int64_t>("gemm/i64/scalar"), gemm_row<uint32_t>("gemm/u32/scalar"),
    gemm_row<uint64_t>("gemm/u64/scalar"),
};

}  // namespace tern
