// Which of cast.cu's kernels runs. See launch.h.
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/device_launch.h"

namespace tern::cuda {

void launch_cast(const Kernel& kernel, DType to_dtype, const CastArgs& args, Launches& to) {
  constexpr const char* kNames[] = {nullptr,    "cast_f64", "cast_f32", "cast_f16", "cast_bf16", "cast_i8",  "cast_i16",
                                    "cast_i32", "cast_i64", "cast_u8",  "cast_u16", "cast_u32",  "cast_u64", "cast_bool"};
  static_assert(std::size(kNames) == static_cast<size_t>(DType::string));
  if (args.from == to_dtype) return to.copy(args.y, args.x, args.count * static_cast<int64_t>(size_of(to_dtype)));
  to.add(kernel.module, kNames[static_cast<size_t>(to_dtype)], {blocks_for(args.count, kElementBlock)}, {kElementBlock}, 0, args);
}

}  // namespace tern::cuda
