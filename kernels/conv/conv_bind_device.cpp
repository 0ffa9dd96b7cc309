// From the shape of a convolution to what a device's kernels are given. See launch.h; beside it: conv_bind.cpp.
#include "kernels/conv/conv_bind.h"
#include "kernels/conv/tensor.h"
#include "kernels/gemm/tensor.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

struct Term {
  int64_t channel, tap;
};
// The k-th of a group's terms, in the order of conv.h.
Term term(int64_t k, int64_t channels, int64_t taps) {
  if (channels < kBlock) return {k / taps, k % taps};
  const int64_t block = k / (kBlock * taps), n = std::min(kBlock, channels - block * kBlock), rest = k - block * kBlock * taps;
  return {block * kBlock + rest % n, rest / n};
}

// Extents and steps are 32 bits wide in the kernels.
Status check_extents(const ConvProblem& p, int64_t& terms) {
  constexpr int64_t kMost = int64_t(1) << 30;
  const Window& w = p.window;
  const auto of_x = checked_count(std::array<int64_t, 4>{p.ics, w.in[0], w.in[1], w.in[2]});
  const auto of_y = checked_count(std::array<int64_t, 4>{p.ocs, w.out[0], w.out[1], w.out[2]});
  const auto k = checked_mul(p.ics, w.taps());
  bool fits = of_x && *of_x <= kMost && of_y && *of_y <= kMost && k && *k <= kMost && p.groups <= kMost;
  for (size_t i = 0; i < 3; ++i) {
    const int64_t swept = (w.out[i] - 1) * w.stride[i] + (w.kernel[i] - 1) * w.dilation[i];
    fits = fits && swept <= kMost && w.begin[i] <= kMost && w.begin[i] >= -kMost;
  }
  if (!fits) return unsupported("a convolution of more than 2^30 elements an image is not supported on a device");
  terms = *k;
  return {};
}

template <class T>
void copy(const Extent3& from, T (&to)[3]) {
  for (size_t i = 0; i < 3; ++i) to[i] = static_cast<T>(from[i]);
}

// All of `a` but its weights.
Status bind_rest(BindContext& c, const ConvProblem& p, int64_t terms, cuda::ConvArgs& a) {
  const Window& w = p.window;
  const int64_t taps = w.taps(), plane = w.in[0] * w.in[1] * w.in[2];
  a.pixels = static_cast<int32_t>(w.out[0] * w.out[1] * w.out[2]);
  a.columns = c.out(0).dims[0] * a.pixels;
  a.k = static_cast<int32_t>(terms);
  a.ocs = static_cast<int32_t>(p.ocs);
  a.groups = static_cast<int32_t>(p.groups);
  a.x_group = p.ics * plane;
  a.x_image = p.groups * a.x_group;
  a.y_image = p.groups * p.ocs * a.pixels;
  a.mirrored = p.mirrored;
  copy(w.in, a.in);
  copy(w.out, a.out);
  copy(w.stride, a.stride);
  copy(w.begin, a.begin);
  copy(p.spread, a.spread);
  const bool spread = p.spread != Extent3{1, 1, 1};
  c.set(a.tap, c.table<cuda::ConvTap>(terms, [&](cuda::ConvTap* to) {
    for (int64_t k = 0; k < terms; ++k) {
      const Term t = term(k, p.ics, taps);
      const int64_t at[3] = {t.tap / (w.kernel[1] * w.kernel[2]) * w.dilation[0], t.tap / w.kernel[2] % w.kernel[1] * w.dilation[1],
                             t.tap % w.kernel[2] * w.dilation[2]};
      const int64_t offset = t.channel * plane + (spread ? 0 : (at[0] * w.in[1] + at[1]) * w.in[2] + at[2]);
      to[k] = {static_cast<int32_t>(offset), {static_cast<int32_t>(at[0]), static_cast<int32_t>(at[1]), static_cast<int32_t>(at[2])}};
    }
  }));
  c.set(a.x, c.input<const float>(0));
  c.set(a.bias, c.input<const float>(2));
  c.set(a.y, c.output<float>(0));
  set_epilogue(c, kConvEpilogue, a);
  return {};
}

// Where the weight of term k lies, from those of its group and output channel.
auto weight_at(const ConvProblem& p) {
  return [ics = p.ics, w_ic = p.w_ic, mirrored = p.mirrored, taps = p.window.taps()](int64_t k) {
    const Term t = term(k, ics, taps);
    return t.channel * w_ic + (mirrored ? taps - 1 - t.tap : t.tap);
  };
}
std::string tag_of(const char* form, const ConvProblem& p) {
  std::string tag = form;
  for (int64_t n : {p.groups, p.ocs, p.ics, p.window.taps(), p.w_oc, p.w_ic, int64_t(p.mirrored)}) tag += "," + std::to_string(n);
  return tag;
}

// For its tensor cores: constant weights, rounded, in rows of whole stages.
Status bind_tensor_conv(BindContext& c, const ConvProblem& p, int64_t terms) {
  const Precision precision = c.products.precision;
  cuda::ConvTensorArgs& a = c.args<cuda::ConvTensorArgs>();
  if (Status s = bind_rest(c, p, terms, a.conv); !s) return s;
  const int64_t size = cuda::factor_bytes(precision), row = round_up(terms, cuda::kStageBytes / size);
  const auto bytes = checked_count(std::array<int64_t, 4>{p.groups, p.ocs, row, size});
  if (!bytes) return unsupported("rounded weights of more than 2^63 bytes");
  a.row_bytes = row * size;
  a.group_bytes = p.ocs * a.row_bytes;
  c.set(a.w, c.packed<std::byte, float>(
                 1, tag_of(cuda::conv_tensor_row(precision).name, p), std::max<int64_t>(1, *bytes),
                 [=, at = weight_at(p), groups = p.groups, ocs = p.ocs, w_group = p.w_group, w_oc = p.w_oc](const float* from, std::byte* to) {
                   std::vector<float> weights(static_cast<size_t>(terms));  // of an output channel, in the order of terms
                   const cuda::RoundArgs one{nullptr, nullptr, 1, 1, terms, row, 0, 0, 1, 1};
                   for (int64_t i = 0; i < groups * ocs; ++i) {
                     const float* first = from + i / ocs * w_group + i % ocs * w_oc;
                     for (int64_t k = 0; k < terms; ++k) weights[static_cast<size_t>(k)] = first[at(k)];
                     cuda::round_on_host(precision, one, weights.data(), to + i * row * size);
                   }
                 }));
  c.run(cuda::conv_tensor_row(precision));
  return {};
}

}  // namespace

Status bind_device_conv(BindContext& c, const ConvProblem& p) {
  int64_t terms = 0;
  if (Status s = check_extents(p, terms); !s) return s;
  const bool depthwise = p.groups > 1 && p.ics == 1 && p.ocs == 1;
  if (c.products.precision != Precision::f32 && c.in(1).constant && !depthwise) return bind_tensor_conv(c, p, terms);
  cuda::ConvStep& step = c.args<cuda::ConvStep>();
  cuda::ConvArgs& a = step.conv;
  if (Status s = bind_rest(c, p, terms, a); !s) return s;
  step.depthwise = depthwise;
  if (step.depthwise) {
    a.w_row = static_cast<int32_t>(p.window.taps());
    c.set(a.w, c.input<const float>(1));
  } else {
    const int64_t row = round_up(p.ocs, 4);
    a.w_row = static_cast<int32_t>(row);
    a.w_group = terms * row;
    const auto floats = checked_mul(p.groups, checked_mul(terms, row).value_or(INT64_MAX));
    if (!floats) return unsupported("packed weights of more than 2^63 bytes");
    const auto at = weight_at(p);
    if (c.in(1).constant) {
      c.set(a.w, c.packed<float>(1, tag_of("conv/rows", p), std::max<int64_t>(*floats, 1),
                                 [=, groups = p.groups, ocs = p.ocs, w_group = p.w_group, w_oc = p.w_oc](const float* from, float* to) {
                                   for (int64_t g = 0; g < groups; ++g) {
                                     for (int64_t k = 0; k < terms; ++k, to += row) {
                                       const float* first = from + g * w_group + at(k);
                                       for (int64_t oc = 0; oc < ocs; ++oc) to[oc] = first[oc * w_oc];
                                     }
                                   }
                                 }));
    } else {
      const auto rows = c.workspace<float>(std::max<int64_t>(*floats, 1));
      cuda::ConvArrangeArgs& r = step.arrange;
      r = {nullptr, nullptr, nullptr, p.w_group, p.w_oc, p.groups * terms, a.k, a.ocs, a.w_row};
      c.set(r.from, c.input<const float>(1));
      c.set(r.to, rows);
      c.set(a.w, rows);
      c.set(r.at, c.table<int64_t>(terms, [&](int64_t* to) {
        for (int64_t k = 0; k < terms; ++k) to[k] = at(k);
      }));
    }
  }
  c.run(cuda::conv_f32);
  return {};
}

Status bind_portable_device_conv(BindContext& c, const ConvProblem& p) {
  const KernelRow* kernel = c.pick(c.in(0).dtype);
  if (kernel == nullptr) return bad_dtype(c.in(0).dtype);
  cuda::PortableConvStep& a = c.args<cuda::PortableConvStep>();
  a.images = c.out(0).dims[0];
  a.groups = p.groups;
  a.ics = p.ics;
  a.ocs = p.ocs;
  a.w_group = p.w_group;
  a.w_oc = p.w_oc;
  a.w_ic = p.w_ic;
  a.mirrored = p.mirrored;
  copy(p.window.in, a.in);
  copy(p.window.out, a.out);
  copy(p.window.kernel, a.kernel);
  copy(p.window.stride, a.stride);
  copy(p.window.dilation, a.dilation);
  copy(p.window.begin, a.begin);
  copy(p.spread, a.spread);
  c.set(a.x, c.input(0));
  c.set(a.w, c.input(1));
  c.set(a.bias, c.input(2));
  c.set(a.y, c.output(0));
  c.run(*kernel);
  return {};
}

}  // namespace tern
