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
Result<ResizeMode> resize_mode(const AttrReader& attrs);

// One axis: extents, the scale (out / in, unless the model gives another), the region of interest.
struct AxisGrid {
  int64_t in = 1, out = 1;
  double scale = 1, roi_start = 0, roi_end = 1;
};

// What is known of an axis without looking at each output.
struct AxisPlan {
  int64_t taps = 0;
  bool identity = false;  // y is x
  bool any_outside = false;
};
// Precondition: grid.in > 0.
AxisPlan axis_plan(const ResizeMode& mode, const AxisGrid& grid);
// The tables themselves; those that are null are not written.
struct AxisTables {
  int32_t* index = nullptr;    // [out, taps]
  float* weight = nullptr;     // [out, taps]
  uint8_t* outside = nullptr;  // [out]
};
void fill_tables(const ResizeMode& mode, const AxisGrid& grid, const AxisTables& tables);

}  // namespace tern
