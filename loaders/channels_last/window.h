// A Window, checked and as attributes of Conv, ConvTranspose and pools. Next: window.cpp.
#pragma once
#include <optional>

#include "loaders/channels_last/channels_last.h"

namespace tern::channels_last {

struct Axes {
  std::vector<int64_t> kernel, strides, dilations;  // as many as there are spatial axes
  int64_t reach(size_t i) const { return (kernel[i] - 1) * dilations[i] + 1; }
};
// With ones where the window has nothing. nullopt, and the builder has failed: a list of another length, a number below 1 or above 2^20.
std::optional<Axes> axes_of(GraphBuilder& b, const Window& window, std::vector<int64_t> kernel);
// strides, dilations, and pads or auto_pad.
Attributes window_attributes(const Window& window, const Axes& axes);
// The spatial extents of a filter, which must be known; `spatial` is how many there are.
std::optional<Axes> filter_axes(GraphBuilder& b, const Window& window, ValueId x, ValueId filter);

}  // namespace tern::channels_last
