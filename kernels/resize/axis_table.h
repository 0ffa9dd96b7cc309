// Where each output of one axis lies in the input, and which inputs weigh how much: the tables of Resize. See resize.h.
#pragma once
#include <string>
#include <vector>

#include "kernels/op.h"

namespace tern {

// The attributes of a Resize node.
struct ResizeMode {
  enum class Filter { nearest, linear, cubic } filter = Filter::nearest;
  std::string coordinates, nearest;
  double cubic_a = -0.75;
  bool antialias = false, exclude_outside = false;
};
Result<ResizeMode> resize_mode(const Attributes& attrs);

// One axis: extents, the scale (out / in, unless the model gives another), the region of interest.
struct AxisGrid {
  int64_t in = 1, out = 1;
  double scale = 1, roi_start = 0, roi_end = 1;
};

struct AxisTable {
  int64_t taps = 0;
  std::vector<int32_t> index;   // [out, taps]
  std::vector<float> weight;    // [out, taps]
  std::vector<uint8_t> outside;  // [out]
  bool identity = true;         // y is x
  bool any_outside = false;
};
// Precondition: grid.in > 0.
AxisTable axis_table(const ResizeMode& mode, const AxisGrid& grid);

}  // namespace tern
