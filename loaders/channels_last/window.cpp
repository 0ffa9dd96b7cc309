// See window.h.
#include "loaders/channels_last/window.h"

#include <algorithm>

namespace tern::channels_last {
namespace {

constexpr int64_t kMostSize = int64_t(1) << 20;  // of any number: products of two stay far from overflow

bool read(GraphBuilder& b, const char* what, size_t spatial, int64_t least, std::vector<int64_t>& list) {
  if (list.size() != spatial) {
    b.fail(invalid(std::string(what) + " has " + std::to_string(list.size()) + " numbers for " + std::to_string(spatial) + " spatial axes"));
    return false;
  }
  for (int64_t n : list) {
    if (n >= least && n <= kMostSize) continue;
    b.fail(invalid(std::string(what) + " holds " + std::to_string(n) + ", which is out of range"));
    return false;
  }
  return true;
}

}  // namespace

std::optional<Axes> axes_of(GraphBuilder& b, const Window& window, std::vector<int64_t> kernel) {
  const size_t spatial = kernel.size();
  Axes axes{std::move(kernel), window.strides, window.dilations};
  if (axes.strides.empty()) axes.strides.assign(spatial, 1);
  if (axes.dilations.empty()) axes.dilations.assign(spatial, 1);
  if (!b.ok() || !read(b, "the kernel's shape", spatial, 1, axes.kernel) || !read(b, "strides", spatial, 1, axes.strides) ||
      !read(b, "dilations", spatial, 1, axes.dilations)) {
    return std::nullopt;
  }
  if (window.padding == Window::Padding::given) {
    std::vector<int64_t> pads = window.pads;
    if (!read(b, "padding", 2 * spatial, 0, pads)) return std::nullopt;
  }
  return axes;
}

std::optional<Axes> filter_axes(GraphBuilder& b, const Window& window, ValueId x, ValueId filter) {
  const int rank = b.rank(x);
  if (!b.ok() || b.rank(filter) != rank || rank < 3) {
    if (b.ok()) b.fail(invalid("the input is " + b.shape(x).text() + " and the kernel " + b.shape(filter).text() + ", which do not fit each other"));
    return std::nullopt;
  }
  if (!b.shape(filter).known()) {
    b.fail(unsupported("a convolution whose kernel's shape is not known when the model is loaded"));
    return std::nullopt;
  }
  std::vector<int64_t> kernel;
  for (int i = 0; i < rank - 2; ++i) kernel.push_back(b.shape(filter)[i].value());
  return axes_of(b, window, std::move(kernel));
}

Attributes window_attributes(const Window& window, const Axes& axes) {
  Attributes attrs = attributes({{"strides", axes.strides}, {"dilations", axes.dilations}});
  const size_t n = axes.kernel.size();
  switch (window.padding) {
    case Window::Padding::valid: break;
    case Window::Padding::same:
      // Where it does not depend on the input's size it is told in numbers: onnxruntime takes no dilations otherwise.
      if (std::all_of(axes.strides.begin(), axes.strides.end(), [](int64_t s) { return s == 1; })) {
        std::vector<int64_t> pads(2 * n, 0);
        for (size_t i = 0; i < n; ++i) {
          pads[i] = (axes.reach(i) - 1) / 2;
          pads[n + i] = axes.reach(i) - 1 - pads[i];
        }
        attrs.set("pads", pads);
      } else {
        attrs.set("auto_pad", std::string("SAME_UPPER"));
      }
      break;
    case Window::Padding::given: attrs.set("pads", window.pads); break;
    case Window::Padding::causal: {
      std::vector<int64_t> pads(2 * n, 0);
      for (size_t i = 0; i < n; ++i) pads[i] = axes.reach(i) - 1;
      attrs.set("pads", pads);
      break;
    }
  }
  return attrs;
}

}  // namespace tern::channels_last
