// How wide rotary.cu runs. See launch.h.
#include "kernels/launch.h"

#include "kernels/rotary/rotary_device.h"

namespace tern::cuda {

template <DType kType>
void launch_rotary(const RotaryArgs& a, Launches& to) {
  const char* kernel = kType == DType::f32   ? "rotary_embedding_f32"
                       : kType == DType::f64 ? "rotary_embedding_f64"
                       : kType == DType::f16 ? "rotary_embedding_f16"
                                             : "rotary_embedding_bf16";
  to.add("rotary/rotary", kernel, {blocks_for(a.end * a.heads * (a.D - a.half), kRotaryBlock)}, {kRotaryBlock}, 0, a);  // a device's share is all
}
template void launch_rotary<DType::f32>(const RotaryArgs&, Launches&);
template void launch_rotary<DType::f64>(const RotaryArgs&, Launches&);
template void launch_rotary<DType::f16>(const RotaryArgs&, Launches&);
template void launch_rotary<DType::bf16>(const RotaryArgs&, Launches&);

}  // namespace tern::cuda
