// Which kernel of grid_sample.cu runs. See launch.h.
#include "kernels/launch.h"
#include "kernels/resize/grid_taps.h"

namespace tern::cuda {

void launch_grid_sample(const GridSampleArgs& a, Launches& to) {
  constexpr const char* kKernels[3][kGridAxes] = {{"grid_sample_nearest_1_f32", "grid_sample_nearest_2_f32", "grid_sample_nearest_3_f32"},
                                                  {"grid_sample_linear_1_f32", "grid_sample_linear_2_f32", "grid_sample_linear_3_f32"},
                                                  {"grid_sample_cubic_1_f32", "grid_sample_cubic_2_f32", "grid_sample_cubic_3_f32"}};
  const char* kernel = kKernels[static_cast<int>(a.mode)][a.axes - 1];
  to.add("resize/grid_sample", kernel, {blocks_for(a.end, kGridBlock)}, {kGridBlock}, 0, a);  // a device's share is all
}

}  // namespace tern::cuda
