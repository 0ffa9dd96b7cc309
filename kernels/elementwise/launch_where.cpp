// Which kernels of where.cu, pow.cu and variadic.cu run. See launch.h.
#include "kernels/elementwise/device_launch.h"
#include "kernels/elementwise/pow.h"
#include "kernels/elementwise/variadic.h"
#include "kernels/elementwise/where.h"

namespace tern::cuda {

void launch_where(const Kernel& kernel, DType dtype, const WhereArgs& args, Launches& to) {
  const size_t bytes = size_of(dtype);
  const char* name = bytes == 1 ? "where_8" : bytes == 2 ? "where_16" : bytes == 4 ? "where_32" : "where_64";
  for_chunks(args.nest, [&](const Chunk& c) {
    WhereLaunch l;
    l.condition = element(args.condition, c.from[0], 1);
    l.a = element(args.a, c.from[1], bytes);
    l.b = element(args.b, c.from[2], bytes);
    l.y = element(args.y, c.at, bytes);
    const OperandAt operands[] = {{l.condition, 1}, {l.a, bytes}, {l.b, bytes}};
    l.nest = device_nest(c, bytes <= 4 && can_be_wide(c, operands, {l.y, bytes}));  // 16 bytes are the most that a thread loads at once
    to.add(kernel.module, name, {blocks_for(l.nest.items, kElementBlock)}, {kElementBlock}, 0, l);
  });
}

void launch_pow(const Kernel& kernel, DType dtype, const PowArgs& args, Launches& to) {
  const size_t bytes = size_of(dtype);
  const char* name = is_int(dtype) && is_int(args.exponent) ? "pow_int" : "pow_float";
  for_chunks(args.binary.nest, [&](const Chunk& c) {
    PowLaunch l;
    l.binary.a = element(args.binary.a, c.from[0], bytes);
    l.binary.b = element(args.binary.b, c.from[1], size_of(args.exponent));
    l.binary.y = element(args.binary.y, c.at, bytes);
    l.binary.dtype = dtype;
    l.binary.nest = device_nest(c, false);
    l.exponent = args.exponent;
    to.add(kernel.module, name, {blocks_for(l.binary.nest.items, kElementBlock)}, {kElementBlock}, 0, l);
  });
}

void launch_variadic(const Kernel& kernel, DType dtype, const VariadicArgs& args, Launches& to) {
  to.add(kernel.module, kernel.name, {blocks_for(args.elements, kElementBlock)}, {kElementBlock}, 0, VariadicLaunch{args, dtype});
}

}  // namespace tern::cuda
