// What device.h launches, and how wide. See launch.h of the folder above.
#include "kernels/elementwise/device_launch.h"
#include "runtime/base/checked.h"

namespace tern::cuda {
namespace {

void launch_nest(const Kernel& kernel, DType dtype, size_t y_bytes, const BinaryArgs& args, Launches& to) {
  const size_t bytes = size_of(dtype);
  for_chunks(args.nest, [&](const Chunk& c) {
    BinaryLaunch l;
    l.a = element(args.a, c.from[0], bytes);
    l.b = element(args.b, c.from[1], bytes);
    l.y = element(args.y, c.at, y_bytes);
    l.dtype = dtype;
    const OperandAt operands[] = {{l.a, bytes}, {l.b, bytes}};
    l.nest = device_nest(c, kernel.lanes && can_be_wide(c, operands, {l.y, y_bytes}));
    to.add(kernel.module, kernel.name, {blocks_for(l.nest.items, kElementBlock)}, {kElementBlock}, 0, l);
  });
}

}  // namespace

bool can_be_wide(const Chunk& c, std::span<const OperandAt> operands, OperandAt y) {
  if (c.axes > 1 && c.extent[0] % kWide != 0) return false;
  if (!is_aligned(y.at, kWide * y.bytes)) return false;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (c.stride[i][0] == 0) continue;
    if (!is_aligned(operands[i].at, kWide * operands[i].bytes)) return false;
    for (int axis = 1; axis < c.axes; ++axis) {
      if (c.stride[i][axis] % kWide != 0) return false;
    }
  }
  return true;
}

DeviceNest device_nest(const Chunk& c, bool wide) {
  DeviceNest n;
  n.axes = c.axes;
  n.wide = wide;
  n.elements = 1;
  for (int axis = 0; axis < c.axes; ++axis) {
    n.elements *= static_cast<uint32_t>(c.extent[axis]);
    const bool items = wide && axis == 0;
    n.extent[axis] = FastDiv(items ? ceil_div(c.extent[0], kWide) : c.extent[axis]);
    for (int i = 0; i < kMaxOperands; ++i) n.stride[i][axis] = static_cast<uint32_t>(c.stride[i][axis] * (items ? kWide : 1));
  }
  n.items = wide ? static_cast<uint32_t>(ceil_div(n.elements, kWide)) : n.elements;
  return n;
}

void launch_clip(const Kernel& kernel, DType dtype, const ClipArgs& args, Launches& to) {
  const bool wide = kernel.lanes && is_aligned(args.x, 16) && is_aligned(args.y, 16);
  to.add(kernel.module, kernel.name, {blocks_for(args.count, (kernel.lanes ? kWide : 1) * kElementBlock)}, {kElementBlock}, 0,
         ClipLaunch{args, dtype, wide});
}
void launch_unary(const Kernel& kernel, DType dtype, const UnaryArgs& args, Launches& to) {
  const bool wide = kernel.lanes && is_aligned(args.x, 16) && is_aligned(args.y, 16);
  to.add(kernel.module, kernel.name, {blocks_for(args.count, (kernel.lanes ? kWide : 1) * kElementBlock)}, {kElementBlock}, 0,
         UnaryLaunch{args, dtype, wide});
}
void launch_binary(const Kernel& kernel, DType dtype, const BinaryArgs& args, Launches& to) { launch_nest(kernel, dtype, size_of(dtype), args, to); }
void launch_comparison(const Kernel& kernel, DType dtype, const BinaryArgs& args, Launches& to) { launch_nest(kernel, dtype, 1, args, to); }

}  // namespace tern::cuda
