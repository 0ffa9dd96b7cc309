// Bytes that a caller wrote for bools, brought to 0 and 1 on a device: y[i] = x[i] != 0.
//   Shapes    x, y: [count]; y may equal x.
//   Cost      a byte read and a byte written.
// Next: bools.cu.
#pragma once
#include <stdint.h>

namespace tern {
class Launches;

namespace cuda {

struct BoolArgs {
  const uint8_t* x;
  uint8_t* y;
  int64_t count;
};
constexpr int kBoolBlock = 256;
void launch_bools(const BoolArgs& args, Launches& to);

}  // namespace cuda
}  // namespace tern
