// See portable.h.
#include "kernels/conv/portable.h"

#include <cmath>
#include <type_traits>

#include "runtime/base/half.h"

namespace tern {
namespace {

struct PortableConvArgs {
  const void *x, *w, *bias;
  void* y;
  ConvProblem problem;
  int64_t begin, end;  // (image, output channel) pairs
};

template <class T>
using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <class T>
Sum<T> widen(T v) {
  if constexpr (std::is_same_v<T, double>) return v;
  else return to_f32(v);
}
template <class T>
T narrow(Sum<T> v) {
  if constexpr (std::is_same_v<T, double>) return v;
  else if constexpr (std::is_same_v<T, f16>) return to_f16(v);
  else return to_bf16(v);
}

// The element of x under tap t of output pixel o; 0 in the padding and between spread elements.
template <class T>
Sum<T> under(const T* plane, const ConvProblem& p, const Extent3& o, const Extent3& t) {
  int64_t at = 0;
  for (size_t i = 0; i < 3; ++i) {
    const Window& w = p.window;
    const int64_t j = o[i] * w.stride[i] + t[i] * w.dilation[i] - w.begin[i];
    if (j < 0 || j % p.spread[i] != 0 || j / p.spread[i] >= w.in[i]) return 0;
    at = at * w.in[i] + j / p.spread[i];
  }
  return widen(plane[at]);
}

template <class T>
Sum<T> pixel(const T* x, const T* w, Sum<T> sum, const ConvProblem& p, const Extent3& o) {
  const Extent3& k = p.window.kernel;
  const int64_t taps = p.window.taps(), plane = p.window.in[0] * p.window.in[1] * p.window.in[2], step = p.ics < 16 ? 1 : 16;
  for (int64_t ic0 = 0; ic0 < p.ics; ic0 += step) {
    for (int64_t t = 0; t < taps; ++t) {
      const Extent3 tap{t / (k[1] * k[2]), t / k[2] % k[1], t % k[2]};
      for (int64_t ic = ic0; ic < std::min(p.ics, ic0 + step); ++ic) {
        sum = std::fma(under(x + ic * plane, p, o, tap), widen(w[ic * p.w_ic + (p.mirrored ? taps - 1 - t : t)]), sum);
      }
    }
  }
  return sum;
}

template <class T>
void portable_conv(const PortableConvArgs& a) {
  const ConvProblem& p = a.problem;
  const Window& w = p.window;
  const int64_t channels = p.groups * p.ocs, plane = w.in[0] * w.in[1] * w.in[2], pixels = w.out[0] * w.out[1] * w.out[2];
  for (int64_t i = a.begin; i < a.end; ++i) {
    const int64_t image = i / channels, oc = i % channels, group = oc / p.ocs;
    const T* x = static_cast<const T*>(a.x) + (image * p.groups + group) * p.ics * plane;
    const T* weight = static_cast<const T*>(a.w) + group * p.w_group + oc % p.ocs * p.w_oc;
    const Sum<T> bias = a.bias == nullptr ? 0 : widen(static_cast<const T*>(a.bias)[oc]);
    T* y = static_cast<T*>(a.y) + i * pixels;
    for (int64_t o = 0; o < pixels; ++o) {
      y[o] = narrow<T>(pixel<T>(x, weight, bias, p, {o / (w.out[1] * w.out[2]), o / w.out[2] % w.out[1], o % w.out[2]}));
    }
  }
}

}  // namespace

constinit const KernelRow kPortableConv[] = {
    row<PortableConvArgs, portable_conv<double>>("conv/f64/scalar", DType::f64, Isa::scalar),
    row<PortableConvArgs, portable_conv<f16>>("conv/f16/scalar", DType::f16, Isa::scalar),
    row<PortableConvArgs, portable_conv<bf16>>("conv/bf16/scalar", DType::bf16, Isa::scalar),
};

Status bind_portable_conv(BindContext& c, const ConvProblem& problem) {
  if (c.isa == Isa::cuda) return bind_portable_device_conv(c, problem);
  const KernelRow* kernel = c.pick(c.in(0).dtype);
  if (kernel == nullptr) return bad_dtype(c.in(0).dtype);
  const auto [begin, end] = c.range(c.out(0).dims[0] * problem.groups * problem.ocs);
  if (begin == end) return {};
  PortableConvArgs& a = c.args(PortableConvArgs{nullptr, nullptr, nullptr, nullptr, problem, begin, end});
  c.set(a.x, c.input(0));
  c.set(a.w, c.input(1));
  c.set(a.bias, c.input(2));
  c.set(a.y, c.output(0));
  c.run(*kernel);
  return {};
}

}  // namespace tern
