// See window.h.
#include "kernels/conv/window.h"

#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr int64_t kMostTaps = int64_t(1) << 20;    // of any number here: products of three stay below overflow
constexpr int64_t kMostExtent = int64_t(1) << 40;  // of an axis of x

Status read(const AttrReader& attrs, const char* name, int spatial, size_t length, int64_t least, std::vector<int64_t>& to) {
  to = attrs.ints(name);
  if (to.empty()) return {};
  if (to.size() != length) {
    return invalid(std::string(name) + " has " + std::to_string(to.size()) + " entries, expected " + std::to_string(length) + " for " +
                   std::to_string(spatial) + " spatial axes");
  }
  for (int64_t v : to) {
    if (v < least || v > kMostTaps) return invalid(std::string(name) + " holds " + std::to_string(v) + ", which is out of range");
  }
  return {};
}

bool same(const std::string& auto_pad) { return auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER"; }

}  // namespace

Result<Window> read_window(const AttrReader& attrs, int spatial, std::span<const int64_t> kernel) {
  if (spatial < 1 || spatial > 3) return unsupported("works on 1 to 3 spatial axes, not " + std::to_string(spatial));
  const size_t n = static_cast<size_t>(spatial);
  std::vector<int64_t> shape, strides, dilations, pads;
  if (Status s = read(attrs, "kernel_shape", spatial, n, 1, shape); !s) return s.error();
  if (Status s = read(attrs, "strides", spatial, n, 1, strides); !s) return s.error();
  if (Status s = read(attrs, "dilations", spatial, n, 1, dilations); !s) return s.error();
  if (Status s = read(attrs, "pads", spatial, 2 * n, 0, pads); !s) return s.error();
  const std::string auto_pad = attrs.s("auto_pad");
  if (auto_pad != "NOTSET" && auto_pad != "VALID" && !same(auto_pad)) return invalid("auto_pad is " + auto_pad);
  if (!kernel.empty()) {
    if (!shape.empty() && !std::equal(shape.begin(), shape.end(), kernel.begin(), kernel.end()))
      return invalid("kernel_shape differs from the shape of W");
    shape.assign(kernel.begin(), kernel.end());
  }
  if (shape.size() != n) return invalid("kernel_shape is missing");
  Window w;
  w.spatial = spatial;
  for (size_t i = 0; i < n; ++i) {
    const size_t a = 3 - n + i;
    if (shape[i] < 1 || shape[i] > kMostTaps) return invalid("the kernel has an extent of " + std::to_string(shape[i]));
    w.kernel[a] = shape[i];
    if (!strides.empty()) w.stride[a] = strides[i];
    if (!dilations.empty()) w.dilation[a] = dilations[i];
    if (!pads.empty() && auto_pad == "NOTSET") {
      w.begin[a] = pads[i];
      w.end[a] = pads[n + i];
    }
  }
  return w;
}

namespace {

Result<int64_t> fit_axis(Window& w, const std::string& auto_pad, size_t a, int64_t in) {
  const int64_t reach = (w.kernel[a] - 1) * w.dilation[a] + 1;
  if (in < 0 || in > kMostExtent) return invalid("an axis of " + std::to_string(in) + " elements");
  if (same(auto_pad)) {
    const int64_t out = ceil_div(in, w.stride[a]);
    const int64_t total = std::max<int64_t>(0, (out - 1) * w.stride[a] + reach - in);
    w.begin[a] = auto_pad == "SAME_LOWER" ? total - total / 2 : total / 2;
    w.end[a] = total - w.begin[a];
    return out;
  }
  const int64_t room = in + w.begin[a] + w.end[a] - reach;
  if (room < 0) {
    return invalid("a window of " + std::to_string(reach) + " does not fit into an extent of " + std::to_string(in) + " padded by " +
                   std::to_string(w.begin[a]) + " and " + std::to_string(w.end[a]));
  }
  int64_t out = room / w.stride[a] + 1;
  if (w.ceil_mode && room % w.stride[a] != 0 && out * w.stride[a] < in + w.begin[a]) ++out;  // never a window wholly in the padding
  return out;
}

}  // namespace

Status fit_window(Window& w, const AttrReader& attrs, std::span<const int64_t> in) {
  const std::string auto_pad = attrs.s("auto_pad");
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t a = 3 - in.size() + i;
    w.in[a] = in[i];
    auto out = fit_axis(w, auto_pad, a, in[i]);
    if (!out) return out.error();
    w.out[a] = *out;
  }
  return {};
}

Result<Dim> window_out(const Window& w, const AttrReader& attrs, int axis, const Dim& in, InferContext& c) {
  const std::string auto_pad = attrs.s("auto_pad");
  const size_t a = static_cast<size_t>(3 - w.spatial + axis);
  if (in.known()) {
    Window copy = w;
    auto out = fit_axis(copy, auto_pad, a, in.value());
    if (!out) return out.error();
    return Dim(*out);
  }
  if (w.stride[a] != 1) return c.fresh();
  if (same(auto_pad)) return in;
  const int64_t grow = w.begin[a] + w.end[a] - (w.kernel[a] - 1) * w.dilation[a];
  auto out = add(in, Dim(grow));
  return out ? *out : c.fresh();
}

}  // namespace tern
