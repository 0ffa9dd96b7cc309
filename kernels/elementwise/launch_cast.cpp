// Which of cast.cu's kernels runs; and Clip's. See launch.h.
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/device_launch.h"

namespace tern::cuda {
namespace {

template <class T>
constexpr auto kKernel = [] {
  constexpr std::string_view dtype = name(dtype_of<T>());
  std::array<char, 16> text{};
  std::copy(dtype.begin(), dtype.end(), std::copy_n("cast_", 5, text.begin()));
  return text;
}();

template <class T>
void launch(const CastArgs& a, Launches& to) {
  if (a.from == dtype_of<T>()) return to.copy(a.y, a.x, a.count * static_cast<int64_t>(sizeof(T)));
  to.add("elementwise/cast", kKernel<T>.data(), {blocks_for(a.count, kElementBlock)}, {kElementBlock}, 0, a);
}
template <class T>
constexpr KernelRow cast_row() {
  return device_row<CastArgs, launch<T>>(kRowName<"cast", dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>());
}

template <class T>
constexpr KernelRow clip_row() {
  return device_row<ClipArgs, [](const ClipArgs& a, Launches& to) {
    constexpr bool kLanes = std::is_same_v<T, float>;
    const bool wide = kLanes && is_aligned(a.x, 16) && is_aligned(a.y, 16);
    to.add("elementwise/activations", kLanes ? "clip_f32" : "clip_any", {blocks_for(a.count, (kLanes ? kWide : 1) * kElementBlock)}, {kElementBlock},
           0, ClipLaunch{a, dtype_of<T>(), wide});
  }>(kRowName<"clip", dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>());
}

}  // namespace

constinit const KernelRow kCast[13] = {cast_row<float>(),    cast_row<double>(),   cast_row<f16>(),     cast_row<bf16>(),    cast_row<int8_t>(),
                                       cast_row<int16_t>(),  cast_row<int32_t>(),  cast_row<int64_t>(), cast_row<uint8_t>(), cast_row<uint16_t>(),
                                       cast_row<uint32_t>(), cast_row<uint64_t>(), cast_row<bool>()};
constinit const KernelRow kClip[12] = {clip_row<float>(),   clip_row<double>(),   clip_row<f16>(),      clip_row<bf16>(),
                                       clip_row<int8_t>(),  clip_row<int16_t>(),  clip_row<int32_t>(),  clip_row<int64_t>(),
                                       clip_row<uint8_t>(), clip_row<uint16_t>(), clip_row<uint32_t>(), clip_row<uint64_t>()};

}  // namespace tern::cuda
