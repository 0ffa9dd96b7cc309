// The loops of CumSum and CumProd, which the compiler vectorises (-O3, CMakeLists.txt): every line in its order. See reduce.h.
#include "kernels/apart.h"
#include "kernels/reduce/lines_device.h"
#include "kernels/reduce/reduce_portable.h"

namespace tern::TERN_ISA {
namespace {

constexpr int64_t kTogether = 256;  // lines side by side
constexpr int kChains = 8;          // lines one behind the other: as many sums hide the latency of one

template <class T, bool Product>
portable::Folded<T> next(portable::Folded<T> acc, T x) {
  return Product ? portable::times(acc, portable::widen(x)) : portable::plus(acc, portable::widen(x));
}
// Lines side by side, as many as kVectors vectors hold, whose sums stay in registers. Integers wrap.
template <class T>
using Wraps = std::conditional_t<std::is_floating_point_v<T>, std::type_identity<T>, std::make_unsigned<T>>;
constexpr int kVectorBytes = 64;
template <class T, bool Product, bool Exclusive, int kVectors>
[[gnu::noinline]] void cumulate_strip(const T* x, T* y, int64_t n, int64_t along) {
  typedef typename Wraps<T>::type Vector __attribute__((vector_size(kVectorBytes)));
  constexpr int64_t kLanes = kVectorBytes / sizeof(T);
  Vector acc[kVectors];
  for (int v = 0; v < kVectors; ++v) acc[v] = Vector{} + (Product ? 1 : 0);
  for (int64_t k = 0; k < n; ++k, x += along, y += along) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      Vector element;
      __builtin_memcpy(&element, x + v * kLanes, sizeof element);
      const Vector before = acc[v];
      acc[v] = Product ? before * element : before + element;
      __builtin_memcpy(y + v * kLanes, Exclusive ? &before : &acc[v], sizeof element);
    }
  }
}
// Lines side by side, `count` of them.
template <class T, bool Product, bool Exclusive>
void cumulate_columns(const T* x, T* y, int64_t n, int64_t along, int64_t count) {
  if constexpr (std::is_arithmetic_v<T>) {
    constexpr int64_t kLanes = kVectorBytes / sizeof(T);
    for (; count >= 4 * kLanes; count -= 4 * kLanes, x += 4 * kLanes, y += 4 * kLanes) cumulate_strip<T, Product, Exclusive, 4>(x, y, n, along);
    for (; count >= kLanes; count -= kLanes, x += kLanes, y += kLanes) cumulate_strip<T, Product, Exclusive, 1>(x, y, n, along);
    if (count == 0) return;
  }
  portable::Folded<T> acc[kTogether];
  for (int64_t j = 0; j < count; ++j) acc[j] = portable::Folded<T>(Product ? 1 : 0);
  for (int64_t k = 0; k < n; ++k, x += along, y += along) {
    TERN_APART
    for (int64_t j = 0; j < count; ++j) {
      const auto before = acc[j];
      acc[j] = next<T, Product>(before, x[j]);
      y[j] = portable::narrow<T>(Exclusive ? before : acc[j]);
    }
  }
}
// kCount lines one behind the other.
template <class T, bool Product, bool Exclusive, int kCount>
void cumulate_rows(const T* x, T* y, int64_t n, int64_t along) {
  portable::Folded<T> acc[kCount];
  for (int j = 0; j < kCount; ++j) acc[j] = portable::Folded<T>(Product ? 1 : 0);
  for (int64_t k = 0, at = 0; k < n; ++k, at += along) {
    T element[kCount];
    for (int j = 0; j < kCount; ++j) element[j] = x[j * n + at];
    for (int j = 0; j < kCount; ++j) {
      const auto before = acc[j];
      acc[j] = next<T, Product>(before, element[j]);
      y[j * n + at] = portable::narrow<T>(Exclusive ? before : acc[j]);
    }
  }
}
template <class T, bool Product, bool Exclusive>
void cumulate_all(const CumulateArgs& a) {
  const Lines& l = a.lines;
  for (int64_t line = l.begin; line < l.end;) {
    const int64_t first = l.first(line) + (a.reverse ? (l.n - 1) * l.inner : 0), along = a.reverse ? -l.inner : l.inner;
    const T* x = static_cast<const T*>(a.x) + first;
    T* y = static_cast<T*>(a.y) + first;
    if (l.inner > 1) {
      int64_t count = l.end - line < kTogether ? l.end - line : kTogether;
      if (l.inner - line % l.inner < count) count = l.inner - line % l.inner;
      cumulate_columns<T, Product, Exclusive>(x, y, l.n, along, count);
      line += count;
    } else if (l.end - line >= kChains) {
      cumulate_rows<T, Product, Exclusive, kChains>(x, y, l.n, along);
      line += kChains;
    } else {
      cumulate_rows<T, Product, Exclusive, 1>(x, y, l.n, along);
      ++line;
    }
  }
}
template <class T, bool Product>
void cumulate(const CumulateArgs& a) {
  if (a.exclusive) cumulate_all<T, Product, true>(a);
  else cumulate_all<T, Product, false>(a);
}

template <class T, bool Product>
constexpr KernelRow cumulate_row(const char* name, DType dtype) {
  return row<CumulateArgs, cumulate<T, Product>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<8> cum_sum_any = {{
    cumulate_row<float, false>("cum_sum/f32/" TERN_ISA_NAME, DType::f32),
    cumulate_row<double, false>("cum_sum/f64/" TERN_ISA_NAME, DType::f64),
    cumulate_row<f16, false>("cum_sum/f16/" TERN_ISA_NAME, DType::f16),
    cumulate_row<bf16, false>("cum_sum/bf16/" TERN_ISA_NAME, DType::bf16),
    cumulate_row<int32_t, false>("cum_sum/i32/" TERN_ISA_NAME, DType::i32),
    cumulate_row<int64_t, false>("cum_sum/i64/" TERN_ISA_NAME, DType::i64),
    cumulate_row<uint32_t, false>("cum_sum/u32/" TERN_ISA_NAME, DType::u32),
    cumulate_row<uint64_t, false>("cum_sum/u64/" TERN_ISA_NAME, DType::u64),
}};
constinit const Rows<8> cum_prod_any = {{
    cumulate_row<float, true>("cum_prod/f32/" TERN_ISA_NAME, DType::f32),
    cumulate_row<double, true>("cum_prod/f64/" TERN_ISA_NAME, DType::f64),
    cumulate_row<f16, true>("cum_prod/f16/" TERN_ISA_NAME, DType::f16),
    cumulate_row<bf16, true>("cum_prod/bf16/" TERN_ISA_NAME, DType::bf16),
    cumulate_row<int32_t, true>("cum_prod/i32/" TERN_ISA_NAME, DType::i32),
    cumulate_row<int64_t, true>("cum_prod/i64/" TERN_ISA_NAME, DType::i64),
    cumulate_row<uint32_t, true>("cum_prod/u32/" TERN_ISA_NAME, DType::u32),
    cumulate_row<uint64_t, true>("cum_prod/u64/" TERN_ISA_NAME, DType::u64),
}};

}  // namespace tern::TERN_ISA
